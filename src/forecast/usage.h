// How something is used, by the counts of equal stretches of time: mostly read or written, in bursts, or at the same times again and again.
#pragma once

#include <cstdint>
#include <vector>

namespace xtree {

// A stretch of time: the `number`th since an origin at midnight, in local time, so that what comes daily comes at the same hour in summer too.
struct Stretch {
  int64_t number;
  double reads;
  double writes;
};

enum class UseClass { kUnknown, kIdle, kReadMostly, kWriteMostly, kMixed };
enum class UsePattern { kUnknown, kSteady, kBursty, kPeriodic };
const char* NameOf(UseClass use);        // nullptr: not known
const char* NameOf(UsePattern pattern);  // nullptr: not known

struct Usage {
  UseClass use = UseClass::kUnknown;
  UsePattern pattern = UsePattern::kUnknown;
  int period = 0;            // stretches, of pattern periodic
  std::vector<bool> active;  // which of them are used in a period

  // The next number after `number` at which use is expected to begin, or `number` + 1 where it goes on. REQUIRES: pattern is periodic.
  int64_t NextUse(int64_t number) const;
  // The stretch within a period in which use begins; the first one where it begins at several.
  int BeginsAt() const;
};

inline constexpr int kFewestForUse = 12;      // stretches, for a class
inline constexpr int kFewestForPattern = 24;  // likewise, for a pattern
inline constexpr double kMostly = 10;         // times as much of the one as of the other

// `stretches` in the order of their numbers; some may be missing, when nobody counted. `periods`: lengths that are looked for, the shortest first.
// Of each, three must have been seen.
Usage Classify(const std::vector<Stretch>& stretches, const std::vector<int>& periods);

}  // namespace xtree
