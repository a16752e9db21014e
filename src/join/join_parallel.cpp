// See join_parallel.h. Counters are atomics; the pool has its own lock.
#include "join/join_parallel.h"

extern "C" {
#include "port/atomics.h"
}

namespace xtree {

constexpr int kCounts = sizeof(JoinCounts) / sizeof(uint64_t);
static_assert(sizeof(JoinCounts) == kCounts * sizeof(uint64_t) && std::is_trivially_copyable_v<JoinCounts>);

struct SharedJoin {
  pg_atomic_uint64 count[kCounts];
};

Size SharedJoinBytes() { return MAXALIGN(sizeof(SharedJoin)) + ParallelPoolBytes(); }

ParallelPool* PoolOf(SharedJoin* shared) {
  return reinterpret_cast<ParallelPool*>(reinterpret_cast<char*>(shared) + MAXALIGN(sizeof(SharedJoin)));
}

void InitializeSharedJoin(SharedJoin* shared) {
  for (pg_atomic_uint64& count : shared->count) pg_atomic_init_u64(&count, 0);
  InitializePool(PoolOf(shared));
}

void ResetSharedJoin(SharedJoin* shared) { EmptyPool(PoolOf(shared)); }

void HandInCounts(SharedJoin* shared, const JoinCounts& counts, JoinCounts* handed_in) {
  uint64_t now[kCounts], before[kCounts];
  memcpy(now, &counts, sizeof(now));
  memcpy(before, handed_in, sizeof(before));
  for (int i = 0; i < kCounts; i++) pg_atomic_fetch_add_u64(&shared->count[i], static_cast<int64>(now[i] - before[i]));
  *handed_in = counts;
}

JoinCounts TotalCounts(SharedJoin* shared) {
  uint64_t sum[kCounts];
  for (int i = 0; i < kCounts; i++) sum[i] = pg_atomic_read_u64(&shared->count[i]);
  JoinCounts total;
  memcpy(&total, sum, sizeof(total));
  return total;
}

}  // namespace xtree
