// What steps of bounds lose by rounding, and how operators compute. For vector_query.cpp and vector_bound.cpp.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>

#include "core/cluster/vector_code.h"

namespace xtree {

inline constexpr double kInfiniteBound = std::numeric_limits<double>::infinity();
inline constexpr double kLargestFloat = std::numeric_limits<float>::max();

// Of a float that was rounded to the nearest, with what its double had lost; absolute below the smallest normal one.
inline constexpr double kFloatRounding = 6.1e-8;
inline constexpr double kFloatUnderflow = 1.5e-45;
// Of sums of up to 2,000 doubles and the steps that follow, relative to the largest of them.
inline constexpr double kDoubleRounding = 1e-12;
// The same of single steps.
inline constexpr double kStepRounding = 4e-15;
// Of queries beyond nothing is said: products of lengths are still within a double. Of directions of smaller ones neither: squares lose digits.
inline constexpr double kLargestLength = 1e100;
inline constexpr double kSmallestLength = 1e-140;
inline constexpr double kLostSquares = 1e-155;

inline VectorCodeHead CodeHead(const uint8_t* code) {
  VectorCodeHead head;
  memcpy(&head, code, sizeof(head));
  return head;
}

// A length that was rounded to a float.
inline double NotAbove(float length) { return length <= kLargestFloat ? length * (1 - kFloatRounding) - kFloatUnderflow : kLargestFloat; }
inline double NotBelow(float length) { return length * (1 + kFloatRounding) + kFloatUnderflow; }

// cos(a - f) for angles between 0 and pi; 1 where a < f. Grows with cos_a, and with f.
inline double CosineOfDifference(double cos_a, double cos_f, double square_of_sin_f) {
  if (!(cos_a < cos_f - kDoubleRounding)) return 1;
  const double c = cos_a > -1 ? cos_a : -1;
  const double cosine = c * cos_f + std::sqrt((1 - c) * (1 + c) * square_of_sin_f) + kDoubleRounding;
  return cosine < 1 ? cosine : 1;
}

}  // namespace xtree
