// What the worker measures: how much of each index is in the page cache, and the sums of it.
#pragma once

#include "worker/held_indexes.h"

namespace xtree {

// Bytes of the index's file in the page cache, by mincore(); stores it in the entry.
int64 MeasureResident(SharedIndex* index);

// Measures as many indexes as a tenth of a second allows, going on where the last call stopped.
void MeasureSome(const IndexList& list);

// Indexes in the order of their use, the least recently used first; in the current context.
struct Rank {
  SharedIndex* index;
  IndexStatus status;
  TimestampTz used;
};
struct Ranking {
  Rank* rank;
  int count;
};
Ranking RankByUse(const IndexList& list, bool (*wanted)(const IndexStatus& status));

// Resident bytes of all indexes, as last measured, and what sessions' registries hold.
int64 MemoryInUse(const IndexList& list);

// Shows the sums in MemoryStatus.
void ShowMemory(const IndexList& list);

}  // namespace xtree
