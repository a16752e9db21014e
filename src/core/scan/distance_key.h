// DistanceKey: the distance that an ordered scan, or a join by it, orders rows by; and what both make of it.
//
// Pure functions over plain data.
#pragma once

#include <algorithm>

#include "core/filter/constraint.h"
#include "core/scan/distance_rank.h"

namespace xtree {

// One ORDER BY term: the distance of a column's value to something. A row that is NULL or empty in the column has a
// NULL distance.
struct DistanceKey {
  int first;       // dimension of the column
  int dimensions;  // number of them
  int column;
  const double* query;  // Euclidean distance to it (float columns only): bounds by the kernels, none negative; or nullptr
  double (*lower_bound)(void* context, const Ordinal* lo, const Ordinal* hi);  // may be nullptr where query is not
  double (*distance)(void* context, const Ordinal* lo, const Ordinal* hi);     // exact
  void* context;
  double slack = 0;  // with query: no exact distance is further than this below the Euclidean one of the box
  double (*best_bound)(void* context, const Ordinal* lo, const Ordinal* hi) = nullptr;  // a better one than these, or nullptr
  double rounding = 0;                                                                  // with query: and by this part of it
};

// A distance with a square is not negative, whatever is taken off.
inline DistanceRank RankFromSquare(double square, const DistanceKey& key) {
  return RankFromDistance(std::max(BoundFromSquare(square) * (1 - key.rounding) - key.slack, 0.0));
}

// A row without a value in the key's column, or a node that holds only such rows.
inline bool IsNull(const NodeView& node, int slot, const DistanceKey& key) {
  if (((node.layout().Absent(node.Marks(slot)) >> (2 * key.column)) & 3) == 0) return false;
  return node.leaf() || node.Lo(slot, key.first) > node.Hi(slot, key.first);
}

// Does it exclude nothing?
inline bool MatchesAll(const KeyLayout& layout, const Constraint& constraint) {
  if (constraint.any_of_count > 0 || constraint.limit_count > 0) return false;
  for (int column = 0; column < layout.columns; ++column) {
    if (constraint.rule[column] != MarkRule::kAny) return false;
  }
  for (int d = 0; d < layout.dimensions; ++d) {
    if (!constraint.lo[d].Full() || !constraint.hi[d].Full()) return false;
  }
  return true;
}

}  // namespace xtree
