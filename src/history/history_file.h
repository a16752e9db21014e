// The history of an index: a file with a ring of samples (index_files.h). A sample's place follows from its time, so that writing one touches nothing
// else, and of each interval the last one stays; each has a checksum, and one that is torn or damaged counts as missing. The worker writes; anybody
// reads. Nothing is synced: after a crash of the operating system samples may be missing.
#pragma once

#include "history/sample.h"

namespace xtree {

// A ring has as many samples as the settings say, at most kMostSamples, of kSampleBytes each.
inline constexpr int kMostSamples = 10000;
inline constexpr int kSampleBytes = 104;

// For how long they are kept, and the time between two of them (xtree.history_interval, which is not 0), in microseconds.
int64 HistoryRetention();
int64 HistoryInterval();

// The number of the interval that a time lies in, and whether two samples are those of one interval and the next: else some are missing between.
int64 IntervalOf(TimestampTz time);
inline bool AreConsecutive(const Sample& before, const Sample& now) { return IntervalOf(now.time) <= IntervalOf(before.time) + 1; }

// False, with errno: the file could not be written.
bool WriteSample(IndexKey key, const Sample& sample);

struct History {
  Sample* sample;  // in the order of time, in memory of the current context
  int count;
};
// Those of the time that xtree.history_retention says; none where there is no file. False, with errno: it could not be read.
bool ReadHistory(IndexKey key, History* out);

}  // namespace xtree
