// A query prepared for a model, and what clusters say of it: VectorQuery of vector_code.h.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/cluster/vector_code.h"
#include "core/cluster/vector_kernels.h"
#include "core/cluster/vector_rounding.h"

namespace xtree {
namespace {

// What operators compute in (VectorQuery()): where a sum of terms may overflow, and terms that may vanish.
constexpr double kFloatOperator = 1e-10;
constexpr double kFloatOverflow = 3.3e38;
constexpr double kFloatTerm = 1.2e-38;
constexpr double kDoubleOverflow = 1.7e308;
constexpr double kDoubleTerm = 2.3e-308;

constexpr size_t kAlignment = 64;
size_t Aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

template <typename Left, typename Right>
double DotOf(const Left* left, const Right* right, int dimensions) {
  double sum = 0;
  for (int d = 0; d < dimensions; ++d) sum += static_cast<double>(left[d]) * static_cast<double>(right[d]);
  return sum;
}

}  // namespace

static_assert(std::is_trivially_destructible_v<VectorQuery>);

size_t VectorQuery::QueryBytes(int dimensions) {
  const auto slots = static_cast<size_t>(KernelSlots(dimensions));
  return 2 * Aligned(slots * sizeof(int16_t)) + 2 * Aligned(slots * sizeof(float));
}

VectorQuery::Sum VectorQuery::MakeSum(const double* value, void* weights, SquareError* error) const {
  auto* at = static_cast<int16_t*>(weights);
  const double factor = MakeWeights(value, model_.scale(), model_.dimensions(), at);
  *error = RoundingOfWeights(value, model_.scale(), model_.dimensions(), at, factor);
  return {at, factor};
}

VectorQuery::VectorQuery(const VectorModel& model, VectorMetric metric, const double* query, double rounding, void* memory)
    : model_(model), metric_(metric), rounding_(rounding + kStepRounding), kernels_(&ActiveVectorKernels()) {
  const int dimensions = model.dimensions();
  const bool in_float = rounding > kFloatOperator;
  underflow_ = dimensions * (in_float ? kFloatTerm : kDoubleTerm);
  overflow_ = in_float ? kFloatOverflow : kDoubleOverflow;
  distance_underflow_ = std::sqrt(underflow_);
  length_ = std::sqrt(DotOf(query, query, dimensions)) * (1 + kDoubleRounding) + kLostSquares;
  usable_ = length_ < kLargestLength;  // so not of a NaN
  if (metric == VectorMetric::kCosine && length_ < kSmallestLength) usable_ = false;
  if (!usable_) return;

  double value[kMaxVectorDimensions];
  for (int d = 0; d < dimensions; ++d) value[d] = Directed() ? query[d] : query[d] - static_cast<double>(model.center()[d]);
  auto* const second = static_cast<uint8_t*>(memory) + Aligned(static_cast<size_t>(KernelSlots(dimensions)) * sizeof(int16_t));
  SquareError lost;
  to_query_ = MakeSum(value, memory, &lost);
  if (Directed()) {
    center_product_ = DotOf(query, model.center(), dimensions);
    center_square_ = DotOf(model.center(), model.center(), dimensions);
    product_error_ = {lost.base + length_ * std::sqrt(center_square_) * kDoubleRounding, lost.of_square};
    for (int d = 0; d < dimensions; ++d) value[d] = model.center()[d];
    to_center_ = MakeSum(value, second, &lost);
  } else {
    offset_square_ = DotOf(value, value, dimensions);
    offset_error_ = std::sqrt(offset_square_) * kStepRounding;
    if (metric == VectorMetric::kTaxicab) PrepareTaxicab(value, second);
  }
  // Of the square of the distance from the query (Euclidean, taxicab), or of the code's own length.
  square_error_ = {2 * lost.base + kFloatUnderflow + (Directed() ? center_square_ : offset_square_) * kDoubleRounding,
                   2 * lost.of_square + kFloatRounding + kDoubleRounding};
}

void VectorQuery::PrepareTaxicab(const double* offset, uint8_t* memory) {
  constexpr double kUnit = 6e-8;  // of a float's rounding, a little more
  const int dimensions = model_.dimensions();
  const auto slots = static_cast<size_t>(KernelSlots(dimensions));
  double largest = 0;
  for (int d = 0; d < dimensions; ++d) {
    largest = std::max({largest, std::fabs(offset[d]), static_cast<double>(model_.scale()[d]) * -kLowestCoordinate});
  }
  int exponent;
  std::frexp(largest, &exponent);
  unit_ = std::ldexp(1.0, exponent);
  auto* places = reinterpret_cast<float*>(memory);
  auto* scales = reinterpret_cast<float*>(memory + Aligned(slots * sizeof(float)));
  std::fill(places, places + slots, 0.0f);
  std::fill(scales, scales + slots, 0.0f);
  double sum = 0;
  for (int d = 0; d < dimensions; ++d) {
    const int slot = KernelSlot(d, dimensions);
    places[slot] = static_cast<float>(offset[d] / unit_);
    scales[slot] = static_cast<float>(model_.scale()[d] / unit_);
    sum += std::fabs(offset[d] / unit_);
  }
  places_ = places;
  scales_ = scales;
  // Each term loses by its place and scale, the product, the difference; |k scale| <= |place| + |difference|. Then the sums.
  places_error_ = 3 * kUnit * sum + 1e-40;
  taxicab_factor_ = 1 - kUnit * (dimensions / kTaxicabSums + 12);
  offset_error_ *= std::sqrt(dimensions);
}

void VectorQuery::RankClusters(double* distances) {
  ranks_ = distances;
  for (int c = 0; c < model_.clusters(); ++c) {
    const uint8_t* code = model_.centroid(c);
    const VectorCodeHead head = CodeHead(code);
    double* rank = distances + 2 * static_cast<ptrdiff_t>(c);
    rank[0] = rank[1] = 0;
    if (!usable_) continue;
    if (!Directed()) {
      const Square square = SquareTo(head, kernels_->dot(to_query_.weights, code, model_.dimensions()));
      rank[0] = std::sqrt(std::max(0.0, square.value - square.error));
      rank[1] = std::sqrt(std::max(0.0, square.value + square.error));
      continue;
    }
    const Angle angle = AngleTo(head, SumsOf(code), 1);
    if (metric_ == VectorMetric::kInnerProduct) {
      rank[0] = -angle.product;
      rank[1] = angle.length_high;
    } else {
      rank[0] = angle.length_low > 0 ? 1 - angle.cosine : 1;
      rank[1] = angle.length_low;
    }
  }
}

double VectorQuery::ClusterRank(int cluster) const { return ranks_[2 * static_cast<ptrdiff_t>(cluster)]; }

double VectorQuery::ClusterBound(int cluster, double near, double far) const {
  if (!usable_) return -kInfiniteBound;
  const double rank = ranks_[2 * static_cast<ptrdiff_t>(cluster)];
  const double length = ranks_[2 * static_cast<ptrdiff_t>(cluster) + 1];
  const double nearest = NotAbove(static_cast<float>(near));
  const double farthest = NotBelow(static_cast<float>(far)) * (1 + kStepRounding);
  switch (metric_) {
    case VectorMetric::kEuclid:
    case VectorMetric::kTaxicab: {  // which is not less
      const double beyond = rank - farthest, within = nearest * (1 - kStepRounding) - length;
      return DistanceBound(std::max(beyond, within) - offset_error_ - length * kStepRounding, 0);
    }
    case VectorMetric::kInnerProduct: {
      const double product = length_ * (length + farthest);
      if (!(product < overflow_)) return -kInfiniteBound;
      return rank - length_ * farthest - product * rounding_ - underflow_;
    }
    case VectorMetric::kCosine: {
      if (!(farthest < length)) return 0;
      const double sine = farthest / length;
      const double cosine = CosineOfDifference(1 - rank, std::sqrt((1 - sine) * (1 + sine)), sine * sine);
      return CosineBound(cosine, length - farthest, 2 * length + farthest);
    }
  }
  return -kInfiniteBound;
}

}  // namespace xtree
