// See analysis.h. C++ objects live here only where nothing of PostgreSQL is called.
#include "history/analysis.h"

#include <cmath>

#include "forecast/medians.h"
#include "forecast/trend.h"
#include "forecast/usage.h"
#include "pg/guard.h"

extern "C" {
#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "utils/timestamp.h"
}

namespace xtree {

namespace {

constexpr int64 kHour = INT64CONST(3600) * USECS_PER_SEC;
constexpr int64 kDay = 24 * kHour;

// By which local time is behind, in microseconds, as PostgreSQL has it: west of Greenwich is positive.
int64 OffsetOf(TimestampTz time, pg_tz* zone) {
  int offset;
  pg_tm tm;
  fsec_t fraction;
  if (timestamp2tm(time, &offset, &tm, &fraction, nullptr, zone) != 0) return 0;
  return int64{offset} * USECS_PER_SEC;
}

// Plain data, so that it can be made where time zones are looked up.
struct Stretches {
  Stretch* stretch;
  int count;
};

// From each sample to the next, unless some are missing between. An interval is named by its beginning.
Stretches StretchesOf(const History& history, pg_tz* zone) {
  Stretches out = {static_cast<Stretch*>(palloc(sizeof(Stretch) * std::max(1, history.count))), 0};
  for (int i = 1; i < history.count; i++) {
    const Sample& before = history.sample[i - 1];
    const Sample& now = history.sample[i];
    if (!AreConsecutive(before, now)) continue;
    const int64 local = before.time - OffsetOf(before.time, zone);
    out.stretch[out.count++] = {IntervalOf(local), static_cast<double>(Increase(before, now, SampleCount::kScans)),
                                static_cast<double>(Increase(before, now, SampleCount::kWrites))};
  }
  return out;
}

// Plain data of what Usage says.
struct UseFound {
  UseClass use;
  UsePattern pattern;
  int period;
  int begins;
  int64 next;
  double median_reads;
};

UseFound Find(const Stretches& stretches, int64 number) {
  const std::vector<Stretch> all(stretches.stretch, stretches.stretch + stretches.count);
  std::vector<int> periods;
  for (const int64 period : {kHour, kDay, 7 * kDay}) {
    if (period % HistoryInterval() == 0) periods.push_back(static_cast<int>(std::min<int64>(period / HistoryInterval(), INT_MAX)));
  }
  const Usage usage = Classify(all, periods);
  const bool periodic = usage.pattern == UsePattern::kPeriodic;
  std::vector<double> reads;
  for (const Stretch& stretch : all) reads.push_back(stretch.reads);
  return {usage.use,
          usage.pattern,
          usage.period,
          periodic ? usage.BeginsAt() : 0,
          periodic ? usage.NextUse(number) : 0,
          reads.empty() ? 0 : Median(reads.data(), static_cast<int>(reads.size()))};
}

// What is looked at, and from which difference on it is worth a word.
struct Watched {
  const char* name;
  double grain;
  double (*value)(const Sample& before, const Sample& now);
  bool (*counts)(const Sample& before, const Sample& now);  // is there a value at all?
};

bool Always(const Sample&, const Sample&) { return true; }

constexpr Watched kWatched[] = {
    {"scans", 100, [](const Sample& before, const Sample& now) { return static_cast<double>(Increase(before, now, SampleCount::kScans)); },
     Always},
    {"pages read", 1000,
     [](const Sample& before, const Sample& now) { return static_cast<double>(Increase(before, now, SampleCount::kReads)); }, Always},
    {"evictions", 5,
     [](const Sample& before, const Sample& now) { return static_cast<double>(Increase(before, now, SampleCount::kEvictions)); }, Always},
    {"milliseconds to load", 50, [](const Sample&, const Sample& now) { return static_cast<double>(now.load_us) / 1000; },
     [](const Sample& before, const Sample& now) { return now.load_us > 0 && Increase(before, now, SampleCount::kLoads) > 0; }},
    {"nodes over a place", 0.5, [](const Sample&, const Sample& now) { return now.overlap; },
     [](const Sample&, const Sample& now) { return now.overlap > 0; }},
};

struct Finding {
  bool found;
  double now;
  Usual usual;
};

Finding Look(const Watched& watched, const History& history) {
  Finding out = {};
  std::vector<double> before;
  const int last = history.count - 1;
  for (int i = 1; i < last; i++) {
    const Sample& a = history.sample[i - 1];
    const Sample& b = history.sample[i];
    if (AreConsecutive(a, b) && watched.counts(a, b)) before.push_back(watched.value(a, b));
  }
  const Sample& a = history.sample[last - 1];
  const Sample& b = history.sample[last];
  if (!AreConsecutive(a, b) || !watched.counts(a, b)) return out;
  out.now = watched.value(a, b);
  out.found = IsUnusual(out.now, before.data(), static_cast<int>(before.size()), watched.grain, &out.usual);
  return out;
}

double Amount(const Sample& sample, Growing what) {
  return static_cast<double>(what == Growing::kBytes ? sample.bytes : sample.resident_bytes);
}

struct Fitted {
  bool known;
  Range range;
  double slope;
};

Fitted Fit(const History& history, Growing what, double at) {
  std::vector<Measurement> measured;
  for (int i = 0; i < history.count; i++)
    measured.push_back({static_cast<double>(history.sample[i].time) / kDay, Amount(history.sample[i], what)});
  Trend trend;
  if (!trend.Fit(measured)) return {};
  return {true, trend.AtLeastZero(at), trend.slope()};
}

}  // namespace

UseAnalysis AnalyseUse(const History& history, pg_tz* zone, TimestampTz now) {
  const Stretches stretches = StretchesOf(history, zone);
  const int64 offset = OffsetOf(now, zone);
  const UseFound found = Guarded([&] { return Find(stretches, IntervalOf(now - offset)); });
  UseAnalysis out = {};
  out.use = NameOf(found.use);
  out.pattern = NameOf(found.pattern);
  out.scans_per_interval = static_cast<int64>(found.median_reads);
  if (found.pattern != UsePattern::kPeriodic) return out;
  out.period_us = found.period * HistoryInterval();
  out.begins_us = found.begins * HistoryInterval();
  out.next_begin = found.next * HistoryInterval() + offset;
  out.next_end = out.next_begin + HistoryInterval();
  return out;
}

const char* DescribeUnusual(const History& history) {
  if (history.count < kFewestUsual) return nullptr;
  StringInfoData text;
  initStringInfo(&text);
  for (const Watched& watched : kWatched) {
    const Finding finding = Guarded([&] { return Look(watched, history); });
    if (!finding.found) continue;
    appendStringInfo(&text, "%s%s %.6g, usually %.6g to %.6g", text.len > 0 ? "; " : "", watched.name, finding.now,
                     std::max(0.0, finding.usual.low), finding.usual.high);
  }
  return text.len > 0 ? text.data : nullptr;
}

Forecast ForecastOf(const History& history, Growing what, TimestampTz at) {
  const Fitted fitted = Guarded([&] { return Fit(history, what, static_cast<double>(at) / kDay); });
  Forecast out = {fitted.known, -1, fitted.range.expected, fitted.range.low, fitted.range.high, fitted.slope};
  if (history.count > 0) out.now = Amount(history.sample[history.count - 1], what);
  return out;
}

TimestampTz ReachedAt(const Forecast& forecast, double used, double limit, TimestampTz now) {
  constexpr double kMostDays = 36500;
  if (!forecast.known) return 0;
  if (used >= limit) return now;
  if (forecast.bytes_per_day <= 0) return 0;
  const double days = (limit - used) / forecast.bytes_per_day;
  return days < kMostDays ? now + static_cast<TimestampTz>(days * kDay) : 0;
}

}  // namespace xtree
