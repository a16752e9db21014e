#include "core/write/measures.h"

#include <algorithm>

namespace xtree {

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();
}

NormalizedBoxes::NormalizedBoxes(const KeyLayout& layout, int reserve)
    : layout_(&layout), dimensions_(layout.dimensions), origin_(layout.dimensions), spread_(layout.dimensions), weight_(layout.dimensions) {
  extents_.reserve(static_cast<size_t>(reserve) * dimensions_);
}

void NormalizedBoxes::Add(const Box& box) {
  for (int d = 0; d < dimensions_; d++) {
    if (box.lo[d] > box.hi[d]) {
      extents_.push_back({kInfinity, -kInfinity});
      continue;
    }
    const Scalar scalar = layout_->dimension[d].scalar;
    if (size_ == 0) origin_[d] = box.lo[d];
    extents_.push_back({DecodeFrom(scalar, origin_[d], box.lo[d]), DecodeFrom(scalar, origin_[d], box.hi[d])});
  }
  size_++;
}

void NormalizedBoxes::Normalize() {
  std::vector<Extent> bounds(dimensions_);
  Clear(bounds.data());
  for (int i = 0; i < size_; i++) Unite(row(i), bounds.data());
  std::vector<double> widest(layout_->columns, 0);
  for (int d = 0; d < dimensions_; d++) {
    double& column = widest[layout_->dimension[d].column];
    if (!layout_->dimension[d].minor) column = std::max(column, bounds[d].Length());
  }
  bool spread_before = false;  // in the words before
  for (int d = 0; d < dimensions_; d++) {
    const double length = bounds[d].Length();
    const bool minor = layout_->dimension[d].minor;
    spread_[d] = length > 0;
    weight_[d] = !spread_[d] ? 0 : !minor ? length / widest[layout_->dimension[d].column] : spread_before ? kMinorWeight : 1;
    if (layout_->dimension[d].leading) weight_[d] *= kLeadingWeight;
    spread_before = (minor && spread_before) || spread_[d];
  }
  for (int i = 0; i < size_; i++) {
    Extent* box = &extents_[static_cast<size_t>(i) * dimensions_];
    for (int d = 0; d < dimensions_; d++) {
      if (!spread_[d] || box[d].lo > box[d].hi) continue;
      const double length = bounds[d].Length();
      box[d] = {(box[d].lo - bounds[d].lo) / length, (box[d].hi - bounds[d].lo) / length};
    }
  }
}

double NormalizedBoxes::Area(const Extent* box) const {
  double area = 1;
  for (int d = 0; d < dimensions_; d++)
    if (spread_[d]) area *= box[d].Length();
  return area;
}

double NormalizedBoxes::Margin(const Extent* box) const {
  double margin = 0;
  for (int d = 0; d < dimensions_; d++)
    if (spread_[d]) margin += weight_[d] * box[d].Length();
  return margin;
}

double NormalizedBoxes::OverlapArea(const Extent* a, const Extent* b) const {
  double area = 1;
  for (int d = 0; d < dimensions_; d++) {
    if (!spread_[d]) continue;
    const double length = std::min(a[d].hi, b[d].hi) - std::max(a[d].lo, b[d].lo);
    if (!(length > 0)) return 0;
    area *= length;
  }
  return area;
}

double NormalizedBoxes::OverlapRatio(const Extent* a, const Extent* b) const {
  const double overlap = OverlapArea(a, b);
  if (!(overlap > 0)) return 0;
  return overlap / (Area(a) + Area(b) - overlap);
}

void NormalizedBoxes::Clear(Extent* box) const { std::fill_n(box, dimensions_, Extent{kInfinity, -kInfinity}); }

void NormalizedBoxes::Unite(const Extent* by, Extent* box) const {
  for (int d = 0; d < dimensions_; d++) {
    box[d].lo = std::min(box[d].lo, by[d].lo);
    box[d].hi = std::max(box[d].hi, by[d].hi);
  }
}

}  // namespace xtree
