// DistanceLimit: one condition of a scan that an entry meets if it may be no further than a limit from something.
//
// Part of a Constraint, tested on the entries that the kernels leave. It goes by lower bounds of distances, so rows that it lets through
// may be further away: whoever asks keeps the comparison itself as a condition of the row. Nodes that are further away as a whole
// are not visited; an ordered scan thereby ends at the limit. Plain data; what it points to is the scan's. No locks.
#pragma once

#include "page/node.h"

namespace xtree {

struct DistanceLimit {
  int column;           // rows that are NULL or empty in it have no distance
  int first;            // dimension of the column
  int dimensions;       // number of them
  const double* query;  // Euclidean distance to it (float columns only): squares of bounds by the kernels; or nullptr
  double (*lower_bound)(void* context, const Ordinal* lo, const Ordinal* hi);  // where query is nullptr
  void* context;
  double limit;            // NaN: none, but for rows without a distance
  double greatest_square;  // where there is a query: see GreatestSquare
  bool by_boxes;           // kMarkNearer does not matter

  // Leaves in `slots` the entries that may be within the limit. Returns their number.
  int Run(const NodeView& node, uint16_t* slots, int count) const;

 private:
  bool HasDistance(const NodeView& node, int slot) const;
  bool MayBeNearer(const NodeView& node, int slot) const;
};

// A square that the kernels' bounds do not exceed where the exact distance may be `reach` or less. Negative: they always do.
double GreatestSquare(double reach);

}  // namespace xtree
