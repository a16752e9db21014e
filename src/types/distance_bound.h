// Pieces of lower bounds of distances, which ordered scans ask for every entry that they see.
//
// Pure computation. Without calls of the C library: std::fmax and std::hypot were half of a scan's time.
#pragma once

#include <cmath>

namespace xtree {

// The greater number; `b` where either is NaN.
inline double Greater(double a, double b) { return a > b ? a : b; }

// How far [low, high] is from [from_low, from_high]; what is NaN does not count.
inline double Gap(double from_low, double from_high, double low, double high) {
  return Greater(from_low - high, Greater(low - from_high, 0));
}

// sqrt(a * a + b * b) up to a relative error of 1e-15, also where the squares leave the range of doubles.
inline double Hypotenuse(double a, double b) {
  const double square = a * a + b * b;
  return square > 1e-280 && square < 1e300 ? std::sqrt(square) : std::hypot(a, b);
}

// The greatest coordinates of both: rounding errors of a distance grow with them.
inline double Size(double from_low, double from_high, double low, double high) {
  return Greater(std::fabs(low), std::fabs(high)) + Greater(std::fabs(from_low), std::fabs(from_high));
}

}  // namespace xtree
