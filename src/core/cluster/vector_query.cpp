// Lower bounds by codes: VectorQuery of vector_code.h.
//
// With x = center + y, and y = k scale + e, |e| <= rest:
// - |q - x| >= |(q - center) - k scale| - rest; and >= | |x| - |q| |, which is what is left where an outlier's `rest` is as large as itself.
// - q . x = |q| |x| cos(q, x), where |x| is known and e is not large: x lies in a cone around X = center + k scale, whose angle f follows from
//   |x - X|^2 = |x|^2 + |X|^2 - 2 |x| |X| cos(x, X) <= rest^2. So cos(q, x) <= cos(a - f), with a the angle between q and X. That is tighter than
//   |q| rest by about the sine of a.
// Every step is in doubles, rounded to the safe side by terms that are named here.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/cluster/vector_code.h"
#include "core/cluster/vector_kernels.h"

namespace xtree {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLargestFloat = std::numeric_limits<float>::max();

// Of a float that was rounded to the nearest, with what its double had lost; absolute below the smallest normal one.
constexpr double kFloatRounding = 6.1e-8;
constexpr double kFloatUnderflow = 1.5e-45;
// Of sums of up to 2,000 doubles and the steps that follow, relative to the largest of them.
constexpr double kDoubleRounding = 1e-12;
// The same of single steps.
constexpr double kStepRounding = 4e-15;
// Queries beyond are not worth the care: nothing is said of them. Below, squares lose digits.
constexpr double kLargestLength = 1e150;
constexpr double kSmallestLength = 1e-140;
constexpr double kLostSquares = 1e-155;

constexpr double kFloatOperator = 1e-10;  // VectorQuery()
constexpr double kFloatTerm = 1.2e-38;    // smaller ones may vanish
constexpr double kDoubleTerm = 2.3e-308;

constexpr size_t kAlignment = 64;
size_t Aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

VectorCodeHead HeadOf(const uint8_t* code) {
  VectorCodeHead head;
  memcpy(&head, code, sizeof(head));
  return head;
}

// Lengths of vectors by the heads of their codes.
double NormNotAbove(float norm) { return norm <= kLargestFloat ? norm * (1 - kFloatRounding) - kFloatUnderflow : kLargestFloat; }
double NormNotBelow(float norm) { return norm * (1 + kFloatRounding) + kFloatUnderflow; }
// sqrt(sum (k scale)^2)
double LengthNotBelow(float square) { return std::sqrt(static_cast<double>(square)) * (1 + kFloatRounding) + 4e-23; }

double DotOf(const double* a, const float* b, int dimensions) {
  double sum = 0;
  for (int d = 0; d < dimensions; ++d) sum += a[d] * static_cast<double>(b[d]);
  return sum;
}

// cos(a - f) for angles between 0 and pi, by their cosines and the sine of f; 1 where a < f. Grows with cos_a, and with f.
double CosineOfDifference(double cos_a, double cos_f, double sin_f) {
  if (!(cos_a < cos_f - kDoubleRounding)) return 1;
  const double c = cos_a > -1 ? cos_a : -1;
  const double cosine = c * cos_f + std::sqrt((1 - c) * (1 + c)) * sin_f + kDoubleRounding;
  return cosine < 1 ? cosine : 1;
}

}  // namespace

size_t VectorQuery::QueryBytes(int dimensions) {
  const auto slots = static_cast<size_t>(KernelSlots(dimensions));
  return 2 * Aligned(slots * sizeof(int16_t)) + 2 * Aligned(slots * sizeof(float));
}

VectorQuery::Sum VectorQuery::MakeSum(const double* value, uint8_t** memory) const {
  auto* weights = reinterpret_cast<int16_t*>(*memory);
  const int dimensions = model_->dimensions();
  *memory += Aligned(static_cast<size_t>(KernelSlots(dimensions)) * sizeof(int16_t));
  Sum sum;
  sum.weights = weights;
  sum.factor = MakeWeights(value, model_->scale(), dimensions, weights);
  sum.rounding = RoundingOfWeights(value, model_->scale(), dimensions, weights, sum.factor);
  return sum;
}

VectorQuery::VectorQuery(const VectorModel& model, VectorMetric metric, const double* query, double rounding, void* memory)
    : model_(&model), metric_(metric), rounding_(rounding + kStepRounding), kernels_(&ActiveVectorKernels()) {
  const int dimensions = model.dimensions();
  const bool in_float = rounding > kFloatOperator;
  underflow_ = dimensions * (in_float ? kFloatTerm : kDoubleTerm);
  overflow_ = in_float ? 3.3e38 : 1.7e308;
  double square = 0;
  for (int d = 0; d < dimensions; ++d) square += query[d] * query[d];
  length_ = std::sqrt(square) * (1 + kDoubleRounding) + kLostSquares;
  usable_ = length_ < kLargestLength;  // so not of a NaN
  if (metric == VectorMetric::kCosine && length_ < kSmallestLength) usable_ = false;
  if (!usable_) return;

  double value[kMaxVectorDimensions];
  auto* at = static_cast<uint8_t*>(memory);
  for (int d = 0; d < dimensions; ++d) value[d] = Directed() ? query[d] : query[d] - static_cast<double>(model.center()[d]);
  to_query_ = MakeSum(value, &at);
  if (Directed()) {
    center_product_ = DotOf(query, model.center(), dimensions);
    for (int d = 0; d < dimensions; ++d) value[d] = model.center()[d];
    to_center_ = MakeSum(value, &at);
    center_square_ = DotOf(value, model.center(), dimensions);
    return;
  }
  for (int d = 0; d < dimensions; ++d) offset_square_ += value[d] * value[d];
  offset_ = std::sqrt(offset_square_);
  if (metric == VectorMetric::kTaxicab) PrepareTaxicab(value, at);
}

void VectorQuery::PrepareTaxicab(const double* offset, uint8_t* memory) {
  const int dimensions = model_->dimensions();
  const auto slots = static_cast<size_t>(KernelSlots(dimensions));
  double largest = 0;
  for (int d = 0; d < dimensions; ++d) {
    largest = std::max({largest, std::fabs(offset[d]), static_cast<double>(model_->scale()[d]) * -kLowestCoordinate});
  }
  int exponent;
  std::frexp(largest, &exponent);
  unit_ = std::ldexp(1.0, exponent);
  auto* places = reinterpret_cast<float*>(memory);
  auto* scales = reinterpret_cast<float*>(memory + Aligned(slots * sizeof(float)));
  std::fill(places, places + slots, 0.0f);
  std::fill(scales, scales + slots, 0.0f);
  for (int d = 0; d < dimensions; ++d) {
    const int slot = KernelSlot(d, dimensions);
    places[slot] = static_cast<float>(offset[d] / unit_);
    scales[slot] = static_cast<float>(model_->scale()[d] / unit_);
    places_sum_ += std::fabs(offset[d] / unit_);
  }
  places_ = places;
  scales_ = scales;
}

// Of one that the operator has computed, from one that is not above the true distance. `norm` of the vector: the other bound.
double VectorQuery::DistanceBound(double distance, float norm) const {
  const double by_norm = NormNotAbove(norm) - length_;
  const double least = distance > by_norm ? distance : by_norm;
  const double bound = least * (1 - rounding_) - std::sqrt(underflow_);
  return bound > 0 ? bound : 0;
}

VectorQuery::Square VectorQuery::SquareTo(const VectorCodeHead& head, const uint8_t* code) const {
  const double dot = to_query_.factor * kernels_->dot(to_query_.weights, code, model_->dimensions());
  const double square = head.square;
  return {offset_square_ - 2 * dot + square, 2 * (to_query_.rounding.relative * LengthNotBelow(head.square) + to_query_.rounding.absolute) +
                                                 square * kFloatRounding + kFloatUnderflow + (offset_square_ + square) * kDoubleRounding};
}

double VectorQuery::EuclidBound(const VectorCodeHead& head, const uint8_t* code) const {
  const Square square = SquareTo(head, code);
  const double least = square.value - square.error;
  return (least > 0 ? std::sqrt(least) : 0) - head.rest - offset_ * kStepRounding;
}

double VectorQuery::TaxicabBound(const VectorCodeHead& head, const uint8_t* code) const {
  constexpr double kUnit = 6e-8;  // of a float's rounding, a little more
  const int dimensions = model_->dimensions();
  const double sum = kernels_->taxicab(places_, scales_, code, dimensions);
  // Each term: its place and scale, the product, the difference. |k scale| <= |place| + |difference|. Then the sums.
  const double error = kUnit * (3 * places_sum_ + (dimensions / kTaxicabSums + 12) * sum) + 1e-40;
  return (sum - error) * unit_ * (1 - kDoubleRounding) - head.taxi_rest - offset_ * std::sqrt(dimensions) * kStepRounding;
}

VectorQuery::Angle VectorQuery::AngleTo(const VectorCodeHead& head, const uint8_t* code) const {
  int32_t dots[2];
  kernels_->dot_pair(to_query_.weights, to_center_.weights, code, model_->dimensions(), dots);
  const double square = head.square;
  const double length = LengthNotBelow(head.square);
  const double x_square = center_square_ + 2 * to_center_.factor * dots[1] + square;
  const double x_error = 2 * (to_center_.rounding.relative * length + to_center_.rounding.absolute) + square * kFloatRounding +
                         kFloatUnderflow + (center_square_ + square) * kDoubleRounding;
  Angle angle;
  angle.product = center_product_ + to_query_.factor * dots[0] + to_query_.rounding.relative * length + to_query_.rounding.absolute +
                  length_ * (std::sqrt(center_square_) + length) * kDoubleRounding;
  if (!(x_square > 4 * x_error)) {
    angle.length_high = std::sqrt(std::max(0.0, x_square + x_error));
    return angle;
  }
  const double x = std::sqrt(x_square);
  angle.length_low = x - x_error / x;
  angle.length_high = x + x_error / x;
  angle.cosine = angle.product / (length_ * (angle.product > 0 ? angle.length_low : angle.length_high));
  angle.cosine += (std::fabs(angle.cosine) + 1) * kDoubleRounding;
  return angle;
}

// cos(q, x), not less.
double VectorQuery::GreatestCosine(const VectorCodeHead& head, const uint8_t* code) const {
  const double low = NormNotAbove(head.norm), high = NormNotBelow(head.norm);
  if (!(length_ > kSmallestLength && low > 0 && head.rest < kInfinity && high < kInfinity)) return 1;
  const Angle angle = AngleTo(head, code);
  if (!(angle.length_low > 0)) {
    // Next to 0 no direction is known.
    const double product = angle.product + length_ * head.rest * (1 + kDoubleRounding);
    const double cosine = product / (length_ * (product > 0 ? low : high));
    return cosine < 1 - kDoubleRounding ? cosine + (std::fabs(cosine) + 1) * kDoubleRounding : 1;
  }
  const double gap = std::max(low - angle.length_high, angle.length_low - high);
  const double rest = head.rest;
  const double open = rest * rest * (1 + kStepRounding) - (gap > 0 ? gap * gap * (1 - kStepRounding) : 0);
  const double chord = (open > 0 ? open : 0) / (low * angle.length_low) * (1 + kStepRounding);  // (2 sin(f / 2))^2
  if (!(chord < 4)) return 1;
  return CosineOfDifference(angle.cosine, 1 - chord / 2, std::sqrt(chord * (1 - chord / 4)));
}

double VectorQuery::ProductBound(double cosine, double norm_low, double norm_high) const {
  const double product = length_ * norm_high;
  if (!(product < overflow_)) return -kInfinity;  // a sum that overflows is at -infinity, or NaN
  const double greatest = cosine * (cosine > 0 ? product : length_ * (1 - 2 * kDoubleRounding) * norm_low);
  const double bound = -greatest - product * (rounding_ + kStepRounding) - underflow_;
  return bound == bound ? bound : -kInfinity;
}

// The operator's product and both squares are off by their rounding, relative to |q| |x|, |q|^2 and |x|^2.
double VectorQuery::CosineBound(double cosine, double norm_low, double norm_high) const {
  if (!(norm_low > 0 && norm_high * norm_high < overflow_ && length_ * length_ < overflow_)) return 0;
  const double length = length_ * (1 - 2 * kDoubleRounding);
  const double squares = 2 * rounding_ + underflow_ / (length * length) + underflow_ / (norm_low * norm_low);
  const double products = rounding_ + underflow_ / length / norm_low;
  if (!(squares < 0.1 && products < 0.1)) return 0;
  const double bound = 1 - cosine - 1.1 * squares - 1.25 * products;
  return bound > 0 ? bound : 0;
}

double VectorQuery::LowerBound(const uint8_t* code) const {
  const VectorCodeHead head = HeadOf(code);
  if (!usable_) return -kInfinity;
  const bool finite = head.rest == head.rest;
  switch (metric_) {
    case VectorMetric::kEuclid:
      if (!finite) return kInfinity;
      return DistanceBound(EuclidBound(head, code), head.norm);
    case VectorMetric::kTaxicab:
      if (!finite) return kInfinity;
      return DistanceBound(TaxicabBound(head, code), head.norm);
    case VectorMetric::kInnerProduct:
      if (!finite) return -kInfinity;
      return ProductBound(GreatestCosine(head, code), NormNotAbove(head.norm), NormNotBelow(head.norm));
    case VectorMetric::kCosine:
      if (!finite) return -kInfinity;
      if (head.norm == 0) return kInfinity;
      return CosineBound(GreatestCosine(head, code), NormNotAbove(head.norm), NormNotBelow(head.norm));
  }
  return -kInfinity;
}

void VectorQuery::LowerBounds(const uint8_t* const* codes, int count, double* bounds) const {
  constexpr int kAhead = 2;
  constexpr size_t kLine = 64;
  const size_t bytes = VectorCodeBytes(model_->dimensions());
  for (int i = 0; i < count; ++i) {
    if (i + kAhead < count) {
      for (size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(codes[i + kAhead] + at);
    }
    bounds[i] = LowerBound(codes[i]);
  }
}

void VectorQuery::RankClusters(double* distances) {
  ranks_ = distances;
  for (int c = 0; c < model_->clusters(); ++c) {
    const uint8_t* code = model_->centroid(c);
    double* rank = distances + 2 * static_cast<ptrdiff_t>(c);
    rank[0] = rank[1] = 0;
    if (!usable_) continue;
    if (!Directed()) {
      const Square square = SquareTo(HeadOf(code), code);
      rank[0] = std::sqrt(std::max(0.0, square.value - square.error));
      rank[1] = std::sqrt(std::max(0.0, square.value + square.error));
      continue;
    }
    const Angle angle = AngleTo(HeadOf(code), code);
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
  if (!usable_) return -kInfinity;
  const double rank = ranks_[2 * static_cast<ptrdiff_t>(cluster)];
  const double length = ranks_[2 * static_cast<ptrdiff_t>(cluster) + 1];
  const double nearest = NormNotAbove(static_cast<float>(near));
  const double farthest = NormNotBelow(static_cast<float>(far)) * (1 + kStepRounding);
  switch (metric_) {
    case VectorMetric::kEuclid:
    case VectorMetric::kTaxicab: {  // which is not less
      const double beyond = rank - farthest, within = nearest * (1 - kStepRounding) - length;
      return DistanceBound(std::max(beyond, within) - (offset_ + length) * kStepRounding, 0);
    }
    case VectorMetric::kInnerProduct: {
      const double product = length_ * (length + farthest);
      if (!(product < overflow_)) return -kInfinity;
      return rank - length_ * farthest - product * rounding_ - underflow_;
    }
    case VectorMetric::kCosine: {
      if (!(farthest < length)) return 0;
      const double sine = farthest / length;
      const double cosine = CosineOfDifference(1 - rank, std::sqrt((1 - sine) * (1 + sine)), sine);
      return CosineBound(cosine, length - farthest, 2 * length + farthest);
    }
  }
  return -kInfinity;
}

}  // namespace xtree
