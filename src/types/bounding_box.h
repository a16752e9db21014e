// What the operator classes have in common whose keys are boxes in the plane: box, polygon, circle.
//
// Pure computation, but for PointOrder, which allocates the copy of its argument. No locks, no WAL.
#pragma once

#include <cmath>
#include <limits>

#include "pg/postgres_api.h"

extern "C" {
#include "utils/geo_decls.h"
}

#include "types/distance_bound.h"
#include "types/fuzzy.h"
#include "types/plane_overflow.h"
#include "types/routine.h"

namespace xtree {

// What a condition asks of the value's lower and upper edge in a dimension.
inline Coordinate Low(XtreeConstraint* out, int dimension) { return {&out->lo_min[dimension], &out->lo_max[dimension]}; }
inline Coordinate High(XtreeConstraint* out, int dimension) { return {&out->hi_min[dimension], &out->hi_max[dimension]}; }

inline double LowOf(const BOX& box, int dimension) { return dimension == 0 ? box.low.x : box.low.y; }
inline double HighOf(const BOX& box, int dimension) { return dimension == 0 ? box.high.x : box.high.y; }

// No value satisfies a condition that leaves some edge no place.
inline void NeverWhereEmpty(XtreeConstraint* out) {
  for (int d = 0; d < 2; d++)
    if (Low(out, d).Empty() || High(out, d).Empty()) out->match = XTREE_MATCH_NEVER;
}

static_assert(offsetof(Point, y) == sizeof(double), "a Point is an array of two coordinates");

// `<-> point`: the callbacks find a copy of the point as the order's state. With `recheck` the distance is a lower bound. Without `slack`
// the kernels are of no use.
inline void PointOrder(Datum argument, decltype(XtreeOrder::slack) slack, decltype(XtreeOrder::lower_bound) lower_bound,
                       decltype(XtreeOrder::distance) distance, bool recheck, XtreeOrder* out) {
  Point* query = static_cast<Point*>(palloc(sizeof(Point)));
  *query = *DatumGetPointP(argument);
  out->query = slack != nullptr ? &query->x : nullptr;
  out->slack = slack;
  out->lower_bound = lower_bound;
  out->distance = distance;
  out->recheck = recheck;
  out->state = query;
}

// A lower bound of distances from boxes so far away, by these gaps, that its rounding errors are not to be computed: they are less than a half.
// So rows whose distance is an error come late.
inline double BoundOfFarAway(double gap_x, double gap_y) {
  const double gap = Greater(gap_x, gap_y);
  return gap > 1e304 ? std::fmin(gap, std::numeric_limits<double>::max()) / 2 : 0;
}

// A value that is more than its bounding box: rechecked, never returned from the index.
constexpr XtreeTypeRoutine BoundingBoxRoutine(Encoding encoding, uint16 encoding_version, decltype(XtreeTypeRoutine::bounds) bounds,
                                              decltype(XtreeTypeRoutine::constraint) constraint, decltype(XtreeTypeRoutine::order) order) {
  XtreeTypeRoutine routine = NewRoutine(encoding, 2, 8, XTREE_SCALAR_FLOAT64, bounds, constraint);
  routine.encoding_version = encoding_version;
  routine.extended = true;
  routine.order = order;
  routine.argument_may_overflow = ArgumentMayOverflow;
  routine.values_may_overflow = ValuesMayOverflow;
  return routine;
}

}  // namespace xtree
