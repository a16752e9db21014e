// See latency.h.
#include "shmem/latency.h"

#include "shmem/shared_state.h"

namespace xtree {

namespace {

LatencyHistogram* Of(Latency latency) { return &shared->latencies.of[static_cast<int>(latency)]; }

}  // namespace

int64 LatencyBound(int bucket) {
  static constexpr int64 kSteps[] = {1000, 2500, 5000};
  int64 bound = kSteps[bucket % 3];
  for (int decade = bucket / 3; decade > 0; decade--) bound *= 10;
  return bound;
}

void InitializeLatencies(LatencyHistograms* histograms) {
  for (LatencyHistogram& histogram : histograms->of) {
    for (pg_atomic_uint64& count : histogram.count) pg_atomic_init_u64(&count, 0);
    pg_atomic_init_u64(&histogram.sum, 0);
  }
}

// The clock that loads are measured by may have been set back meanwhile.
void Observe(Latency latency, int64 nanoseconds) {
  if (!Preloaded()) return;
  const int64 took = std::max<int64>(0, nanoseconds);
  int bucket = 0;
  while (bucket < kLatencyBounds && took > LatencyBound(bucket)) bucket++;
  pg_atomic_fetch_add_u64(&Of(latency)->count[bucket], 1);
  pg_atomic_fetch_add_u64(&Of(latency)->sum, took);
}

LatencyValues ReadLatency(Latency latency) {
  LatencyHistogram* histogram = Of(latency);
  LatencyValues values;
  for (int i = 0; i <= kLatencyBounds; i++) values.count[i] = static_cast<int64>(pg_atomic_read_u64(&histogram->count[i]));
  values.sum = static_cast<int64>(pg_atomic_read_u64(&histogram->sum));
  return values;
}

void ResetLatencies() {
  for (LatencyHistogram& histogram : shared->latencies.of) {
    for (pg_atomic_uint64& count : histogram.count) pg_atomic_write_u64(&count, 0);
    pg_atomic_write_u64(&histogram.sum, 0);
  }
}

}  // namespace xtree
