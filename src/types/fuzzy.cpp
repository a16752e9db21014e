// Exact ends of the runs in which core's geometric comparisons hold; see fuzzy.h.
//
// Used by the geometric operator classes only. Pure computation: no locks, no allocation, no error.
#include "types/fuzzy.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace xtree {
namespace {

// The expressions below are core's own (geo_decls.h); compiled without contraction they round as core's do.
bool Reaches(int64 ordinal, double b) { return FPge(xtree_float8_from_ordinal(ordinal), b); }

bool IsNear(int64 ordinal, double b) { return FPeq(xtree_float8_from_ordinal(ordinal), b); }

// The least ordinal in (below, above] that satisfies a test which fails at `below`, holds at `above` and changes once
// in between.
template <typename Test>
int64 FirstIn(int64 below, int64 above, Test test) {
  while (below + 1 < above) {
    const int64 middle = std::midpoint(below, above);
    if (test(middle)) {
      above = middle;
    } else {
      below = middle;
    }
  }
  return above;
}

// An ordinal whose coordinate is so far below b that neither Reaches nor IsNear holds, however the additions round:
// where the spacing of doubles at b exceeds 2 EPSILON the next lower double does, elsewhere 4 EPSILON are more than
// tolerance and rounding together.
int64 FarBelow(double b) { return FirstAtLeast(b - 4 * EPSILON) - 1; }

int64 FirstNear(double b) {
  if (std::isinf(b)) return xtree_ordinal_from_float8(b);
  return FirstIn(FarBelow(b), FirstAtLeast(b), [b](int64 o) { return IsNear(o, b); });
}

// |a - b| is the same for a pair mirrored at zero.
int64 LastNear(double b) { return LastAtMost(-xtree_float8_from_ordinal(FirstNear(-b))); }

// The least ordinal whose distance from a finite center, rounded, is at most a radius >= 0.
int64 FirstWithin(double center, double radius) {
  const int64 below = xtree_ordinal_from_float8(-std::numeric_limits<double>::infinity());
  return FirstIn(below, FirstAtLeast(center), [=](int64 o) { return std::fabs(xtree_float8_from_ordinal(o) - center) <= radius; });
}

}  // namespace

int64 FirstReaching(double b) {
  if (std::isinf(b)) return xtree_ordinal_from_float8(b);
  return FirstIn(FarBelow(b), FirstAtLeast(b), [b](int64 o) { return Reaches(o, b); });
}

void Coordinate::Narrow(int64 min, int64 max) {
  *min_ = std::max(*min_, min);
  *max_ = std::min(*max_, max);
}

// Sets the empty interval for a NaN.
bool Coordinate::NeverFor(double q) {
  if (!std::isnan(q)) return false;
  Narrow(PG_INT64_MAX, PG_INT64_MIN);
  return true;
}

void Coordinate::FuzzyLess(double q) {
  if (NeverFor(q)) return;
  const int64 first = FirstReaching(q);
  Narrow(PG_INT64_MIN, first - 1);
}

void Coordinate::FuzzyAtMost(double q) {
  if (!NeverFor(q)) Narrow(PG_INT64_MIN, LastAtMost(q + EPSILON));
}

void Coordinate::FuzzyGreater(double q) {
  if (!NeverFor(q)) Narrow(LastAtMost(q + EPSILON) + 1, kInfinityOrdinal);
}

void Coordinate::FuzzyAtLeast(double q) {
  if (!NeverFor(q)) Narrow(FirstReaching(q), kInfinityOrdinal);
}

void Coordinate::FuzzyEqual(double q) { FuzzyBetween(q, q); }

void Coordinate::FuzzyBetween(double low, double high) {
  if (!NeverFor(low) && !NeverFor(high)) Narrow(FirstNear(low), LastNear(high));
}

void Coordinate::Less(double q) {
  if (!NeverFor(q)) Narrow(PG_INT64_MIN, FirstAtLeast(q) - 1);
}

void Coordinate::Greater(double q) {
  if (!NeverFor(q)) Narrow(LastAtMost(q) + 1, kInfinityOrdinal);
}

void Coordinate::AtMost(double q) {
  if (!NeverFor(q)) Narrow(PG_INT64_MIN, LastAtMost(q));
}

void Coordinate::AtLeast(double q) {
  if (!NeverFor(q)) Narrow(FirstAtLeast(q), kInfinityOrdinal);
}

void Coordinate::Same(double q) {
  if (std::isnan(q)) {
    Narrow(kNanOrdinal, kNanOrdinal);
  } else {
    Narrow(FirstAtLeast(q), LastAtMost(q));
  }
}

void Coordinate::Within(double center, double radius) {
  if (std::isfinite(center) && radius >= 0) {
    Narrow(FirstWithin(center, radius), LastAtMost(-xtree_float8_from_ordinal(FirstWithin(-center, radius))));
  } else {
    Narrow(PG_INT64_MAX, PG_INT64_MIN);
  }
}

}  // namespace xtree
