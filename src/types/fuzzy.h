// Geometric comparisons as intervals of ordinals, exact to the last bit.
//
// Core's geometric operators compare with a tolerance, in double arithmetic: FPlt(a, b) is a + EPSILON < b. For a fixed
// b each of them holds for one run of coordinates a, because rounding is monotone; Coordinate finds the run's exact
// ends, so nothing needs a recheck. Used by the geometric operator classes only. Pure computation: no locks, no
// allocation, no error.
#pragma once

#include <cmath>

#include "pg/postgres_api.h"

extern "C" {
#include "utils/geo_decls.h"
}

#include "xtree.h"

namespace xtree {

inline constexpr int64 kInfinityOrdinal = INT64CONST(0x7FF0000000000000);
inline constexpr int64 kNanOrdinal = PG_INT64_MAX;

// Ends of intervals for a number t (not NaN); the two zeros are one number.
inline int64 LastAtMost(double t) { return xtree_ordinal_from_float8(t == 0 ? 0.0 : t); }
inline int64 FirstAtLeast(double t) { return xtree_ordinal_from_float8(t == 0 ? -0.0 : t); }

// The ordinal of the least coordinate a with a + EPSILON >= b. b is not NaN.
int64 FirstReaching(double b);

// The interval for one coordinate of the indexed value, narrowed by what is required of it. A coordinate that is NaN
// meets none of the comparisons with numbers; a NaN on the other side fails them all.
class Coordinate {
 public:
  Coordinate(int64* min, int64* max) : min_(min), max_(max) {}

  // With EPSILON, as core's FPlt ... FPeq(coordinate, q).
  void FuzzyLess(double q);
  void FuzzyAtMost(double q);
  void FuzzyGreater(double q);
  void FuzzyAtLeast(double q);
  void FuzzyEqual(double q);
  void FuzzyBetween(double low, double high);  // FuzzyEqual to one of them, or anything between

  // Without.
  void Less(double q);
  void AtMost(double q);
  void Greater(double q);
  void AtLeast(double q);
  void Same(double q);                        // float8_eq: NaN is the same as NaN
  void Within(double center, double radius);  // |coordinate - center| <= radius, the difference rounded to double

  bool Empty() const { return *min_ > *max_; }

 private:
  void Narrow(int64 min, int64 max);
  bool NeverFor(double q);

  int64* min_;
  int64* max_;
};

}  // namespace xtree
