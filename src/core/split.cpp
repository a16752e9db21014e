#include "core/split.h"

#include <algorithm>
#include <numeric>

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

// One ordering of the entries along a dimension, with the boxes of every prefix and suffix.
class Ordering {
 public:
  Ordering(const EntrySet& entries, const NormalizedBoxes& boxes, int dimension, bool by_hi)
      : boxes_(boxes), order_(entries.size()), prefix_(Rows()), suffix_(Rows()) {
    std::iota(order_.begin(), order_.end(), 0);
    auto key = [&](int i) {
      const Ordinal lo = entries.lo(i, dimension), hi = entries.hi(i, dimension);
      if (lo > hi) return std::pair(kOrdinalMax, kOrdinalMax);  // no value here: keep such entries together, at the end
      return by_hi ? std::pair(hi, lo) : std::pair(lo, hi);
    };
    std::stable_sort(order_.begin(), order_.end(), [&](int a, int b) { return key(a) < key(b); });
    Accumulate();
  }

  const std::vector<int>& order() const { return order_; }
  const Extent* Left(int count) const { return &prefix_[static_cast<size_t>(count - 1) * boxes_.dimensions()]; }
  const Extent* Right(int from) const { return &suffix_[static_cast<size_t>(from) * boxes_.dimensions()]; }

 private:
  size_t Rows() const { return static_cast<size_t>(boxes_.size()) * boxes_.dimensions(); }

  void Accumulate() {
    const int n = boxes_.size(), d = boxes_.dimensions();
    std::vector<Extent> box(d);
    boxes_.Clear(box.data());
    for (int i = 0; i < n; i++) {
      boxes_.Unite(boxes_.row(order_[i]), box.data());
      std::copy(box.begin(), box.end(), prefix_.begin() + static_cast<ptrdiff_t>(i) * d);
    }
    boxes_.Clear(box.data());
    for (int i = n - 1; i >= 0; i--) {
      boxes_.Unite(boxes_.row(order_[i]), box.data());
      std::copy(box.begin(), box.end(), suffix_.begin() + static_cast<ptrdiff_t>(i) * d);
    }
  }

  const NormalizedBoxes& boxes_;
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

bool PointLike(const EntrySet& entries, int dimension) {
  return entries.leaf() && !entries.layout().dimension[dimension].extended;
}

// At least this share of the entries.
int SmallestHalf(int entries, double share) {
  return std::clamp(static_cast<int>(std::ceil(share * entries - 1e-9)), 1, entries / 2);
}

// Does the ordering along the dimension tell entries apart at all?
bool Separates(const EntrySet& entries, const NormalizedBoxes& boxes, int dimension) {
  if (boxes.spread(dimension)) return true;
  for (int i = 1; i < entries.size(); i++)
    if (entries.lo(i, dimension) != entries.lo(0, dimension) || entries.hi(i, dimension) != entries.hi(0, dimension))
      return true;
  return false;
}

int LeastMarginDimension(const EntrySet& entries, const NormalizedBoxes& boxes, int smallest) {
  int best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int d = 0; d < boxes.dimensions(); d++) {
    if (!Separates(entries, boxes, d)) continue;
    const double by_lo = MarginSum(boxes, Ordering(entries, boxes, d, false), smallest);
    const double sum =
        by_lo + (PointLike(entries, d) ? by_lo : MarginSum(boxes, Ordering(entries, boxes, d, true), smallest));
    if (sum < least) {
      least = sum;
      best = d;
    }
  }
  return best;
}

}  // namespace

Partition TopologicalSplit(const EntrySet& entries) {
  const NormalizedBoxes boxes = Normalized(entries);
  const int smallest = SmallestHalf(entries.size(), kTopologicalMinFill);
  const int dimension = LeastMarginDimension(entries, boxes, smallest);
  const Ordering by_lo(entries, boxes, dimension, false);
  const Cut lo_cut = BestCut(boxes, by_lo, smallest);
  if (PointLike(entries, dimension)) return Divide(boxes, by_lo, lo_cut.left, dimension);
  const Ordering by_hi(entries, boxes, dimension, true);
  const Cut hi_cut = BestCut(boxes, by_hi, smallest);
  return hi_cut.Better(lo_cut) ? Divide(boxes, by_hi, hi_cut.left, dimension)
                               : Divide(boxes, by_lo, lo_cut.left, dimension);
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
      const Ordering ordering(entries, boxes, d, by_hi);
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
