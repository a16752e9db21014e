// How long things took, as histograms of the whole server in shared memory, for xtree_metrics(): atomics, which anybody adds to at any time. Not per
// index, because a histogram has as many numbers as all counters of an index together. Only where the library was preloaded: elsewhere nothing is
// loaded or mapped.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "port/atomics.h"
}

namespace xtree {

enum class Latency : int {
  kLoad,        // of an index: from the access that asked for it to its admission by the worker
  kFirstTouch,  // of an index by a session: registering it, and mapping it for the first time
};
inline constexpr int kLatencies = 2;

// Upper bounds of the buckets, in nanoseconds, 1, 2.5, 5, 10 and so on from 1 us to 100 s; what takes longer is in a last bucket without one.
inline constexpr int kLatencyBounds = 25;
int64 LatencyBound(int bucket);

struct LatencyHistogram {
  pg_atomic_uint64 count[kLatencyBounds + 1];
  pg_atomic_uint64 sum;  // nanoseconds
};

struct LatencyValues {
  int64 count[kLatencyBounds + 1];
  int64 sum;
};

struct LatencyHistograms {
  LatencyHistogram of[kLatencies];
};

void InitializeLatencies(LatencyHistograms* histograms);

// Never raises. Does nothing without preload.
void Observe(Latency latency, int64 nanoseconds);

// REQUIRES: shared != nullptr.
LatencyValues ReadLatency(Latency latency);
void ResetLatencies();

}  // namespace xtree
