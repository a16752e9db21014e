// JoinEntries: what a join keeps of the nodes that it has read of one side. Plain data in a scan's memory.
#pragma once

#include "core/join/join_condition.h"
#include "core/join/kept_keys.h"

namespace xtree {

struct JoinEntries {
  Scratch<JoinEdges> edges;
  Scratch<uint8_t> empties;
  Scratch<NodePointer> nodes;  // of directory pages
  Scratch<TupleId> tuples;     // of leaves

  // Of leaves, where keys are kept; and whether the key is all that has to be known of the row.
  Scratch<Ordinal> keys;
  Scratch<uint8_t> known;
  size_t key_size = 0;  // 0: keys are not kept
  // Payloads, where these are kept too, of entries of which that is all: the bytes, one after the other, and of each entry where they end.
  Scratch<uint8_t> payloads;
  Scratch<uint32_t> payload_ends;

  size_t size() const { return edges.size(); }
  void Clear() { Truncate(0); }
  // What came later is forgotten. After a visit that does not count: whatever it had appended.
  void Truncate(size_t count) {
    edges.Truncate(count);
    empties.Truncate(count);
    nodes.Truncate(std::min(count, nodes.size()));
    tuples.Truncate(std::min(count, tuples.size()));
    keys.Truncate(std::min(count * key_size, keys.size()));
    known.Truncate(std::min(count, known.size()));
    payload_ends.Truncate(std::min(count, payload_ends.size()));
    payloads.Truncate(payload_ends.empty() ? 0 : payload_ends.back());
  }
};

}  // namespace xtree
