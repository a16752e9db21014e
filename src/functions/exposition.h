// The text format of Prometheus, version 0.0.4: families of samples, sorted by name, each once with HELP and TYPE. A family without samples is
// left out. Values are doubles, as Prometheus keeps them.
//
// Plain data in memory of the current context; what it calls may raise, so it belongs where no C++ object is alive and no lock held.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "lib/stringinfo.h"
}

namespace xtree {

// A value that may not be known.
struct Measure {
  bool known;
  double value;
};
inline constexpr Measure kUnknown = {false, 0};
template <class Number>
inline Measure Known(Number value) {
  return {true, static_cast<double>(value)};
}
// 0 stands for never: seconds since 1970 of others.
Measure Moment(TimestampTz time);
inline Measure Seconds(int64 microseconds) { return {true, static_cast<double>(microseconds) / 1e6}; }

enum class MetricType : int { kCounter, kGauge, kHistogram };

class Exposition {
 public:
  // Begins a family, to which the samples go that follow. Name and help are not copied.
  void Family(const char* name, MetricType type, const char* help);

  // Labels as `name="value",name="value"`, values escaped, or "". Nothing where the value is not known.
  void Sample(const char* labels, Measure value);

  // A family with one sample.
  void One(const char* name, MetricType type, const char* help, const char* labels, Measure value);

  // A family of the type histogram. `count` has a number per bucket, not cumulated, the last one beyond all bounds; bounds and sum are in seconds.
  void Histogram(const char* name, const char* help, const int64* count, const double* bound, int bounds, double sum);

  // Everything, as a text.
  Datum Text();

 private:
  struct Part {
    const char* name;
    MetricType type;
    const char* help;
    StringInfoData head;  // HELP and TYPE, as soon as there is a sample
    StringInfoData samples;
  };

  void Line(const char* suffix, const char* labels, double value);

  Part* part_;
  int parts_;
  int room_;
};
static_assert(std::is_trivially_destructible_v<Exposition>);

// Appends `name="value"`, after a comma where there is something already.
void AppendLabel(StringInfo labels, const char* name, const char* value);

}  // namespace xtree
