// A sample of an index's history: what it was, and what had been counted of it, at one moment. Samples of the server as a whole have the key {0, 0}:
// sums over the indexes that were in use then.
#pragma once

#include "shmem/index_table.h"

namespace xtree {

inline constexpr IndexKey kWholeServer = {InvalidOid, InvalidOid};

// Counts go up; where one is less than in the sample before, it was reset in between.
enum class SampleCount : int { kScans, kTuples, kReads, kAbsent, kWrites, kLoads, kEvictions };
inline constexpr int kSampleCounts = 7;

struct Sample {
  TimestampTz time;
  int64 bytes;           // of its file
  int64 resident_bytes;  // of them in memory, as last measured; of the whole server with what sessions keep
  int64 count[kSampleCounts];
  int64 load_us;   // that its last load took
  double overlap;  // nodes of its upper levels that lie over one place (core/estimate/crowding.h); 0: not known, or there are none

  int64 operator[](SampleCount which) const { return count[static_cast<int>(which)]; }
  int64& operator[](SampleCount which) { return count[static_cast<int>(which)]; }
};

// Of the time between two samples.
inline int64 Increase(const Sample& before, const Sample& now, SampleCount which) {
  return now[which] >= before[which] ? now[which] - before[which] : now[which];
}

}  // namespace xtree
