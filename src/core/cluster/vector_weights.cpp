// vector_weights.h
#include "core/cluster/vector_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/cluster/four.h"
#include "core/cluster/vector_kernels.h"

namespace xtree {
namespace {

constexpr double kLargestWeight = 32766;  // and a half that rounding may add
constexpr double kLeastWeight = 1e-280;   // below, products of a factor would lose digits

}  // namespace

double MakeWeights(const double* value, const float* scale, int dimensions, int16_t* weights) {
  memset(weights, 0, KernelSlots(dimensions) * sizeof(int16_t));
  // In fours, and with what they leave: the same sum everywhere.
  Four most = {}, sums = {};
  int d = 0;
  for (; d + 4 <= dimensions; d += 4) {
    Four v, s, size;
    LoadFour(value + d, &v);
    LoadFour(scale + d, &s);
    v *= s;
    AbsoluteOf(v, &size);
    most = size > most ? size : most;
    sums += size;
  }
  double largest = std::max({most[0], most[1], most[2], most[3]});
  double sum = SumOf(sums);
  for (; d < dimensions; ++d) {
    const double size = std::fabs(value[d] * static_cast<double>(scale[d]));
    largest = std::max(largest, size);
    sum += size;
  }
  if (!(largest > kLeastWeight)) return 0;
  // Rounding adds at most 1/2 to each weight; the sum's own error is far below what that leaves.
  const double factor = std::max(largest / kLargestWeight, sum / (kLargestWeightSum - dimensions));
  const double inverse = 1 / factor;
  const int whole = WholeBlocks(dimensions) * kKernelBlock;
  for (d = 0; d < whole; d += 4) {
    Four v, s;
    LoadFour(value + d, &v);
    LoadFour(scale + d, &s);
    const FourBits bits = (FourBits)(v * s * inverse + kRoundingMagic);
    for (int i = 0; i < 4; ++i) weights[d + i] = static_cast<int16_t>(bits[i]);
  }
  for (; d < dimensions; ++d) {
    weights[KernelSlot(d, dimensions)] = static_cast<int16_t>(RoundToWhole(value[d] * static_cast<double>(scale[d]) * inverse));
  }
  return factor;
}

// What a weight loses is bounded together with the code's length, in which each dimension counts by its scale; but with a dimension of small scale
// that can be worse than to assume its largest k. And length <= (square / typical + typical) / 2, which is close where the length is about typical.
SquareError RoundingOfWeights(const double* value, const float* scale, int dimensions, const int16_t* weights, double factor) {
  const auto lost = [&](int d) {
    return std::fabs(value[d] * static_cast<double>(scale[d]) - factor * weights[KernelSlot(d, dimensions)]);
  };
  double squares = 0;
  double typical_square = 0;  // if coordinates are a third of the largest
  double length = 0;
  for (int d = 0; d < dimensions; ++d) {
    const double s = scale[d];
    const double by_scale = lost(d) / s;
    squares += by_scale * by_scale;
    typical_square += 40 * s * 40 * s;
    length += value[d] * value[d];
  }
  const double typical = std::sqrt(typical_square);
  const double worth = squares > 0 ? typical / (2 * std::sqrt(squares)) : 0;
  double relative = 0;
  double absolute = 0;
  for (int d = 0; d < dimensions; ++d) {
    const double by_scale = lost(d) / scale[d];
    const double square = by_scale * by_scale;
    const double at_most = lost(d) * -kLowestCoordinate;
    if (at_most < square * worth) {
      absolute += at_most;
    } else {
      relative += square;
    }
  }
  // With the rounding of these sums, and squares too small for a double.
  const double by_length = std::sqrt(relative) * (1 + 1e-12) + std::sqrt(length) * 1e-12 + 1e-150;
  const double of_square = by_length / (2 * typical) * (1 + 1e-6);
  return {absolute * (1 + 1e-12) + by_length * typical / 2 * (1 + 1e-6) + of_square * 1.5e-45, of_square};
}

}  // namespace xtree
