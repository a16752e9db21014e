// Operator class for point: core GiST's point_ops, with its strategy numbers.
//
// Called by the access method through XtreeTypeRoutine. A point is its two coordinates' ordinals. Everything but `<@
// polygon` and
// `<@ circle` is answered exactly by intervals. No locks, no WAL.
#include <cmath>
#include <limits>

#include "pg/postgres_api.h"

extern "C" {
#include "utils/float.h"
#include "utils/geo_decls.h"
}

#include "types/fuzzy.h"
#include "types/plane_distance.h"
#include "types/plane_join.h"
#include "types/plane_overflow.h"
#include "types/routine.h"
#include "types/support_function.h"
#include "xtree.h"

namespace xtree {
namespace {

// Strategies of operators whose right side is no point, as in core GiST.
constexpr StrategyNumber kWithinBox = 28;
constexpr StrategyNumber kWithinPolygon = 48;
constexpr StrategyNumber kWithinCircle = 68;

Coordinate X(XtreeConstraint* out) { return {&out->lo_min[0], &out->lo_max[0]}; }
Coordinate Y(XtreeConstraint* out) { return {&out->lo_min[1], &out->lo_max[1]}; }

void Bounds(const XtreeColumn*, Datum value, XtreeBounds* out) {
  const Point* point = DatumGetPointP(value);
  out->lo[0] = out->hi[0] = xtree_ordinal_from_float8(point->x);
  out->lo[1] = out->hi[1] = xtree_ordinal_from_float8(point->y);
  out->empty = false;
}

// point_eq_point: with a NaN anywhere both coordinates are compared exactly. A stored NaN meets only a NaN, so the
// query decides.
void ConstrainSame(const Point& query, XtreeConstraint* out) {
  if (std::isnan(query.x) || std::isnan(query.y)) {
    X(out).Same(query.x);
    Y(out).Same(query.y);
  } else {
    X(out).FuzzyEqual(query.x);
    Y(out).FuzzyEqual(query.y);
  }
}

void ConstrainByPoint(StrategyNumber strategy, const Point& query, XtreeConstraint* out) {
  switch (strategy) {
    case RTLeftStrategyNumber:
      return X(out).FuzzyLess(query.x);
    case RTRightStrategyNumber:
      return X(out).FuzzyGreater(query.x);
    case RTBelowStrategyNumber:
    case RTOldBelowStrategyNumber:
      return Y(out).FuzzyLess(query.y);
    case RTAboveStrategyNumber:
    case RTOldAboveStrategyNumber:
      return Y(out).FuzzyGreater(query.y);
    case RTSameStrategyNumber:
      return ConstrainSame(query, out);
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

// box_contain_point compares without tolerance.
void ConstrainByBox(const BOX& query, XtreeConstraint* out) {
  X(out).AtLeast(query.low.x);
  X(out).AtMost(query.high.x);
  Y(out).AtLeast(query.low.y);
  Y(out).AtMost(query.high.y);
}

// point_inside counts crossings of a ray to the right by the corners' coordinates relative to the point, zero within
// EPSILON. A point without NaN that is left, right, below or above all corners by more than that crosses nothing, also
// where some are infinite. But comparisons with NaN count as crossings: (NaN, y) may be inside for a y between the
// corners, and any (x, NaN). A polygon with NaN corners can contain anything, and one with infinite corners anything from
// which the difference to them is NaN.
void AddPointsWith(const XtreeColumn* column, Coordinate (*coordinate)(XtreeConstraint*), double value, XtreeConstraint* out) {
  XtreeConstraint* added = xtree_add_alternative(column, out);
  coordinate(added).Same(value);
  added->recheck = true;
}

void ConstrainByPolygon(const XtreeColumn* column, const POLYGON* query, XtreeConstraint* out) {
  out->recheck = true;
  Point low = query->p[0], high = query->p[0];
  bool finite = true;
  for (int i = 0; i < query->npts; i++) {
    const Point& corner = query->p[i];
    if (std::isnan(corner.x) || std::isnan(corner.y)) return;
    finite = finite && std::isfinite(corner.x) && std::isfinite(corner.y);
    low = {std::fmin(low.x, corner.x), std::fmin(low.y, corner.y)};
    high = {std::fmax(high.x, corner.x), std::fmax(high.y, corner.y)};
  }
  X(out).FuzzyBetween(low.x, high.x);
  Y(out).FuzzyBetween(low.y, high.y);
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  XtreeConstraint* nan_x = xtree_add_alternative(column, out);
  X(nan_x).Same(kNan);
  Y(nan_x).FuzzyBetween(low.y, high.y);
  nan_x->recheck = true;
  AddPointsWith(column, Y, kNan, out);
  if (finite) return;
  for (const double infinity : {-get_float8_infinity(), get_float8_infinity()}) {
    AddPointsWith(column, X, infinity, out);
    AddPointsWith(column, Y, infinity, out);
  }
}

// pg::Hypot(dx, dy) <= radius implies |dx| <= radius and |dy| <= radius for the rounded differences, because its result
// is never below either.
void ConstrainByCircle(const CIRCLE* query, XtreeConstraint* out) {
  const double radius = query->radius;
  if (std::isnan(radius)) {
    out->match = XTREE_MATCH_NEVER;
    return;
  }
  out->recheck = true;
  if (std::isinf(radius)) return;  // also points at infinity, or with one NaN
  X(out).Within(query->center.x, radius);
  Y(out).Within(query->center.y, radius);
}

void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  switch (strategy) {
    case kWithinBox:
      ConstrainByBox(*DatumGetBoxP(argument), out);
      break;
    case kWithinPolygon:
      ConstrainByPolygon(column, DatumGetPolygonP(argument), out);
      break;
    case kWithinCircle:
      ConstrainByCircle(DatumGetCircleP(argument), out);
      break;
    default:
      ConstrainByPoint(strategy, *DatumGetPointP(argument), out);
  }
  if (X(out).Empty() || Y(out).Empty()) out->match = XTREE_MATCH_NEVER;
}

Point PointOf(const int64* ordinals) { return {xtree_float8_from_ordinal(ordinals[0]), xtree_float8_from_ordinal(ordinals[1])}; }

double Distance(const XtreeOrder* order, const int64* lo, const int64*) {
  return PointDistance(PointOf(lo), *static_cast<const Point*>(order->state));
}

double BestBound(const XtreeOrder* order, const int64* lo, const int64* hi) {
  return LeastDistance(*static_cast<const Point*>(order->state), PointOf(lo), PointOf(hi));
}

// From a point at infinity, or with a NaN, everything is infinitely far away, or NaN, which sorts behind that.
double InfinitelyFar(const XtreeOrder*, const int64*, const int64*) { return get_float8_infinity(); }

void Order(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out) {
  Point* query = static_cast<Point*>(palloc(sizeof(Point)));
  *query = *DatumGetPointP(argument);
  const bool finite = std::isfinite(query->x) && std::isfinite(query->y);
  out->query = finite ? &query->x : nullptr;
  out->lower_bound = finite ? nullptr : InfinitelyFar;
  out->best_bound = finite ? BestBound : nullptr;
  out->distance = Distance;
  out->recheck = false;
  out->state = query;
}
static_assert(offsetof(Point, y) == sizeof(double), "a Point is an array of two coordinates");

Datum Reconstruct(const XtreeColumn*, const int64* lo, const int64*, bool) {
  Point* point = static_cast<Point*>(palloc(sizeof(Point)));
  *point = PointOf(lo);
  return PointPGetDatum(point);
}

bool Join(const XtreeColumn* column, StrategyNumber strategy, const XtreeColumn* argument, XtreeJoin* out) {
  if (strategy == kWithinBox) {
    out->relation = XTREE_WITHIN;
    out->reach = PlaneReachOrdinal;  // a box's upper ordinals leave a gap above zero, so that they are one too far out
    out->both_ways = true;
    return HasEncoding(argument, Encoding::kBox);
  }
  if (strategy == RTKNNSearchStrategyNumber) {
    out->by_distance = true;
    return xtree_same_ordinals(column, argument);
  }
  return strategy == RTSameStrategyNumber && JoinByArea(column, strategy, argument, out);
}

constexpr XtreeTypeRoutine kRoutine = [] {
  XtreeTypeRoutine routine = NewRoutine(Encoding::kPoint, 2, 8, XTREE_SCALAR_FLOAT64, Bounds, Constrain);
  routine.exact = true;
  routine.order = Order;
  routine.reconstruct = Reconstruct;
  routine.join = Join;
  routine.argument_may_overflow = AreaMayOverflow;  // what a polygon or circle leaves to be rechecked lies within its bounds, or is NaN
  return routine;
}();

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_point_support, xtree::kRoutine)
