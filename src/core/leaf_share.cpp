// See leaf_share.h.
#include "core/leaf_share.h"

#include <algorithm>
#include <cmath>

namespace xtree {

namespace {

constexpr double kNowhere = std::numeric_limits<double>::infinity();
constexpr float kLeastDimension = 0.05F;
constexpr size_t kLeastSample = 16;  // of fewer leaves nothing is said

// What one column of the sample looks like, decoded.
class ColumnView {
 public:
  ColumnView(const KeyLayout& layout, const LeafSample& sample, int column)
      : dimensions_(layout.first_dimension[column + 1] - layout.first_dimension[column]) {
    Box leaf, row;
    for (size_t i = 0; i < sample.size(); ++i) {
      sample.Get(i, &leaf, &row);
      const int first = layout.first_dimension[column];
      has_value_.push_back(row.lo[first] <= row.hi[first]);
      leaf_has_value_.push_back(leaf.lo[first] <= leaf.hi[first]);
      for (int d = first; d < first + dimensions_; ++d) {
        const Scalar scalar = layout.dimension[d].scalar;
        lo_.push_back(DecodeFinite(scalar, leaf.lo[d]));
        hi_.push_back(DecodeFinite(scalar, leaf.hi[d]));
        centre_.push_back((DecodeFinite(scalar, row.lo[d]) + DecodeFinite(scalar, row.hi[d])) / 2);
      }
    }
  }

  size_t size() const { return has_value_.size(); }
  bool HasValue(size_t row) const { return has_value_[row]; }

  // Half the side of the least window around a row's centre that meets a leaf, or another row's centre.
  double ToLeaf(size_t row, size_t leaf) const {
    if (!leaf_has_value_[leaf]) return kNowhere;
    double most = 0;
    for (int d = 0; d < dimensions_; ++d) {
      const double at = Centre(row)[d];
      most = std::max({most, lo_[leaf * dimensions_ + d] - at, at - hi_[leaf * dimensions_ + d]});
    }
    return most;
  }
  double ToRow(size_t row, size_t other) const {
    if (!has_value_[other]) return kNowhere;
    double most = 0;
    for (int d = 0; d < dimensions_; ++d) most = std::max(most, std::abs(Centre(row)[d] - Centre(other)[d]));
    return most;
  }

 private:
  const double* Centre(size_t row) const { return &centre_[row * dimensions_]; }

  int dimensions_;
  std::vector<char> has_value_, leaf_has_value_;
  std::vector<double> lo_, hi_, centre_;
};

// Of windows around the sampled rows, each with twice the rows of the one before: the share of the leaves that they
// meet, but for the row's own.
struct Growth {
  double at_point = 0;
  std::vector<double> selectivity;
  std::vector<double> weight;
  std::vector<double> share;
};

Growth Measure(const ColumnView& column) {
  Growth growth;
  const size_t size = column.size();
  for (size_t rank = 1; rank < size; rank *= 2) {
    growth.selectivity.push_back(static_cast<double>(rank) / static_cast<double>(size));
    growth.weight.push_back(1 / static_cast<double>(rank));
  }
  growth.share.assign(growth.selectivity.size(), 0);
  std::vector<double> leaves, rows;
  double centres = 0;
  const auto met = [&](double distance) {
    return static_cast<double>(std::upper_bound(leaves.begin(), leaves.end(), distance) - leaves.begin()) / static_cast<double>(size - 1);
  };
  for (size_t i = 0; i < size; ++i) {
    if (!column.HasValue(i)) continue;
    leaves.clear();
    rows.clear();
    for (size_t j = 0; j < size; ++j) {
      if (j == i) continue;
      leaves.push_back(column.ToLeaf(i, j));
      rows.push_back(column.ToRow(i, j));
    }
    std::sort(leaves.begin(), leaves.end());
    std::sort(rows.begin(), rows.end());
    growth.at_point += met(0);
    for (size_t k = 0; k < growth.share.size(); ++k) growth.share[k] += met(rows[(size_t{1} << k) - 1]);
    ++centres;
  }
  if (centres == 0) return {};
  growth.at_point /= centres;
  for (double& share : growth.share) share /= centres;
  return growth;
}

// Of leaves of which a point meets the share `at_point`, how many does a window meet that covers `side` of each of so
// many dimensions?
//
// Cuts halve at least, so many dimensions are not all cut. Of a dimension cut into slices r a window meets its side and
// a slice more, less what they have in common. A window around a row that is cut off at the end of the data reaches
// beyond the middle the sooner, which counts where the middle is all there is to cross.
double Share(double at_point, double dimension, double side) {
  const double cut = std::min(dimension, -std::log2(at_point));
  if (!(cut > 0)) return 1;
  const double slice = std::pow(at_point, 1 / cut);
  const double across = std::min(2 * (1 - std::sqrt(1 - side)), 1.0);
  const double met = side + (across - side) * std::min(2 * slice, 1.0);
  return std::pow(slice + (1 - slice) * met, cut);
}

double SideOf(double selectivity, double dimension) { return std::pow(selectivity, 1 / dimension); }

// The number of dimensions with which the model comes nearest to the measured shares, most of all to those of narrow
// windows: they are what indexes are asked for.
double FitDimension(double at_point, const Growth& growth, int dimensions) {
  double best = 1, least = std::numeric_limits<double>::infinity();
  for (double dimension = kLeastDimension; dimension <= dimensions * 2.0; dimension *= 1.05) {
    double error = 0;
    for (size_t i = 0; i < growth.share.size(); ++i) {
      const double off = std::log(Share(at_point, dimension, SideOf(growth.selectivity[i], dimension)) / growth.share[i]);
      error += off * off * growth.weight[i];
    }
    if (error >= least) continue;
    least = error;
    best = dimension;
  }
  return best;
}

// Pages of the table per row of the leaf.
float SpreadOf(const NodeView& leaf) {
  std::vector<uint64_t> pages;
  for (int i = 0; i < leaf.entries(); ++i) pages.push_back(leaf.Tuple(i).Packed() >> 16);
  std::sort(pages.begin(), pages.end());
  const auto distinct = std::unique(pages.begin(), pages.end()) - pages.begin();
  return static_cast<float>(distinct) / static_cast<float>(pages.size());
}

}  // namespace

void LeafSample::Set(size_t i, const Box& leaf, const Box& row, float heap_spread) {
  spread_[i] = heap_spread;
  Ordinal* to = &sides_[i * SidesPerPair()];
  for (const Ordinal* from : {leaf.lo, leaf.hi, row.lo, row.hi}) to = std::copy_n(from, layout_->dimensions, to);
}

void LeafSample::Get(size_t i, Box* leaf, Box* row) const {
  const Ordinal* from = &sides_[i * SidesPerPair()];
  for (Ordinal* to : {leaf->lo, leaf->hi, row->lo, row->hi}) {
    std::copy_n(from, layout_->dimensions, to);
    from += layout_->dimensions;
  }
  leaf->marks = row->marks = 0;
}

void LeafSample::Add(const Box& leaf, const Box& row, float heap_spread) {
  sides_.resize(sides_.size() + SidesPerPair());
  spread_.push_back(heap_spread);
  Set(size() - 1, leaf, row, heap_spread);
}

void LeafSample::Offer(const NodeView& leaf) {
  ++seen_;
  const size_t place = seen_ <= kLimit ? size() : random_.Below(seen_);
  if (place >= kLimit) return;
  Box bounds, row;
  leaf.Bounds(&bounds);
  leaf.GetBox(static_cast<int>(random_.Below(leaf.entries())), &row);
  if (place == size()) return Add(bounds, row, SpreadOf(leaf));
  Set(place, bounds, row, SpreadOf(leaf));
}

float LeafSample::HeapSpread() const {
  double sum = 0;
  for (const float spread : spread_) sum += spread;
  return spread_.empty() ? 0 : static_cast<float>(sum / static_cast<double>(spread_.size()));
}

// Of the leaves that a window meets, the row's own is certain, and of the others the sample tells.
void LeafSample::Fit(uint64_t leaves, ColumnStatistics* out) const {
  std::fill_n(out, kMaxColumns, ColumnStatistics{});
  if (size() < kLeastSample || leaves < size()) return;
  const double all = static_cast<double>(leaves);
  const auto with_own = [all](double of_others) { return (1 + (all - 1) * of_others) / all; };
  for (int c = 0; c < layout_->columns; ++c) {
    Growth growth = Measure(ColumnView(*layout_, *this, c));
    if (growth.share.empty()) continue;
    for (double& share : growth.share) share = with_own(share);
    const double at_point = with_own(growth.at_point);
    out[c].cuts = static_cast<float>(-std::log(at_point) / std::log(all));
    out[c].dimension = static_cast<float>(FitDimension(at_point, growth, layout_->first_dimension[c + 1] - layout_->first_dimension[c]));
  }
}

double LeafShare(const ColumnStatistics& column, double leaves, double selectivity, double widest) {
  const double side = SideOf(std::clamp(selectivity, 0.0, 1.0), column.dimension);
  return Share(std::pow(leaves, -static_cast<double>(column.cuts)), column.dimension, std::min(side, widest));
}

ColumnStatistics AssumedStatistics(int dimensions, int all) {
  return {static_cast<float>(dimensions) / static_cast<float>(all), static_cast<float>(dimensions)};
}

}  // namespace xtree
