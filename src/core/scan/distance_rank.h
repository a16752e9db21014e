// Distances as integers that sort, and bounds that are safe to compare with exact distances. Pure functions.
#pragma once

#include "page/ordinal.h"

namespace xtree {

// Numbers < +inf < NaN < NULL < kNoDistance.
using DistanceRank = int64_t;
inline constexpr DistanceRank kNoDistance = INT64_MAX;
inline constexpr DistanceRank kNullDistance = INT64_MAX - 1;
inline constexpr DistanceRank kNanDistance = INT64_MAX - 2;

inline DistanceRank RankFromDistance(double distance) {
  return std::isnan(distance) ? kNanDistance : OrdinalFromDouble(distance + 0.0);  // -0 is 0
}

// NaN for kNanDistance and above.
inline double DistanceFromRank(DistanceRank rank) {
  return rank >= kNanDistance ? std::numeric_limits<double>::quiet_NaN() : DoubleFromOrdinal(rank);
}

// A lower bound that is no number says nothing.
inline DistanceRank RankFromBound(double bound) {
  return RankFromDistance(std::isnan(bound) ? -std::numeric_limits<double>::infinity() : bound);
}

// A distance that no exact distance is below whose square is at least `square`, give or take the rounding of up to
// kMaxDimensions additions on either side (1e-14 of the value). A square above the largest number may stand for any
// distance above that number's root, and one near the smallest number has lost its precision.
inline double BoundFromSquare(double square) {
  constexpr double kMargin = 1 - 1e-13;
  constexpr double kPrecise = 1e-290;
  if (!(square <= std::numeric_limits<double>::max())) return std::sqrt(std::numeric_limits<double>::max()) * kMargin;
  return square >= kPrecise ? std::sqrt(square) * kMargin : 0;
}

}  // namespace xtree
