// Holdings: what the worker has mapped in order to lock pages of it, one for each index with pins. For pinning.cpp, in
// the worker's process alone.
//
// An ERROR may come between any two calls (memory, a signal), so a holding is whole at any moment: it is mapped and has
// sets for so many blocks, or neither. Lives until its index is unpinned, or nothing of it is wanted. No locks.
#pragma once

#include "registry/file_mapping.h"
#include "worker/held_indexes.h"

namespace xtree {

// One bit a block.
struct BlockSet {
  uint64* word;
  bool Has(BlockNumber block) const { return (word[block / 64] >> (block % 64)) & 1; }
  void Add(BlockNumber block) { word[block / 64] |= UINT64CONST(1) << (block % 64); }
  void Remove(BlockNumber block) { word[block / 64] &= ~(UINT64CONST(1) << (block % 64)); }
};

struct Holding {
  SharedIndex* index;  // with a reference
  FileMapping mapping;
  BlockNumber blocks;  // that the sets have room for; 0: not mapped
  BlockSet locked;     // its words are the beginning of one allocation for all sets
  BlockSet wanted;
  BlockSet requested;  // by xtree_pin_hot()
  BlockSet directory;  // of the tree, as it was when it was walked
  TimestampTz walked;
  int64 locked_bytes;
  bool no_memory;             // for the sets, when it was tried last
  TimestampTz refused_since;  // unpinned on request: nothing is wanted while the index is of the load of that time; 0:
                              // not refused
  Holding* next;
};

// The first; nullptr: none.
Holding* FirstHolding();
Holding* FindHolding(const SharedIndex* index);
Holding* AddHolding(SharedIndex* index);
void RemoveHolding(Holding* holding);  // unlocks

// The holding of an index of which something may be pinned, mapped as its file is now (or was a little while ago); else
// nullptr.
Holding* UsableHolding(SharedIndex* index, const IndexStatus& status);

void Clear(BlockSet set, BlockNumber blocks);

// Nothing is wanted of any.
void ClearWanted();

// Shows in the index's entry how much is locked.
void ShowPinned(Holding* holding);

}  // namespace xtree
