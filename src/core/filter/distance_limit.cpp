#include "core/filter/distance_limit.h"

#include <algorithm>
#include <limits>

#include "core/filter/kernels.h"

namespace xtree {

// Above, squares may have lost what they stand for (kLargestSquare), and NaN is no limit. The margin covers the rounding of up to
// kMaxDimensions additions on either side, several times over.
double GreatestSquare(double reach) {
  constexpr double kMargin = 1 + 1e-12;
  constexpr double kFar = 1e150;
  if (!(reach < kFar)) return std::numeric_limits<double>::infinity();
  return reach < 0 ? -1 : std::max(reach * reach * kMargin, kSmallestSquare);
}

// A node that holds only rows without a value in the column has inverted bounds.
bool DistanceLimit::HasDistance(const NodeView& node, int slot) const {
  if (((node.layout().Absent(node.Marks(slot)) >> (2 * column)) & (kMarkNull | kMarkEmpty)) == 0) return true;
  return !node.leaf() && node.Lo(slot, first) <= node.Hi(slot, first);
}

// Than its bounds, which then say nothing.
bool DistanceLimit::MayBeNearer(const NodeView& node, int slot) const {
  return !by_boxes && (node.Marks(slot) & node.layout().nearer_marks & ColumnMarks(column, kMarkNearer)) != 0;
}

// A bound that is no number says nothing, so it is asked for what is beyond.
int DistanceLimit::Run(const NodeView& node, uint16_t* slots, int count) const {
  double squares[kMaxEntriesPerPage];
  Ordinal lo[kMaxDimensions], hi[kMaxDimensions];
  if (count > 0 && query != nullptr) ActiveKernels().squared_distance(node, first, dimensions, query, squares);
  const bool marked = node.has_marks();
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    const int slot = slots[i];
    slots[kept] = static_cast<uint16_t>(slot);
    if (marked && !HasDistance(node, slot)) continue;
    if (marked && MayBeNearer(node, slot)) {
      kept++;
    } else if (query != nullptr) {
      kept += !(squares[slot] > greatest_square);
    } else {
      node.LoadEdges(slot, first, dimensions, lo, hi);
      kept += !(lower_bound(context, lo, hi) > limit);
    }
  }
  return kept;
}

}  // namespace xtree
