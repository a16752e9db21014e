// What an index's history says: how it is used, when it will be used next, what is unusual about the last sample, and how it grows.
#pragma once

#include "history/history_file.h"

namespace xtree {

struct UseAnalysis {
  const char* use;      // read-mostly, write-mostly, mixed, idle; nullptr: too few samples
  const char* pattern;  // steady, bursty, periodic; nullptr: likewise
  // Of a periodic use; otherwise 0.
  int64 period_us;
  int64 begins_us;           // in a period, from midnight or the full hour on, in the time zone asked for
  TimestampTz next_begin;    // when it is expected to begin, or to go on
  TimestampTz next_end;      // of the interval that begins then
  int64 scans_per_interval;  // median
};
// Never raises but for want of memory.
UseAnalysis AnalyseUse(const History& history, pg_tz* zone, TimestampTz now);

// What is far beyond its usual range in the interval that the last sample ended, in words ("scans 12000, usually 300 to 900; ..."), in memory of the
// current context; nullptr: nothing, or there are too few samples to say.
const char* DescribeUnusual(const History& history);

enum class Growing : int { kBytes, kResident };

struct Forecast {
  bool known;       // else there are too few samples, and what follows `now` means nothing
  double now;       // as of the last sample; negative: there is none
  double expected;  // 90 of 100 lie between low and high, as far as the past is a guide
  double low, high;
  double bytes_per_day;  // slope
};
Forecast ForecastOf(const History& history, Growing what, TimestampTz at);

// When what has grown to `used` and grows as `forecast` says is as much as `limit`; 0: never, or not within a hundred years.
TimestampTz ReachedAt(const Forecast& forecast, double used, double limit, TimestampTz now);

}  // namespace xtree
