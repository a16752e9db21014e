// Four doubles side by side, in a type that compilers make the best of on every processor: the same operations in the same order everywhere.
//
// Passed by address only, since how such a type is passed depends on the instruction set.
#pragma once

#include <cstdint>
#include <cstring>

namespace xtree {

using Four = double __attribute__((vector_size(32)));
using FourBits = int64_t __attribute__((vector_size(32)));

inline void LoadFour(const double* from, Four* to) { memcpy(to, from, sizeof(*to)); }
inline void LoadFour(const float* from, Four* to) { *to = Four{from[0], from[1], from[2], from[3]}; }
inline void LoadFour(const int8_t* from, Four* to) {
  *to = Four{static_cast<double>(from[0]), static_cast<double>(from[1]), static_cast<double>(from[2]), static_cast<double>(from[3])};
}

inline double SumOf(const Four& four) { return (four[0] + four[1]) + (four[2] + four[3]); }

inline constexpr int64_t kAllButSign = INT64_MAX;
inline void AbsoluteOf(const Four& four, Four* to) {
  const FourBits mask = {kAllButSign, kAllButSign, kAllButSign, kAllButSign};
  *to = (Four)((FourBits)four & mask);
}

// Added to a number below 2^51, it leaves no digit for a fraction, so the sum is rounded to a whole number (halves to the even one), whose bits are
// the lowest of the sum.
inline constexpr double kRoundingMagic = 6755399441055744.0;  // 1.5 * 2^52

}  // namespace xtree
