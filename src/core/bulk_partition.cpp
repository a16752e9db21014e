// Choice of the dimension along which a bulk load divides; overlap of the halves.
#include "core/bulk_partition.h"

#include <algorithm>
#include <numeric>

namespace xtree {

namespace {

// Interval of a box along a dimension, as numbers.
struct Side {
  double lo;
  double hi;
  double Length() const { return hi > lo ? hi - lo : 0; }
};

Side SideOf(const KeyLayout& layout, const Box& box, int d) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (box.lo[d] > box.hi[d]) return {kInfinity, -kInfinity};
  const Scalar scalar = layout.dimension[d].scalar;
  return {DecodeFinite(scalar, box.lo[d]), DecodeFinite(scalar, box.hi[d])};
}

}  // namespace

void Partitioner::Sample(const Records& records, size_t begin, size_t end, size_t at_most) {
  const size_t count = end - begin;
  sampled_ = std::min(count, at_most);
  BulkRandom random(count);
  for (size_t i = 0; i < sampled_; i++) sample_[i] = records[begin + (sampled_ == count ? i : random.Below(count))];
}

// Of the sample: distance between outer quantiles; where that is nothing, between the extremes. NULL and empty count as no spread.
double Partitioner::Spread(int dimension) {
  size_t values = 0;
  for (size_t i = 0; i < sampled_; i++) {
    const int64_t key = format_->Key(sample_[i], dimension);
    if (key != kNoKey) value_[values++] = format_->KeyValue(dimension, key);
  }
  if (values < 2) return 0;
  const size_t tail = values / 16;
  std::nth_element(value_, value_ + tail, value_ + values);
  const size_t last = values - 1 - tail;
  std::nth_element(value_ + tail, value_ + last, value_ + values);
  double spread = value_[last] - value_[tail];
  if (!(spread > 0)) spread = *std::max_element(value_ + last, value_ + values) - *std::min_element(value_, value_ + tail + 1);
  return spread * (static_cast<double>(values) / static_cast<double>(sampled_));
}

ColumnScales Partitioner::MeasureScales(const Records& records) {
  ColumnScales scales{};
  Sample(records, 0, records.size(), kMaxSample);
  for (int d = 0; d < format_->dimensions(); d++) {
    double& widest = scales.scale[format_->dimension(d).column];
    widest = std::max(widest, Spread(d));
  }
  for (double& scale : scales.scale)
    if (!(scale > 0)) scale = 1;
  return scales;
}

bool Partitioner::Separates(const Records& records, size_t begin, size_t end, int dimension) const {
  const int64_t first = format_->Key(records[begin], dimension);
  for (size_t i = begin + 1; i < end; i++)
    if (format_->Key(records[i], dimension) != first) return true;
  return false;
}

const std::vector<int>& Partitioner::Rank(const Records& records, size_t begin, size_t end, const ColumnScales& scales) {
  Sample(records, begin, end, std::clamp<size_t>((end - begin) / 8, 32, kMaxSample));
  double widest = 0;
  for (int d = 0; d < format_->dimensions(); d++) {
    spread_[d] = Spread(d) / scales.scale[format_->dimension(d).column];
    widest = std::max(widest, spread_[d]);
  }
  if (!(widest > 0)) {  // the sample is of one place: any dimension that tells records apart will do
    for (int d = 0; d < format_->dimensions(); d++) spread_[d] = Separates(records, begin, end, d) ? 1 : 0;
  }
  std::iota(ranked_.begin(), ranked_.end(), 0);
  std::stable_sort(ranked_.begin(), ranked_.end(), [this](int a, int b) { return spread_[a] > spread_[b]; });
  return ranked_;
}

void BoundsOf(const Records& records, size_t begin, size_t end, Box* box) {
  const RecordFormat& format = records.format();
  MakeEmpty(format.layout(), box);
  Box one;
  for (size_t i = begin; i < end; i++) {
    format.GetBox(records[i], &one);
    Extend(format.layout(), one, box);
  }
}

double OverlapRatio(const KeyLayout& layout, const Box& a, const Box& b) {
  double shared = 1, area_a = 1, area_b = 1;
  for (int d = 0; d < layout.dimensions; d++) {
    if ((a.lo[d] > a.hi[d]) != (b.lo[d] > b.hi[d])) return 0;  // one has no value here
    const Side x = SideOf(layout, a, d), y = SideOf(layout, b, d);
    const Side both{std::min(x.lo, y.lo), std::max(x.hi, y.hi)};
    if (!(both.Length() > 0)) continue;
    const double length = std::min(x.hi, y.hi) - std::max(x.lo, y.lo);
    if (!(length > 0)) return 0;
    shared *= length / both.Length();
    area_a *= x.Length() / both.Length();
    area_b *= y.Length() / both.Length();
  }
  const double all = area_a + area_b - shared;
  return all > 0 ? shared / all : 0;
}

}  // namespace xtree
