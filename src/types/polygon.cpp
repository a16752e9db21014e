// Operator class for polygon: core GiST's poly_ops, with its strategy numbers.
//
// Called by the access method through XtreeTypeRoutine. The key is the bounding box that every polygon carries. Operators on one
// axis compare these boxes, without tolerance; the others are rechecked. No locks, no WAL.
#include <cmath>
#include <limits>

#include "pg/postgres_api.h"

extern "C" {
#include "utils/float.h"
#include "utils/geo_decls.h"
}

#include "types/bounding_box.h"
#include "types/plane_join.h"
#include "types/support_function.h"
#include "xtree.h"

namespace xtree {
namespace {

BOX BoundingBox(Datum value) {
  POLYGON* polygon = DatumGetPolygonP(value);
  const BOX box = polygon->boundbox;
  if (PointerGetDatum(polygon) != value) pfree(polygon);
  return box;
}

// NaN is the greatest coordinate here as in core's bounding box, so low <= high.
void Bounds(const XtreeColumn*, Datum value, XtreeBounds* out) {
  const BOX box = BoundingBox(value);
  for (int d = 0; d < 2; d++) {
    out->lo[d] = FirstAtLeast(LowOf(box, d));
    out->hi[d] = LastAtMost(HighOf(box, d));
  }
  out->empty = false;
}

// Corners are the same within the tolerance, one by one, so their extremes are.
void RequireSame(Coordinate coordinate, double q) { std::isnan(q) ? coordinate.Same(q) : coordinate.FuzzyEqual(q); }

// Operators on both axes at once; core looks at the boxes first, with tolerance.
bool ConstrainByArea(StrategyNumber strategy, const BOX& query, XtreeConstraint* out) {
  for (int d = 0; d < 2; d++) {
    switch (strategy) {
      case RTOverlapStrategyNumber:
        Low(out, d).FuzzyAtMost(HighOf(query, d));
        High(out, d).FuzzyAtLeast(LowOf(query, d));
        break;
      case RTContainsStrategyNumber:
        Low(out, d).FuzzyAtMost(LowOf(query, d));
        High(out, d).FuzzyAtLeast(HighOf(query, d));
        break;
      case RTContainedByStrategyNumber:
        Low(out, d).FuzzyAtLeast(LowOf(query, d));
        High(out, d).FuzzyAtMost(HighOf(query, d));
        break;
      case RTSameStrategyNumber:
        RequireSame(Low(out, d), LowOf(query, d));
        RequireSame(High(out, d), HighOf(query, d));
        break;
      default:
        return false;
    }
  }
  return true;
}

void ConstrainBySide(StrategyNumber strategy, const BOX& query, XtreeConstraint* out) {
  switch (strategy) {
    case RTLeftStrategyNumber:
      return High(out, 0).Less(query.low.x);
    case RTOverLeftStrategyNumber:
      return High(out, 0).AtMost(query.high.x);
    case RTOverRightStrategyNumber:
      return Low(out, 0).AtLeast(query.low.x);
    case RTRightStrategyNumber:
      return Low(out, 0).Greater(query.high.x);
    case RTBelowStrategyNumber:
      return High(out, 1).Less(query.low.y);
    case RTOverBelowStrategyNumber:
      return High(out, 1).AtMost(query.high.y);
    case RTOverAboveStrategyNumber:
      return Low(out, 1).AtLeast(query.low.y);
    case RTAboveStrategyNumber:
      return Low(out, 1).Greater(query.high.y);
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

void Constrain(const XtreeColumn*, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const BOX query = BoundingBox(argument);
  out->recheck = ConstrainByArea(strategy, query, out);
  if (!out->recheck) ConstrainBySide(strategy, query, out);
  NeverWhereEmpty(out);
}

// Core's distance is 0 inside and within the tolerance of an edge, also by comparisons with NaN; else that of a corner, or of the
// foot of the perpendicular on an edge. It believes in a foot whose distances to both ends of the edge add up to its length,
// within the tolerance: in an ellipse with the ends as foci. Its smaller half axis, for an edge as long as the box, is how far
// such a foot may be from the box. (1e-14: rounding errors, several times over.)
double LowerBound(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const Point& query = *static_cast<const Point*>(order->state);
  const double center[2] = {query.x, query.y};
  double gap[2], extent[2];
  for (int d = 0; d < 2; d++) {
    const double low = xtree_float8_from_ordinal(lo[d]), high = xtree_float8_from_ordinal(hi[d]);
    if (!std::isfinite(low) || !std::isfinite(high) || !std::isfinite(center[d])) return 0;
    gap[d] = Gap(center[d], center[d], low, high);
    extent[d] = high - low;
  }
  if (!std::isfinite(extent[0] + extent[1])) return BoundOfFarAway(gap[0], gap[1]);
  if (gap[0] <= 2 * EPSILON && gap[1] <= 2 * EPSILON) return 0;
  const double length = Hypotenuse(extent[0], extent[1]), excess = 2 * EPSILON + length * 1e-14;
  const double stray = (std::sqrt(length) * std::sqrt(2 * excess) + excess) / 2;
  const double bound = (Hypotenuse(gap[0], gap[1]) - stray) * (1 - 1e-14);
  return bound > 0 ? std::fmin(bound, std::numeric_limits<double>::max()) : 0;
}

// Where the difference to all corners overflows, core raises an error.
double Distance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const Point& query = *static_cast<const Point*>(order->state);
  const double center[2] = {query.x, query.y};
  for (int d = 0; d < 2; d++) {
    const double low = xtree_float8_from_ordinal(lo[d]), high = xtree_float8_from_ordinal(hi[d]);
    const bool finite = std::isfinite(low) && std::isfinite(high) && std::isfinite(center[d]);
    if (finite && std::isinf(Gap(center[d], center[d], low, high))) return std::numeric_limits<double>::quiet_NaN();
  }
  return LowerBound(order, lo, hi);
}

void Order(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out) {
  PointOrder(argument, nullptr, LowerBound, Distance, true, out);
}

constexpr XtreeTypeRoutine kRoutine = [] {
  XtreeTypeRoutine routine = BoundingBoxRoutine(Encoding::kPolygon, 1, Bounds, Constrain, Order);
  routine.join = JoinByArea;
  return routine;
}();

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_polygon_support, xtree::kRoutine)
