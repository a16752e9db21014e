// Lower bounds by codes: VectorQuery::LowerBound of vector_code.h.
//
// With x = center + y, and y = k scale + e, |e| <= rest:
// - |q - x| >= |(q - center) - k scale| - rest; and >= | |x| - |q| |, which is what is left where an outlier's `rest` is as large as itself.
// - q . x = |q| |x| cos(q, x), where |x| is known and e is not large: x lies in a cone around X = center + k scale, whose angle f follows from
//   |x - X|^2 = |x|^2 + |X|^2 - 2 |x| |X| cos(x, X) <= rest^2. So cos(q, x) <= cos(a - f), with a the angle between q and X. That is tighter than
//   |q| rest by about the sine of a.
// Every step is in doubles, rounded to the safe side by terms that vector_rounding.h names.
#include <algorithm>
#include <cmath>

#include "core/cluster/vector_code.h"
#include "core/cluster/vector_kernels.h"
#include "core/cluster/vector_rounding.h"

namespace xtree {

// Of one that the operator has computed, from one that is not above the true distance. `norm` of the vector: the other bound.
double VectorQuery::DistanceBound(double distance, float norm) const {
  const double by_norm = NotAbove(norm) - length_;
  const double least = distance > by_norm ? distance : by_norm;
  const double bound = least * (1 - rounding_) - distance_underflow_;
  return bound > 0 ? bound : 0;
}

VectorQuery::CodeSums VectorQuery::SumsOf(const uint8_t* code) const {
  CodeSums sums;
  if (Directed()) {
    kernels_->dot_pair(to_query_.weights, to_center_.weights, code, model_.dimensions(), sums.dots);
  } else if (metric_ == VectorMetric::kTaxicab) {
    sums.taxicab = kernels_->taxicab(places_, scales_, code, model_.dimensions());
  } else {
    sums.dots[0] = kernels_->dot(to_query_.weights, code, model_.dimensions());
  }
  return sums;
}

VectorQuery::Square VectorQuery::SquareTo(const VectorCodeHead& head, int32_t sum) const {
  const double dot = to_query_.factor * sum;
  return {offset_square_ - 2 * dot + head.square, square_error_.At(head.square)};
}

double VectorQuery::EuclidBound(const VectorCodeHead& head, const CodeSums& sums) const {
  const Square square = SquareTo(head, sums.dots[0]);
  const double least = square.value - square.error;
  return (least > 0 ? std::sqrt(least) : 0) - head.rest - offset_error_;
}

double VectorQuery::TaxicabBound(const VectorCodeHead& head, const CodeSums& sums) const {
  return (sums.taxicab * taxicab_factor_ - places_error_) * unit_ - head.taxi_rest - offset_error_;
}

VectorQuery::Angle VectorQuery::AngleTo(const VectorCodeHead& head, const CodeSums& sums, double norm) const {
  const double square = head.square;
  const double x_square = center_square_ + 2 * to_center_.factor * sums.dots[1] + square;
  const double x_error = square_error_.At(square);
  Angle angle;
  angle.product = center_product_ + to_query_.factor * sums.dots[0] + product_error_.At(square);
  if (!(x_square > 4 * x_error)) {
    angle.length_high = std::sqrt(std::max(0.0, x_square + x_error));
    return angle;
  }
  const double x = std::sqrt(x_square);
  const double error = x_error / x_square;  // at most 1/4; of the length it is less
  const double inverse = 1 / (x * length_ * norm);
  angle.length_low = x * (1 - error);
  angle.length_high = x * (1 + error);
  angle.inverse = inverse * length_ * (1 + 1.4 * error);
  angle.cosine = angle.product * inverse * norm * (angle.product > 0 ? 1 + 1.4 * error : 1 - error);
  angle.cosine += (std::fabs(angle.cosine) + 1) * 2 * kDoubleRounding;
  return angle;
}

// cos(q, x), not less.
double VectorQuery::GreatestCosine(const VectorCodeHead& head, const CodeSums& sums) const {
  const double low = NotAbove(head.norm), high = NotBelow(head.norm);
  if (!(length_ > kSmallestLength && low > 0 && head.rest < kInfiniteBound && high < kInfiniteBound)) return 1;
  const Angle angle = AngleTo(head, sums, low);
  if (!(angle.length_low > 0)) {
    // Next to 0 no direction is known.
    const double product = angle.product + length_ * head.rest * (1 + kDoubleRounding);
    const double cosine = product / (length_ * (product > 0 ? low : high));
    return cosine < 1 - kDoubleRounding ? cosine + (std::fabs(cosine) + 1) * 2 * kDoubleRounding : 1;
  }
  const double gap = std::max(low - angle.length_high, angle.length_low - high);
  const double rest = head.rest;
  const double open = rest * rest * (1 + kStepRounding) - (gap > 0 ? gap * gap * (1 - kStepRounding) : 0);
  const double chord = (open > 0 ? open : 0) * angle.inverse * (1 + kStepRounding);  // (2 sin(f / 2))^2
  if (!(chord < 4)) return 1;
  return CosineOfDifference(angle.cosine, 1 - chord / 2, chord * (1 - chord / 4));
}

double VectorQuery::ProductBound(double cosine, double norm_low, double norm_high) const {
  const double product = length_ * norm_high;
  if (!(product < overflow_)) return -kInfiniteBound;  // a sum that overflows is at -infinity, or NaN
  const double greatest = cosine * (cosine > 0 ? product : length_ * (1 - 2 * kDoubleRounding) * norm_low);
  return -greatest - product * (rounding_ + kStepRounding) - underflow_;
}

// The operator's product and both squares are off by their rounding, relative to |q| |x|, |q|^2 and |x|^2. So small that terms which underflow are
// not far less than that, vectors are left to the operator.
double VectorQuery::CosineBound(double cosine, double norm_low, double norm_high) const {
  const double least = 0.1 * rounding_;
  if (!(norm_low > 0 && norm_low * norm_low * least > underflow_ && norm_high * norm_high < overflow_)) return 0;
  if (!(length_ * length_ * least > underflow_ && length_ * length_ < overflow_ && rounding_ < 0.01)) return 0;
  const double bound = 1 - cosine - 4 * rounding_;
  return bound > 0 ? bound : 0;
}

double VectorQuery::BoundOf(const VectorCodeHead& head, const CodeSums& sums) const {
  if (head.rest != head.rest) return Directed() ? -kInfiniteBound : kInfiniteBound;
  switch (metric_) {
    case VectorMetric::kEuclid:
      return DistanceBound(EuclidBound(head, sums), head.norm);
    case VectorMetric::kTaxicab:
      return DistanceBound(TaxicabBound(head, sums), head.norm);
    case VectorMetric::kInnerProduct:
      return ProductBound(GreatestCosine(head, sums), NotAbove(head.norm), NotBelow(head.norm));
    case VectorMetric::kCosine:
      if (head.norm == 0) return kInfiniteBound;
      return CosineBound(GreatestCosine(head, sums), NotAbove(head.norm), NotBelow(head.norm));
  }
  return -kInfiniteBound;
}

double VectorQuery::LowerBound(const uint8_t* code) const { return usable_ ? BoundOf(CodeHead(code), SumsOf(code)) : -kInfiniteBound; }

// First the sums of several codes, then what follows from them, whose roots and quotients the processor finds side by side.
void VectorQuery::LowerBounds(const uint8_t* const* codes, int count, double* bounds) const {
  constexpr int kAtOnce = 8;
  constexpr int kAhead = 2;
  constexpr size_t kLine = 64;
  if (!usable_) return std::fill(bounds, bounds + count, -kInfiniteBound);
  const size_t bytes = VectorCodeBytes(model_.dimensions());
  CodeSums sums[kAtOnce];
  for (int first = 0; first < count; first += kAtOnce) {
    const int end = std::min(first + kAtOnce, count);
    for (int i = first; i < end; ++i) {
      if (i + kAhead < count) {
        for (size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(codes[i + kAhead] + at);
      }
      sums[i - first] = SumsOf(codes[i]);
    }
    for (int i = first; i < end; ++i) bounds[i] = BoundOf(CodeHead(codes[i]), sums[i - first]);
  }
}

}  // namespace xtree
