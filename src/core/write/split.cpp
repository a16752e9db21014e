#include "core/write/split.h"

#include <algorithm>
#include <memory>

namespace xtree {

namespace {

constexpr double kTopologicalMinFill = 0.4;

NormalizedBoxes Normalized(const EntrySet& entries) {
  NormalizedBoxes boxes(entries.layout(), entries.size());
  Box box;
  for (int i = 0; i < entries.size(); i++) {
    entries.GetBox(i, &box);
    boxes.Add(box);
  }
  boxes.Normalize();
  return boxes;
}

// One ordering of the entries along a dimension, with the boxes of every prefix and suffix of at least `smallest` entries. Only as far as
// these differ the entries are put in order.
class Ordering {
 public:
  Ordering(const EntrySet& entries, const NormalizedBoxes& boxes, int dimension, bool by_hi, int smallest)
      : boxes_(boxes), smallest_(smallest), order_(entries.size()), prefix_(Rows()), suffix_(Rows()) {
    struct Key {
      Ordinal first, second;
      int entry;
      bool operator<(const Key& o) const {
        if (first != o.first) return first < o.first;
        if (second != o.second) return second < o.second;
        return entry < o.entry;
      }
    };
    std::vector<Key> keys(entries.size());
    for (int i = 0; i < entries.size(); i++) {
      const Ordinal lo = entries.lo(i, dimension), hi = entries.hi(i, dimension);
      keys[i] = by_hi ? Key{hi, lo, i} : Key{lo, hi, i};
      if (lo > hi) keys[i] = {kOrdinalMax, kOrdinalMax, i};  // no value here: keep such entries together, at the end
    }
    const auto middle = keys.begin() + smallest, last = keys.end() - smallest;
    std::nth_element(keys.begin(), middle, keys.end());
    if (last != middle) std::nth_element(middle, last, keys.end());
    std::sort(middle, last);
    for (int i = 0; i < entries.size(); i++) order_[i] = keys[i].entry;
    Accumulate();
  }

  const std::vector<int>& order() const { return order_; }
  const Extent* Left(int count) const { return &prefix_[static_cast<size_t>(count - smallest_) * boxes_.dimensions()]; }
  const Extent* Right(int from) const { return &suffix_[static_cast<size_t>(from - smallest_) * boxes_.dimensions()]; }

 private:
  // One for each place to cut.
  size_t Rows() const { return static_cast<size_t>(boxes_.size() - 2 * smallest_ + 1) * boxes_.dimensions(); }

  void Accumulate() {
    const int n = boxes_.size(), d = boxes_.dimensions();
    std::vector<Extent> box(d);
    boxes_.Clear(box.data());
    for (int i = 0; i < n - smallest_; i++) {
      boxes_.Unite(boxes_.row(order_[i]), box.data());
      if (i + 1 >= smallest_) std::copy(box.begin(), box.end(), prefix_.begin() + static_cast<ptrdiff_t>(i + 1 - smallest_) * d);
    }
    boxes_.Clear(box.data());
    for (int i = n - 1; i >= smallest_; i--) {
      boxes_.Unite(boxes_.row(order_[i]), box.data());
      if (i <= n - smallest_) std::copy(box.begin(), box.end(), suffix_.begin() + static_cast<ptrdiff_t>(i - smallest_) * d);
    }
  }

  const NormalizedBoxes& boxes_;
  const int smallest_;
  std::vector<int> order_;
  std::vector<Extent> prefix_;
  std::vector<Extent> suffix_;
};

// The best place to cut an ordering: least overlap area, then least total area, then the most even.
struct Cut {
  int left = 0;
  double overlap = 0;
  double area = 0;
  int imbalance = 0;
  bool Better(const Cut& o) const {
    if (overlap != o.overlap) return overlap < o.overlap;
    if (area != o.area) return area < o.area;
    return imbalance < o.imbalance;
  }
};

Cut BestCut(const NormalizedBoxes& boxes, const Ordering& ordering, int smallest) {
  const int n = boxes.size();
  Cut best;
  for (int left = smallest; left <= n - smallest; left++) {
    const Extent* a = ordering.Left(left);
    const Extent* b = ordering.Right(left);
    const Cut cut{left, boxes.OverlapArea(a, b), boxes.Area(a) + boxes.Area(b), std::abs(n - 2 * left)};
    if (best.left == 0 || cut.Better(best)) best = cut;
  }
  return best;
}

Partition Divide(const NormalizedBoxes& boxes, const Ordering& ordering, int left, int dimension) {
  const auto middle = ordering.order().begin() + left;
  return {{ordering.order().begin(), middle},
          {middle, ordering.order().end()},
          dimension,
          boxes.OverlapRatio(ordering.Left(left), ordering.Right(left))};
}

double MarginSum(const NormalizedBoxes& boxes, const Ordering& ordering, int smallest) {
  double sum = 0;
  for (int left = smallest; left <= boxes.size() - smallest; left++)
    sum += boxes.Margin(ordering.Left(left)) + boxes.Margin(ordering.Right(left));
  return sum;
}

bool PointLike(const EntrySet& entries, int dimension) { return entries.leaf() && !entries.layout().dimension[dimension].extended; }

// At least this share of the entries.
int SmallestHalf(int entries, double share) { return std::clamp(static_cast<int>(std::ceil(share * entries - 1e-9)), 1, entries / 2); }

// Does the ordering along the dimension tell entries apart at all?
bool Separates(const EntrySet& entries, const NormalizedBoxes& boxes, int dimension) {
  if (boxes.spread(dimension)) return true;
  for (int i = 1; i < entries.size(); i++)
    if (entries.lo(i, dimension) != entries.lo(0, dimension) || entries.hi(i, dimension) != entries.hi(0, dimension)) return true;
  return false;
}

// The dimension to cut, with its orderings.
struct Axis {
  int dimension;
  std::unique_ptr<const Ordering> by_lo;
  std::unique_ptr<const Ordering> by_hi;  // nullptr where it is the same
};

Axis MakeAxis(const EntrySet& entries, const NormalizedBoxes& boxes, int dimension, int smallest) {
  Axis axis{dimension, std::make_unique<Ordering>(entries, boxes, dimension, false, smallest), nullptr};
  if (!PointLike(entries, dimension)) axis.by_hi = std::make_unique<Ordering>(entries, boxes, dimension, true, smallest);
  return axis;
}

Axis LeastMarginAxis(const EntrySet& entries, const NormalizedBoxes& boxes, int smallest) {
  std::optional<Axis> best;
  double least = std::numeric_limits<double>::infinity();
  for (int d = 0; d < boxes.dimensions(); d++) {
    if (!Separates(entries, boxes, d)) continue;
    Axis axis = MakeAxis(entries, boxes, d, smallest);
    const double by_lo = MarginSum(boxes, *axis.by_lo, smallest);
    const double sum = by_lo + (axis.by_hi ? MarginSum(boxes, *axis.by_hi, smallest) : by_lo);
    if (!(sum < least)) continue;
    least = sum;
    best = std::move(axis);
  }
  return best ? std::move(*best) : MakeAxis(entries, boxes, 0, smallest);
}

}  // namespace

Partition TopologicalSplit(const EntrySet& entries) {
  const NormalizedBoxes boxes = Normalized(entries);
  const int smallest = SmallestHalf(entries.size(), kTopologicalMinFill);
  const Axis axis = LeastMarginAxis(entries, boxes, smallest);
  const Cut lo_cut = BestCut(boxes, *axis.by_lo, smallest);
  if (!axis.by_hi) return Divide(boxes, *axis.by_lo, lo_cut.left, axis.dimension);
  const Cut hi_cut = BestCut(boxes, *axis.by_hi, smallest);
  return hi_cut.Better(lo_cut) ? Divide(boxes, *axis.by_hi, hi_cut.left, axis.dimension)
                               : Divide(boxes, *axis.by_lo, lo_cut.left, axis.dimension);
}

std::optional<Partition> OverlapMinimalSplit(const EntrySet& entries, double min_fanout) {
  SplitHistory common = entries.history(0);
  for (int i = 1; i < entries.size(); i++) common = common & entries.history(i);
  if (common.Empty()) return std::nullopt;
  const NormalizedBoxes boxes = Normalized(entries);
  const int smallest = SmallestHalf(entries.size(), min_fanout);
  std::optional<Partition> best;
  for (int d = 0; d < boxes.dimensions(); d++) {
    if (!common.Has(d)) continue;
    for (const bool by_hi : {false, true}) {
      const Ordering ordering(entries, boxes, d, by_hi, smallest);
      Partition partition = Divide(boxes, ordering, BestCut(boxes, ordering, smallest).left, d);
      if (!best || partition.overlap < best->overlap) best = std::move(partition);
    }
  }
  return best;
}

std::optional<Partition> DirectorySplit(const EntrySet& entries, const TreeOptions& options, bool may_grow) {
  Partition topological = TopologicalSplit(entries);
  if (topological.overlap <= options.max_overlap) return topological;
  std::optional<Partition> minimal = OverlapMinimalSplit(entries, options.min_fanout);
  if (minimal && minimal->overlap <= options.max_overlap) return minimal;
  if (may_grow) return std::nullopt;
  if (minimal && minimal->overlap < topological.overlap) return minimal;
  return topological;
}

}  // namespace xtree
