// HilbertKey: where a point lies on a Hilbert curve through a box, so that points which follow each other by it are neighbours.
//
// Skilling: Programming the Hilbert curve, 2004. Pure; of more than kHilbertDimensions only the first count.
#pragma once

#include <algorithm>
#include <cstdint>

namespace xtree {

inline constexpr int kHilbertDimensions = 8;

// `place`: coordinates within the box, as parts of its sides; what lies outside, or is NaN, is moved to its edge.
inline uint64_t HilbertKey(const double* place, int dimensions) {
  const int n = std::min(dimensions, kHilbertDimensions);
  const int bits = std::min(64 / n, 12);
  uint32_t x[kHilbertDimensions];
  for (int d = 0; d < n; ++d) {
    const double part = place[d] > 0 ? std::min(place[d], 1.0) : 0.0;
    x[d] = static_cast<uint32_t>(part * ((1u << bits) - 1));
  }
  for (uint32_t q = 1u << (bits - 1); q > 1; q >>= 1) {
    const uint32_t p = q - 1;
    for (int d = 0; d < n; ++d) {
      const uint32_t t = (x[0] ^ x[d]) & p;
      if (x[d] & q) {
        x[0] ^= p;
      } else {
        x[0] ^= t;
        x[d] ^= t;
      }
    }
  }
  for (int d = 1; d < n; ++d) x[d] ^= x[d - 1];
  uint32_t turn = 0;
  for (uint32_t q = 1u << (bits - 1); q > 1; q >>= 1)
    if (x[n - 1] & q) turn ^= q - 1;
  uint64_t key = 0;
  for (int bit = bits - 1; bit >= 0; --bit)
    for (int d = 0; d < n; ++d) key = key << 1 | (((x[d] ^ turn) >> bit) & 1);
  return key;
}

}  // namespace xtree
