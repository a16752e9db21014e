// What the processes of a parallel join share, in the shared memory of the query: the pool of left nodes (am/parallel_scan.h), and the sums of what
// they have done, for EXPLAIN.
#pragma once

#include "am/parallel_scan.h"
#include "core/join/tree_join.h"

namespace xtree {

struct JoinCounts {
  JoinWork work;
  uint64_t fetched[2];  // rows of each table that were looked for
  uint64_t removed[2];  // of them: that conditions on the table removed
};

struct SharedJoin;

Size SharedJoinBytes();
void InitializeSharedJoin(SharedJoin* shared);
// Before participants start again.
void ResetSharedJoin(SharedJoin* shared);
ParallelPool* PoolOf(SharedJoin* shared);

// Adds what a participant has done since it did so last (`handed_in`, which is brought up to date); and the sum of all that was added.
void HandInCounts(SharedJoin* shared, const JoinCounts& counts, JoinCounts* handed_in);
JoinCounts TotalCounts(SharedJoin* shared);

}  // namespace xtree
