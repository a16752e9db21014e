// Where an axis has its ticks, and what they say. Pure functions.
#pragma once

#include <string>
#include <vector>

namespace xtree {

// What the numbers of a dimension mean.
enum class AxisUnit {
  kShare,         // nothing that can be read: ticks are shares of the axis
  kNumber,        // themselves
  kDays,          // since 2000-01-01
  kMicroseconds,  // since 2000-01-01 00:00:00
  kTimeOfDay,     // microseconds since midnight
};

struct AxisTick {
  double at;
  std::string label;
};

// At most so many ticks within [lo, hi], at round values. REQUIRES: finite, lo < hi, most >= 2.
std::vector<AxisTick> TicksOf(AxisUnit unit, double lo, double hi, int most);

}  // namespace xtree
