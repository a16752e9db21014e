#include "core/filter/any_of.h"

#include <algorithm>
#include <numeric>

#include "core/filter/constraint.h"

namespace xtree {
namespace {

// Fewer alternatives are tested one after the other.
constexpr int kMany = 8;

// May a value between `low` and `high` have its lo in one interval and its hi in the other?
bool Meets(const Interval& lo, const Interval& hi, Ordinal low, Ordinal high) {
  return low <= std::min(lo.max, hi.max) && high >= std::max(lo.min, hi.min);
}

}  // namespace

void AnyOf::Prepare(const KeyLayout& layout) {
  const int first = layout.first_dimension[column];
  sorted = ordered = false;
  if (!std::all_of(rule, rule + count, [](MarkRule r) { return r == MarkRule::kValue; })) return;
  if (layout.first_dimension[column + 1] - first != 1 || layout.dimension[first].extended) {
    ordered = order != nullptr && count >= kMany;
    if (ordered) Order(layout);
    return;
  }
  int kept = 0;
  for (int i = 0; i < count; i++) {
    lo[i].Intersect(hi[i]);
    if (!lo[i].Empty()) lo[kept++] = lo[i];
  }
  std::sort(lo, lo + kept, [](const Interval& a, const Interval& b) { return a.min < b.min; });
  if (Recheck()) std::fill_n(recheck, kept, true);
  int last = 0;
  for (int i = 1; i < kept; i++) {
    if (lo[i].min <= lo[last].max)
      lo[last].max = std::max(lo[last].max, lo[i].max);
    else
      lo[++last] = lo[i];
  }
  count = kept > 0 ? last + 1 : 0;
  std::copy_n(lo, count, hi);
  sorted = true;
}

// Where a value of the alternative may lie in the column's first dimension.
Interval AnyOf::First(int alternative, int dimensions) const {
  Interval both = lo[alternative * dimensions];
  both.Intersect(hi[alternative * dimensions]);
  return both;
}

void AnyOf::Order(const KeyLayout& layout) {
  const int dimensions = layout.first_dimension[column + 1] - layout.first_dimension[column];
  std::iota(order, order + count, 0);
  std::sort(order, order + count, [this, dimensions](int a, int b) { return First(a, dimensions).min < First(b, dimensions).min; });
  Ordinal furthest = kOrdinalMin;
  for (int i = 0; i < count; i++) reach[i] = furthest = std::max(furthest, First(order[i], dimensions).max);
}

void AnyOf::DropOutside(const KeyLayout& layout, const Box& bounds) {
  const int first = layout.first_dimension[column];
  const int dimensions = layout.first_dimension[column + 1] - first;
  const bool empties = (layout.Absent(bounds.marks) & ColumnMarks(column, kMarkEmpty)) != 0;
  int kept = 0;
  for (int i = 0; i < count; i++) {
    const Interval *l = lo + i * dimensions, *h = hi + i * dimensions;
    bool meets = rule[i] != MarkRule::kEmpty;
    for (int d = 0; d < dimensions; d++) meets &= Meets(l[d], h[d], bounds.lo[first + d], bounds.hi[first + d]);
    if (!meets && !(empties && rule[i] != MarkRule::kValue)) continue;
    std::copy_n(l, dimensions, lo + kept * dimensions);
    std::copy_n(h, dimensions, hi + kept * dimensions);
    if (recheck != nullptr) recheck[kept] = recheck[i];
    rule[kept++] = rule[i];
  }
  count = kept;
  if (ordered) Order(layout);
}

bool AnyOf::Recheck() const {
  return recheck != nullptr && std::any_of(recheck, recheck + count, [](bool r) { return r; });
}

bool AnyOf::RecheckAll() const {
  return recheck != nullptr && std::all_of(recheck, recheck + count, [](bool r) { return r; });
}

uint8_t AnyOf::Marks(const NodeView& node, int entry) const {
  const uint64_t marks = node.has_marks() ? node.layout().Absent(node.Marks(entry)) : 0;
  return (marks >> (2 * column)) & (kMarkNull | kMarkEmpty);
}

bool AnyOf::Certain(const NodeView& leaf, int entry) const {
  if (recheck == nullptr) return true;
  if (sorted) return !recheck[0];  // all say the same
  const uint8_t marks = Marks(leaf, entry);
  if (ordered) return PassesOrdered(leaf, entry, marks, true);
  for (int i = 0; i < count; i++)
    if (!recheck[i] && PassesOne(leaf, entry, i, marks)) return true;
  return false;
}

bool AnyOf::Passes(const NodeView& node, int entry) const {
  const uint8_t marks = Marks(node, entry);
  if (node.leaf() && (marks & kMarkNull)) return false;
  if (sorted) return !(node.leaf() && marks != 0) && PassesSorted(node, entry);
  if (ordered) return PassesOrdered(node, entry, marks, false);
  for (int i = 0; i < count; i++)
    if (PassesOne(node, entry, i, marks)) return true;
  return false;
}

// `certain`: an alternative that says all.
bool AnyOf::PassesOrdered(const NodeView& node, int entry, uint8_t marks, bool certain) const {
  const int first = node.layout().first_dimension[column], dimensions = node.layout().first_dimension[column + 1] - first;
  const Ordinal low = node.Lo(entry, first), high = node.Hi(entry, first);
  for (auto i = std::lower_bound(reach, reach + count, low) - reach; i < count && First(order[i], dimensions).min <= high; i++)
    if (!(certain && recheck[order[i]]) && PassesOne(node, entry, order[i], marks)) return true;
  return false;
}

bool AnyOf::PassesSorted(const NodeView& node, int entry) const {
  const int dimension = node.layout().first_dimension[column];
  const Ordinal low = node.Lo(entry, dimension), high = node.Hi(entry, dimension);
  const Interval* found = std::lower_bound(lo, lo + count, low, [](const Interval& i, Ordinal value) { return i.max < value; });
  return found != lo + count && found->min <= high;
}

bool AnyOf::PassesOne(const NodeView& node, int entry, int alternative, uint8_t marks) const {
  if ((marks & kMarkEmpty) && rule[alternative] != MarkRule::kValue) return true;
  if (rule[alternative] == MarkRule::kEmpty || (node.leaf() && marks != 0)) return false;
  const int first = node.layout().first_dimension[column];
  const int dimensions = node.layout().first_dimension[column + 1] - first;
  for (int d = 0; d < dimensions; d++) {
    const Interval& l = lo[alternative * dimensions + d];
    const Interval& h = hi[alternative * dimensions + d];
    const Ordinal low = node.Lo(entry, first + d), high = node.Hi(entry, first + d);
    if (!Meets(l, h, low, high)) return false;
    if (node.leaf() && (low < l.min || high > h.max)) return false;
  }
  return true;
}

}  // namespace xtree
