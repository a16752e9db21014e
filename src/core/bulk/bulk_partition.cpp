// Choice of the axis along which a bulk load divides; overlap of the halves.
#include "core/bulk/bulk_partition.h"

#include <algorithm>
#include <functional>
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

// What is left of values when `tail` of them are taken off at either end: the least and the greatest. Leaves them in any order.
Side EndsWithout(size_t tail, double* value, size_t count) {
  constexpr size_t kFew = 4;
  if (tail >= kFew) {
    const size_t last = count - 1 - tail;
    std::nth_element(value, value + tail, value + count);
    std::nth_element(value + tail, value + last, value + count);
    return {value[tail], value[last]};
  }
  double least[kFew], greatest[kFew];
  std::fill_n(least, kFew, std::numeric_limits<double>::infinity());
  std::fill_n(greatest, kFew, -std::numeric_limits<double>::infinity());
  const auto insert = [tail](double* sorted, double v, auto before) {
    if (!before(v, sorted[tail])) return;
    size_t at = tail;
    for (; at > 0 && before(v, sorted[at - 1]); at--) sorted[at] = sorted[at - 1];
    sorted[at] = v;
  };
  for (size_t i = 0; i < count; i++) {
    insert(least, value[i], std::less());
    insert(greatest, value[i], std::greater());
  }
  return {least[tail], greatest[tail]};
}

}  // namespace

void Partitioner::Sample(const Records& records, size_t begin, size_t end, size_t at_most) {
  const size_t count = end - begin;
  sampled_ = std::min(count, at_most);
  BulkRandom random(count);
  for (size_t i = 0; i < sampled_; i++) sample_[i] = records[begin + (sampled_ == count ? i : random.Below(count))];
}

// Values of the sample along an axis, into value_; NULL and empty have none. Their number.
size_t Partitioner::TakeValues(int axis) {
  size_t values = 0;
  const bool ordinals = axis < format_->dimensions() && format_->layout().dimension[axis].scalar == Scalar::kInteger;
  int64_t origin = 0;
  for (size_t i = 0; i < sampled_; i++) {
    const int64_t key = format_->Key(sample_[i], axis);
    if (key == kNoKey) continue;
    if (values == 0) origin = key;
    value_[values++] = ordinals ? DecodeFrom(Scalar::kInteger, origin, key) : format_->KeyValue(axis, key);
  }
  return values;
}

// Does a cut in the middle of the sample find other values than those in the middle, on either side?
bool Partitioner::IsDivided(int dimension) {
  const size_t values = TakeValues(dimension);
  return values >= 2 && EndsWithout(values / 4, value_, values).Length() > 0;
}

// A long number is ordered by its first word, by the second where the first is one value, and so on. A cut along a later word
// is lost on conditions that are ranges; along a word of which nearly all values are one it would go through that.
void Partitioner::WeighWords() {
  const KeyLayout& layout = format_->layout();
  for (int d = 0; d < format_->dimensions(); d++) {
    rank_[d] = layout.dimension[d].leading ? spread_[d] * kLeadingWeight : spread_[d];
    if (!layout.dimension[d].minor || !(spread_[d] > 0)) continue;
    int first = d;
    while (layout.dimension[first].minor) first--;
    bool divided = false;
    for (int before = first; before < d; before++) divided |= spread_[before] > 0 && IsDivided(before);
    if (divided) {
      rank_[d] *= kMinorWeight;
    } else {
      for (int before = first; before < d; before++) rank_[before] *= kMinorWeight;
    }
  }
}

// Standard deviation of the sample, by how many of its records have a value. What lies further out than eight times the
// distance of the outer sixteenths counts as lying there: a few infinite or invented dates must not make the rest look
// like one point.
double Partitioner::Spread(int dimension) {
  const size_t values = TakeValues(dimension);
  if (values < 2) return 0;
  const Side ends = EndsWithout(values / 16, value_, values);
  const double body = ends.Length();
  if (body > 0)
    for (size_t i = 0; i < values; i++) value_[i] = std::clamp(value_[i], ends.lo - 8 * body, ends.hi + 8 * body);
  const double share = 1 / static_cast<double>(values);
  double mean = 0, variance = 0;
  for (size_t i = 0; i < values; i++) mean += value_[i] * share;
  for (size_t i = 0; i < values; i++) variance += (value_[i] - mean) * share * (value_[i] - mean);
  const double deviation = std::sqrt(std::min(variance, std::numeric_limits<double>::max()));
  return deviation * static_cast<double>(values) / static_cast<double>(sampled_);
}

ColumnScales Partitioner::MeasureScales(const Records& records) {
  ColumnScales scales{};
  Sample(records, 0, records.size(), kMaxSample);
  const KeyLayout& layout = format_->layout();
  for (int c = 0; c < layout.columns; c++) {
    const int first = layout.first_dimension[c], end = layout.first_dimension[c + 1];
    double widest = 0;
    for (int d = first; d < end; d++) widest = std::max(widest, scales.scale[d] = Spread(d));
    const bool words = first + 1 < end && layout.dimension[first + 1].minor;
    if (!words) std::fill(scales.scale + first, scales.scale + end, widest);
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

const std::vector<int>& Partitioner::Rank(const Records& records, size_t begin, size_t end, const ColumnScales& scales, bool lengths) {
  Sample(records, begin, end, std::clamp<size_t>((end - begin) / 16, 32, kMaxSample));
  double widest = 0;
  for (int d = 0; d < format_->dimensions(); d++) {
    spread_[d] = Spread(d) / scales.scale[d];
    widest = std::max(widest, spread_[d]);
  }
  if (!(widest > 0)) {  // the sample is of one place: any dimension that tells records apart will do
    for (int d = 0; d < format_->dimensions(); d++) spread_[d] = Separates(records, begin, end, d) ? 1 : 0;
  }
  WeighWords();
  ranked_.resize(format_->dimensions());
  std::iota(ranked_.begin(), ranked_.end(), 0);
  std::stable_sort(ranked_.begin(), ranked_.end(), [this](int a, int b) { return rank_[a] > rank_[b]; });
  if (!lengths || format_->axes() == format_->dimensions()) return ranked_;
  const int length = BestLength(scales);
  if (length >= 0 && MarginOfHalves(length, scales) < MarginOfHalves(ranked_[0], scales)) ranked_.insert(ranked_.begin(), length);
  return ranked_;
}

// The length axis whose intervals are longest beside the spread of their dimension, or -1 when all are short.
int Partitioner::BestLength(const ColumnScales& scales) {
  int best = -1;
  double most = 0.5;
  for (int a = format_->dimensions(); a < format_->axes(); a++) {
    const double length = RelativeLength(a, scales);
    if (length <= most) continue;
    most = length;
    best = a;
  }
  return best;
}

double Partitioner::RelativeLength(int axis, const ColumnScales& scales) {
  const size_t values = TakeValues(axis);
  if (values == 0) return 0;
  const double longest = *std::max_element(value_, value_ + values) / scales.scale[format_->axis(axis).dimension];
  return longest / std::max(spread_[format_->axis(axis).dimension], std::numeric_limits<double>::min());
}

// Sum of the sides of the boxes of the sample's halves along an axis.
double Partitioner::MarginOfHalves(int axis, const ColumnScales& scales) {
  const size_t middle = sampled_ / 2;
  std::nth_element(sample_, sample_ + middle, sample_ + sampled_,
                   [this, axis](const uint8_t* a, const uint8_t* b) { return format_->Key(a, axis) < format_->Key(b, axis); });
  return MarginOf(0, middle, scales) + MarginOf(middle, sampled_, scales);
}

double Partitioner::MarginOf(size_t begin, size_t end, const ColumnScales& scales) const {
  Box box, one;
  MakeEmpty(format_->layout(), &box);
  for (size_t i = begin; i < end; i++) {
    format_->GetBox(sample_[i], &one);
    Extend(format_->layout(), one, &box);
  }
  double margin = 0;
  for (int d = 0; d < format_->dimensions(); d++) margin += SideOf(format_->layout(), box, d).Length() / scales.scale[d];
  return margin;
}

namespace {

template <typename T>
void ExtendAlong(const RecordAxis& axis, const uint8_t* records, size_t stride, size_t count, Box* box, int d) {
  T lo = std::numeric_limits<T>::max(), hi = std::numeric_limits<T>::min();
  for (size_t i = 0; i < count; i++, records += stride) {
    lo = std::min(lo, RecordFormat::Load<T>(records + axis.lo));
    hi = std::max(hi, RecordFormat::Load<T>(records + axis.hi));
  }
  box->lo[d] = std::min<Ordinal>(box->lo[d], lo);
  box->hi[d] = std::max<Ordinal>(box->hi[d], hi);
}

// A few records at a time, so that they are in the cache for every dimension.
void ExtendByUnmarked(const Records& records, size_t begin, size_t end, Box* box) {
  constexpr size_t kRun = 256;
  const RecordFormat& format = records.format();
  for (size_t run = begin; run < end; run += kRun) {
    const size_t count = std::min(kRun, end - run);
    for (int d = 0; d < format.dimensions(); d++) {
      const RecordAxis& axis = format.axis(d);
      const auto extend = axis.width == 8 ? ExtendAlong<int64_t> : ExtendAlong<int32_t>;
      extend(axis, records[run], format.stride(), count, box, d);
    }
  }
}

}  // namespace

void BoundsOf(const Records& records, size_t begin, size_t end, Box* box) {
  const RecordFormat& format = records.format();
  MakeEmpty(format.layout(), box);
  if (!records.marks() && !Records::Indirect(format)) return ExtendByUnmarked(records, begin, end, box);
  Box one;
  for (size_t i = begin; i < end; i++) {
    format.GetBox(records[i], &one);
    Extend(format.layout(), one, box);
  }
}

bool AreApart(const Records& records, size_t begin, size_t middle, size_t end, int dimension) {
  if (records.marks()) return false;
  const RecordFormat& format = records.format();
  Box first, second;
  for (Box* box : {&first, &second}) {
    box->lo[dimension] = kOrdinalMax;
    box->hi[dimension] = kOrdinalMin;
  }
  for (size_t i = begin; i < end; i++) format.ExtendAlong(dimension, records[i], i < middle ? &first : &second);
  const Ordinal lo = std::min(first.lo[dimension], second.lo[dimension]), hi = std::max(first.hi[dimension], second.hi[dimension]);
  return lo < hi && (first.hi[dimension] <= second.lo[dimension] || second.hi[dimension] <= first.lo[dimension]);
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
