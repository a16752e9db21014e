// Sums of what the processes of a parallel join have done, in the shared memory of the query, for EXPLAIN.
//
// `Counts`: a struct of uint64_t. Counters are atomics; no locks.
#pragma once

#include <cstring>
#include <type_traits>

#include "pg/postgres_api.h"

extern "C" {
#include "port/atomics.h"
}

namespace xtree {

template <class Counts>
class SharedCounts {
 public:
  void Initialize() {
    for (pg_atomic_uint64& sum : sum_) pg_atomic_init_u64(&sum, 0);
  }

  // Adds what a participant has done since it did so last (`handed_in`, which is brought up to date).
  void HandIn(const Counts& counts, Counts* handed_in) {
    uint64_t now[kCounts], before[kCounts];
    memcpy(now, &counts, sizeof(now));
    memcpy(before, handed_in, sizeof(before));
    for (int i = 0; i < kCounts; i++) pg_atomic_fetch_add_u64(&sum_[i], static_cast<int64>(now[i] - before[i]));
    *handed_in = counts;
  }

  Counts Total() {
    uint64_t sum[kCounts];
    for (int i = 0; i < kCounts; i++) sum[i] = pg_atomic_read_u64(&sum_[i]);
    Counts total;
    memcpy(&total, sum, sizeof(total));
    return total;
  }

 private:
  static constexpr int kCounts = sizeof(Counts) / sizeof(uint64_t);
  static_assert(sizeof(Counts) == kCounts * sizeof(uint64_t) && std::is_trivially_copyable_v<Counts>);

  pg_atomic_uint64 sum_[kCounts];
};

}  // namespace xtree
