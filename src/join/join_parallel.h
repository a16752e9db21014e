// What the processes of a parallel join share, in the shared memory of the query: the pool of left nodes (am/parallel_scan.h), and the sums of what
// they have done.
#pragma once

#include "am/parallel_scan.h"
#include "core/join/tree_join.h"
#include "join/shared_counts.h"

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

SharedCounts<JoinCounts>* CountsOf(SharedJoin* shared);

}  // namespace xtree
