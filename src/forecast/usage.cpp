// See usage.h.
#include "forecast/usage.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>

namespace xtree {

namespace {

// Of a periodic use: at least so many of the periods seen have use at a place that counts as active, at least so much of all reads falls there, and
// at most so much of the period is active.
constexpr double kComesBack = 0.75;
constexpr double kExplained = 0.8;
constexpr double kMostActive = 0.5;
constexpr double kNoise = 0.1;  // of the mean of the stretches with reads: less is no use
constexpr int kFewestPeriods = 3;

// In bursts: so little of the time has so much of the reads.
constexpr double kBurstTime = 0.1;
constexpr double kBurstReads = 0.8;

UseClass ClassOf(double reads, double writes) {
  if (reads == 0 && writes == 0) return UseClass::kIdle;
  if (reads >= kMostly * writes) return UseClass::kReadMostly;
  if (writes >= kMostly * reads) return UseClass::kWriteMostly;
  return UseClass::kMixed;
}

int PlaceOf(int64_t number, int period) { return static_cast<int>((number % period + period) % period); }

bool IsPeriodic(const std::vector<Stretch>& stretches, int period, double all_reads, double noise, std::vector<bool>* active) {
  if (period < 2 || stretches.back().number - stretches.front().number + 1 < int64_t{kFewestPeriods} * period) return false;
  std::vector<int> seen(period), used(period);
  std::vector<double> reads(period);
  for (const Stretch& stretch : stretches) {
    const int place = PlaceOf(stretch.number, period);
    seen[place]++;
    used[place] += stretch.reads > noise;
    reads[place] += stretch.reads;
  }
  active->assign(period, false);
  int count = 0;
  double explained = 0;
  for (int place = 0; place < period; place++) {
    if (seen[place] < kFewestPeriods || used[place] < kComesBack * seen[place]) continue;
    (*active)[place] = true;
    count++;
    explained += reads[place];
  }
  return count > 0 && count <= kMostActive * period && explained >= kExplained * all_reads;
}

bool IsBursty(const std::vector<Stretch>& stretches, double all_reads) {
  std::vector<double> reads(stretches.size());
  std::transform(stretches.begin(), stretches.end(), reads.begin(), [](const Stretch& stretch) { return stretch.reads; });
  std::sort(reads.begin(), reads.end(), std::greater<>());
  const auto few = static_cast<std::ptrdiff_t>(std::max(1.0, kBurstTime * static_cast<double>(reads.size())));
  return std::accumulate(reads.begin(), reads.begin() + few, 0.0) >= kBurstReads * all_reads;
}

}  // namespace

const char* NameOf(UseClass use) {
  static const char* const names[] = {nullptr, "idle", "read-mostly", "write-mostly", "mixed"};
  return names[static_cast<int>(use)];
}

const char* NameOf(UsePattern pattern) {
  static const char* const names[] = {nullptr, "steady", "bursty", "periodic"};
  return names[static_cast<int>(pattern)];
}

int64_t Usage::NextUse(int64_t number) const {
  for (int64_t next = number + 1;; next++) {
    if (active[PlaceOf(next, period)]) return next;
  }
}

int Usage::BeginsAt() const {
  for (int place = 0; place < period; place++) {
    if (active[place] && !active[(place + period - 1) % period]) return place;
  }
  return 0;
}

Usage Classify(const std::vector<Stretch>& stretches, const std::vector<int>& periods) {
  Usage out;
  if (stretches.size() < kFewestForUse) return out;
  double reads = 0, writes = 0;
  int with_reads = 0;
  for (const Stretch& stretch : stretches) {
    reads += stretch.reads;
    writes += stretch.writes;
    with_reads += stretch.reads > 0;
  }
  out.use = ClassOf(reads, writes);
  if (stretches.size() < kFewestForPattern || reads == 0) return out;
  for (const int period : periods) {
    if (!IsPeriodic(stretches, period, reads, kNoise * reads / with_reads, &out.active)) continue;
    out.pattern = UsePattern::kPeriodic;
    out.period = period;
    return out;
  }
  out.active.clear();
  out.pattern = IsBursty(stretches, reads) ? UsePattern::kBursty : UsePattern::kSteady;
  return out;
}

}  // namespace xtree
