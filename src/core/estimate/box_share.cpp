// See box_share.h.
#include "core/estimate/box_share.h"

#include <algorithm>
#include <cmath>

namespace xtree {

namespace {

// Whether integers or floats: how many units lie between two ordinals, and the least there is.
double Length(const DimensionLayout& dimension, Ordinal from, Ordinal to) {
  return std::max(DecodeFrom(dimension.scalar, from, to) - DecodeFrom(dimension.scalar, from, from), 0.0);
}

// An integer takes a unit of the line, a float none.
double Unit(const DimensionLayout& dimension) { return dimension.scalar == Scalar::kInteger ? 1 : 0; }

// Of a side whose ends are as good as one number (infinity and NaN, say) nobody knows.
double PartOf(double length, double all) { return all > 0 ? std::min(length / all, 1.0) : 0.5; }

// What the model takes for all, while some entries may be shorter than others.
constexpr double kNearlyAll = 0.999;

// A place in the box, by its share of a side.
Ordinal PlaceIn(const DimensionLayout& dimension, Ordinal low, Ordinal high, double share) {
  if (low >= high) return low;
  const double from = DecodeFinite(dimension.scalar, low), to = DecodeFinite(dimension.scalar, high);
  const double at = from + (to - from) * share;
  Ordinal place = low;
  if (dimension.scalar == Scalar::kFloat64)
    place = OrdinalFromDouble(at);
  else if (dimension.scalar == Scalar::kFloat32)
    place = OrdinalFromFloat(static_cast<float>(at));
  else
    place = low + static_cast<Ordinal>(Length(dimension, low, high) * share);
  return std::clamp(place, low, high);
}

// Evenly scattered numbers in 0 .. 1, one for each point and dimension (Kronecker's sequence by the golden ratio's relatives).
double Scattered(int point, int dimension) {
  const double step = std::sqrt(static_cast<double>(2 + dimension * 3));
  const double at = (point + 0.5) * (step - std::floor(step)) + 0.25 * dimension;
  return at - std::floor(at);
}

}  // namespace

void ForgetExtents(const KeyLayout& layout, MeanExtents* out) { std::fill_n(out->length, layout.dimensions, 0.0); }

void MeasureExtents(const NodeView& leaf, MeanExtents* out) {
  constexpr int kEnough = 64;
  const KeyLayout& layout = leaf.layout();
  const int step = std::max(1, leaf.entries() / kEnough);
  ForgetExtents(layout, out);
  for (int d = 0; d < layout.dimensions; ++d) {
    if (!layout.dimension[d].extended) continue;
    double sum = 0;
    int count = 0;
    for (int e = 0; e < leaf.entries(); e += step) {
      const Ordinal lo = leaf.Lo(e, d), hi = leaf.Hi(e, d);
      if (lo > hi) continue;
      sum += Length(layout.dimension[d], lo, hi);
      ++count;
    }
    if (count > 0) out->length[d] = sum / count;
  }
}

void BoxShare::Begin(const KeyLayout& layout, const Constraint& constraint, const ColumnStatistics* statistics,
                     const MeanExtents* extents) {
  layout_ = &layout;
  constraint_ = &constraint;
  statistics_ = statistics;
  extents_ = extents;
  columns_ = 0;
  for (int c = 0; c < layout.columns; ++c) {
    const MarkRule rule = constraint.Rule(layout, c);
    if (rule == MarkRule::kAny) continue;
    column_[columns_] = static_cast<uint8_t>(c);
    rule_[columns_++] = rule;
  }
}

bool BoxShare::NeedsExtents() const {
  for (int i = 0; i < columns_; ++i) {
    if (layout_->dimension[layout_->first_dimension[column_[i]]].extended) return true;
  }
  return false;
}

BoxShare::Side BoxShare::SideOf(const NodeView& node, int entry, int dimension) const {
  Side side{node.Lo(entry, dimension), node.Hi(entry, dimension), 0};
  side.length = Length(layout_->dimension[dimension], side.low, side.high);
  return side;
}

// Of a side from low to high, entries begin between low and high less their length.
double BoxShare::OfSide(const Side& side, int dimension, Interval lo, Interval hi) const {
  const DimensionLayout& d = layout_->dimension[dimension];
  if (!d.extended) {
    lo.Intersect(hi);
    if (lo.min <= side.low && lo.max >= side.high) return 1;
    const Ordinal from = std::max(lo.min, side.low), to = std::min(lo.max, side.high);
    if (from > to) return 0;
    return PartOf(Length(d, from, to) + Unit(d), side.length + Unit(d));
  }
  if (lo.min <= side.low && lo.max >= side.high && hi.min <= side.low && hi.max >= side.high) return 1;
  const double extent = std::min(extents_->length[dimension], side.length);
  const double places = side.length - extent;  // that `lo` may take, from 0 on; `hi` lies an extent further
  const auto at = [&](Ordinal ordinal) { return DecodeFrom(d.scalar, side.low, ordinal) - DecodeFrom(d.scalar, side.low, side.low); };
  double from = 0, to = places;
  if (lo.min > side.low) from = std::max(from, at(lo.min));
  if (lo.max < side.high) to = std::min(to, at(lo.max));
  if (hi.min > side.low) from = std::max(from, at(hi.min) - extent);
  if (hi.max < side.high) to = std::min(to, at(hi.max) - extent);
  if (from > to) return 0;
  return std::min(PartOf(to - from + Unit(d), places + Unit(d)), kNearlyAll);
}

double BoxShare::OfColumn(const NodeView& node, int entry, int column, const Interval* lo, const Interval* hi) const {
  const int first = layout_->first_dimension[column], end = layout_->first_dimension[column + 1];
  double share = 1;
  int cut = 0;
  for (int d = first; d < end; ++d) {
    const Interval &l = lo[d - first], &h = hi[d - first];
    if (l.Full() && h.Full()) continue;
    const Side side = SideOf(node, entry, d);
    if (side.low > side.high) return 0;
    const double part = OfSide(side, d, l, h);
    if (part < 1) ++cut;
    share *= part;
    // What a later word says holds only among equal ones before it.
    if (d + 1 < end && layout_->dimension[d + 1].minor && side.low < side.high) break;
  }
  const double real = statistics_ != nullptr ? statistics_[column].dimension : 0;
  if (cut > 1 && real > 0 && real < cut) share = std::pow(share, real / cut);
  return share;
}

// Of rows without a value the marks say no more than that there are some.
double BoxShare::OfMarks(const NodeView& node, int entry, int column, MarkRule rule) const {
  constexpr double kSome = 0.5, kMost = 0.9;
  const uint64_t marks = layout_->Absent(node.Marks(entry)) >> (2 * column) & 3;
  const int first = layout_->first_dimension[column];
  const bool no_value = node.Lo(entry, first) > node.Hi(entry, first);
  switch (rule) {
    case MarkRule::kNull:
      return marks & kMarkNull ? (no_value && marks == kMarkNull ? 1 : kSome) : 0;
    case MarkRule::kEmpty:
      return marks & kMarkEmpty ? (no_value && marks == kMarkEmpty ? 1 : kSome) : 0;
    case MarkRule::kNotNull:
      return marks & kMarkNull ? kMost : 1;
    case MarkRule::kValueOrEmpty:
      return marks & kMarkNull ? kMost : 1;
    default:
      return marks != 0 ? kMost : 1;
  }
}

// The alternatives of a long list lie as some of them do.
double BoxShare::OfAnyOf(const NodeView& node, int entry, const AnyOf& group) const {
  constexpr int kEnough = 16;
  const int dimensions = layout_->first_dimension[group.column + 1] - layout_->first_dimension[group.column];
  const int step = std::max(1, group.count / kEnough);
  double share = 0;
  int asked = 0;
  for (int i = 0; i < group.count; i += step, ++asked) {
    const double one = group.rule[i] == MarkRule::kValue
                           ? OfColumn(node, entry, group.column, group.lo + i * dimensions, group.hi + i * dimensions)
                           : OfMarks(node, entry, group.column, group.rule[i]);
    if (one >= 1) return 1;
    share += one;
  }
  return asked == 0 ? 0 : std::min(share * group.count / asked, 1.0);
}

// Where no point is near enough: the part of the box that a cube as wide as the limit's sphere takes.
double BoxShare::OfSphere(const NodeView& node, int entry, const DistanceLimit& limit) const {
  const double radius = limit.query != nullptr ? std::sqrt(std::max(limit.greatest_square, 0.0)) : limit.limit;
  double share = 1;
  for (int d = limit.first; d < limit.first + limit.dimensions; ++d) {
    const double length = SideOf(node, entry, d).length;
    if (length > 0 && radius >= 0) share *= std::min(2 * radius / length, 1.0);
  }
  return share;
}

// How many of some points in the box are near enough.
double BoxShare::OfLimit(const NodeView& node, int entry, const DistanceLimit& limit) const {
  constexpr int kPoints = 8;
  Ordinal lo[kMaxDimensions], hi[kMaxDimensions];
  int near = 0;
  for (int p = 0; p < kPoints; ++p) {
    double square = 0;
    for (int i = 0; i < limit.dimensions; ++i) {
      const int d = limit.first + i;
      const Side side = SideOf(node, entry, d);
      const DimensionLayout& dimension = layout_->dimension[d];
      lo[i] = hi[i] = PlaceIn(dimension, side.low, side.high, Scattered(p, i));
      if (limit.query == nullptr) continue;
      const double away = DecodeFinite(dimension.scalar, lo[i]) - limit.query[i];
      square += away * away;
    }
    near += limit.query != nullptr ? square <= limit.greatest_square : limit.lower_bound(limit.context, lo, hi) <= limit.limit;
  }
  if (near == 0) return std::min(OfSphere(node, entry, limit), 0.5 / kPoints);
  return near / static_cast<double>(kPoints);
}

double BoxShare::Of(const NodeView& node, int entry) const {
  double share = 1;
  for (int i = 0; i < columns_ && share > 0; ++i) {
    const int c = column_[i], first = layout_->first_dimension[c];
    if (node.has_marks() || rule_[i] == MarkRule::kNull || rule_[i] == MarkRule::kEmpty) share *= OfMarks(node, entry, c, rule_[i]);
    if (rule_[i] == MarkRule::kValue || rule_[i] == MarkRule::kValueOrEmpty)
      share *= OfColumn(node, entry, c, constraint_->lo + first, constraint_->hi + first);
  }
  // The hull of the alternatives has been counted: they cut out a part of it.
  for (int i = 0; i < constraint_->any_of_count && share > 0; ++i) {
    const AnyOf& group = constraint_->any_of[i];
    const int first = layout_->first_dimension[group.column];
    const double hull = group.count == 0 ? 0 : OfColumn(node, entry, group.column, constraint_->lo + first, constraint_->hi + first);
    if (hull > 0) share *= std::min(OfAnyOf(node, entry, group) / hull, 1.0);
  }
  for (int i = 0; i < constraint_->limit_count && share > 0; ++i) share *= OfLimit(node, entry, constraint_->limit[i]);
  return share;
}

}  // namespace xtree
