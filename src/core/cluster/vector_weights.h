// Weights of whole numbers that stand for real ones in the sums of codes (vector_kernels.h), and what that loses.
//
// Pure computation, the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace xtree {

// Weights in their slots stand for value[d] * scale[d] / the factor that is returned: sum value[d] * scale[d] * k[d] ~ factor * dot.
// REQUIRES: |value[d]| <= 1e150. Such a factor may be 0, where the values are (next to) nothing.
double MakeWeights(const double* value, const float* scale, int dimensions, int16_t* weights);

// A bound of what is lost, growing with a square.
struct SquareError {
  double base = 0;
  double of_square = 0;
  double At(double square) const { return base + of_square * square; }
};

// |sum value[d] scale[d] k[d] - factor * dot| <= At(sum (k[d] scale[d])^2), for all k in -128..127; of the square also as a float, rounded to the
// nearest. More by a relative 1e-12 of |value| |k scale|, for what is done with it.
SquareError RoundingOfWeights(const double* value, const float* scale, int dimensions, const int16_t* weights, double factor);

// Rounds to the nearest whole number (halves to the even one). REQUIRES: |value| < 2^51
inline double RoundToWhole(double value) {
  constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52: no digit is left for a fraction
  return (value + kMagic) - kMagic;
}

// The least float that is not below; infinity beyond the largest.
inline float FloatNotBelow(double value) {
  float rounded = static_cast<float>(value);
  if (static_cast<double>(rounded) >= value || value != value) return rounded;
  if (rounded == 0) return __FLT_DENORM_MIN__;
  uint32_t bits;
  __builtin_memcpy(&bits, &rounded, sizeof(bits));
  bits = rounded > 0 ? bits + 1 : bits - 1;
  __builtin_memcpy(&rounded, &bits, sizeof(bits));
  return rounded;
}

}  // namespace xtree
