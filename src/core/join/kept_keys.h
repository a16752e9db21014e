// Keys of leaf entries that a join keeps, one after the other in a scan's memory: of each dimension lo and hi, and the marks.
#pragma once

#include "core/scan/scan_node.h"
#include "core/scan/scratch.h"

namespace xtree {

inline size_t KeptKeySize(const KeyLayout& layout) { return 2 * size_t{layout.dimensions} + 1; }

// There is room for KeptKeySize() more.
inline void KeepKey(const NodeView& leaf, int entry, Scratch<Ordinal>* keys) {
  Box box;
  leaf.GetBox(entry, &box);
  for (int d = 0; d < leaf.layout().dimensions; ++d) {
    keys->AppendReserved(box.lo[d]);
    keys->AppendReserved(box.hi[d]);
  }
  keys->AppendReserved(static_cast<Ordinal>(box.marks));
}

inline void GetKeptKey(const Scratch<Ordinal>& keys, size_t number, const KeyLayout& layout, Box* box) {
  const size_t dimensions = layout.dimensions;
  const Ordinal* key = keys.data() + number * KeptKeySize(layout);
  for (size_t d = 0; d < dimensions; ++d) box->lo[d] = key[2 * d], box->hi[d] = key[2 * d + 1];
  box->marks = static_cast<uint64_t>(key[2 * dimensions]);
}

}  // namespace xtree
