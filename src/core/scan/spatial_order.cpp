// See spatial_order.h.
#include "core/scan/spatial_order.h"

#include <numeric>

namespace xtree {

namespace {

// NULL and empty lie together, beyond every value.
double CentreOf(Scalar scalar, Ordinal lo, Ordinal hi) {
  if (lo > hi) return DecodeFinite(Scalar::kFloat64, kOrdinalMax);
  return (DecodeFinite(scalar, lo) + DecodeFinite(scalar, hi)) / 2;
}

}  // namespace

void SpatialOrder::Begin(const KeyLayout& layout) {
  layout_ = &layout;
  dimensions_ = layout.dimensions;
  std::fill_n(at_, dimensions_, -std::numeric_limits<double>::infinity());
  Clear();
}

void SpatialOrder::Add(PageReader& reader, const NodeView& node, int entry) {
  centre_.Reserve(reader, centre_.size() + dimensions_);
  Box box;
  node.GetBox(entry, &box);
  for (int d = 0; d < dimensions_; ++d) {
    centre_.AppendReserved(CentreOf(layout_->dimension[d].scalar, box.lo[d], box.hi[d]));
  }
}

const uint32_t* SpatialOrder::Arrange(PageReader& reader) {
  const size_t count = centre_.size() / dimensions_;
  order_.Clear();
  order_.Reserve(reader, count);
  for (size_t i = 0; i < count; ++i) order_.AppendReserved(static_cast<uint32_t>(i));
  std::copy_n(at_, dimensions_, place_);
  if (count == 0) return order_.data();
  MeasureScales(order_.data(), order_.data() + count);
  Walk(order_.data(), order_.data() + count);
  return order_.data();
}

void SpatialOrder::StayAtLast() { std::copy_n(place_, dimensions_, at_); }

// The half that holds the nearer side comes first.
void SpatialOrder::Walk(uint32_t* begin, uint32_t* end) {
  if (end - begin == 1) return GoTo(*begin);
  const int d = Widest(begin, end);
  uint32_t* middle = begin + (end - begin) / 2;
  const auto below = [this, d](uint32_t a, uint32_t b) { return Centre(a)[d] < Centre(b)[d]; };
  std::nth_element(begin, middle, end, below);
  if (place_[d] > Centre(*middle)[d]) {
    std::rotate(begin, middle, end);
    middle = begin + (end - middle);
  }
  Walk(begin, middle);
  Walk(middle, end);
}

// Mean absolute deviations: of finite numbers below a quarter of what a double holds, they do not overflow.
void SpatialOrder::MeasureSpread(const uint32_t* begin, const uint32_t* end, double* spread) const {
  double mean[kMaxDimensions];
  std::fill_n(mean, dimensions_, 0.0);
  std::fill_n(spread, dimensions_, 0.0);
  const double share = 1 / static_cast<double>(end - begin);
  for (const uint32_t* entry = begin; entry < end; ++entry) {
    const double* centre = Centre(*entry);
    for (int d = 0; d < dimensions_; ++d) mean[d] += centre[d] * share;
  }
  for (const uint32_t* entry = begin; entry < end; ++entry) {
    const double* centre = Centre(*entry);
    for (int d = 0; d < dimensions_; ++d) spread[d] += std::abs(centre[d] - mean[d]) * share;
  }
}

void SpatialOrder::MeasureScales(const uint32_t* begin, const uint32_t* end) {
  double spread[kMaxDimensions];
  MeasureSpread(begin, end, spread);
  std::fill_n(scale_, layout_->columns, std::numeric_limits<double>::min());
  for (int d = 0; d < dimensions_; ++d) {
    double& widest = scale_[layout_->dimension[d].column];
    widest = std::max(widest, spread[d]);
  }
}

int SpatialOrder::Widest(const uint32_t* begin, const uint32_t* end) {
  if (dimensions_ == 1) return 0;
  double spread[kMaxDimensions];
  MeasureSpread(begin, end, spread);
  int widest = 0;
  for (int d = 0; d < dimensions_; ++d) {
    spread[d] /= scale_[layout_->dimension[d].column];
    if (spread[d] > spread[widest]) widest = d;
  }
  return widest;
}

}  // namespace xtree
