// See join_parallel.h. The pool has its own lock.
#include "join/join_parallel.h"

namespace xtree {

struct SharedJoin {
  SharedCounts<JoinCounts> counts;
};

Size SharedJoinBytes() { return MAXALIGN(sizeof(SharedJoin)) + ParallelPoolBytes(); }

ParallelPool* PoolOf(SharedJoin* shared) {
  return reinterpret_cast<ParallelPool*>(reinterpret_cast<char*>(shared) + MAXALIGN(sizeof(SharedJoin)));
}

SharedCounts<JoinCounts>* CountsOf(SharedJoin* shared) { return &shared->counts; }

void InitializeSharedJoin(SharedJoin* shared) {
  shared->counts.Initialize();
  InitializePool(PoolOf(shared));
}

void ResetSharedJoin(SharedJoin* shared) { EmptyPool(PoolOf(shared)); }

}  // namespace xtree
