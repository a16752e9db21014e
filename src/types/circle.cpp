// Operator class for circle: core GiST's circle_ops, with its strategy numbers.
//
// Called by the access method through XtreeTypeRoutine. The key is the bounding box with edges rounded as core's own operators
// round them; every condition is rechecked. No locks, no WAL.
#include <cmath>
#include <limits>

#include "pg/postgres_api.h"

extern "C" {
#include "utils/float.h"
#include "utils/geo_decls.h"
}

#include "types/bounding_box.h"
#include "types/support_function.h"
#include "xtree.h"

namespace xtree {
namespace {

double CenterOf(const CIRCLE& circle, int dimension) { return dimension == 0 ? circle.center.x : circle.center.y; }
double LowOf(const CIRCLE& circle, int dimension) { return CenterOf(circle, dimension) - circle.radius; }
double HighOf(const CIRCLE& circle, int dimension) { return CenterOf(circle, dimension) + circle.radius; }

// Has it a bounding box? cr_circle makes circles of negative radius, too.
bool IsOrdinary(const CIRCLE& circle) {
  return std::isfinite(circle.center.x) && std::isfinite(circle.center.y) && std::isfinite(circle.radius) && circle.radius >= 0;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Others cover the plane, and every condition lets them through to the recheck; but those whose radius is NaN lie at NaN, where only `~=`
// with such a circle looks: no other comparison holds, their distances are NaN, and arithmetic on their centers may be an error.
void Bounds(const XtreeColumn*, Datum value, XtreeBounds* out) {
  const CIRCLE& circle = *DatumGetCircleP(value);
  const bool ordinary = IsOrdinary(circle), nowhere = std::isnan(circle.radius);
  for (int d = 0; d < 2; d++) {
    out->lo[d] = nowhere ? kNanOrdinal : FirstAtLeast(ordinary ? LowOf(circle, d) : -kInfinity);
    out->hi[d] = nowhere ? kNanOrdinal : LastAtMost(ordinary ? HighOf(circle, d) : kInfinity);
  }
  out->empty = false;
}

void AddUnordinary(const XtreeColumn* column, XtreeConstraint* out) {
  XtreeConstraint* unordinary = xtree_add_alternative(column, out);
  unordinary->recheck = true;
  for (int d = 0; d < 2; d++) {
    Low(unordinary, d).AtMost(-kInfinity);
    High(unordinary, d).AtLeast(kInfinity);
  }
}

// The rounding errors of core's arithmetic on numbers of this size, several times over, and its tolerance.
double Slack(double size) { return 4 * EPSILON + size * 0x1p-46; }

double SizeOf(const CIRCLE& circle) { return std::fabs(circle.center.x) + std::fabs(circle.center.y) + circle.radius; }

// Centers and radii are equal.
void ConstrainSame(const CIRCLE& query, XtreeConstraint* out) {
  const double slack = Slack(SizeOf(query));
  for (int d = 0; d < 2; d++) {
    Low(out, d).AtLeast(LowOf(query, d) - slack);
    Low(out, d).AtMost(LowOf(query, d) + slack);
    High(out, d).AtLeast(HighOf(query, d) - slack);
    High(out, d).AtMost(HighOf(query, d) + slack);
  }
}

void ConstrainContained(const CIRCLE& query, XtreeConstraint* out) {
  const double slack = Slack(SizeOf(query));
  for (int d = 0; d < 2; d++) {
    Low(out, d).AtLeast(LowOf(query, d) - slack);
    High(out, d).AtMost(HighOf(query, d) + slack);
  }
}

// The value's box meets, or contains, that of the query. How far core's arithmetic is off depends on the value's radius too, so
// values much larger than the query are found by their size alone.
void ConstrainReaching(const XtreeColumn* column, const CIRCLE& query, bool contains, XtreeConstraint* out) {
  const double large = (SizeOf(query) + 1) * 0x1p20, slack = Slack(SizeOf(query) + 2 * large);
  for (int d = 0; d < 2; d++) {
    Low(out, d).AtMost((contains ? LowOf(query, d) : HighOf(query, d)) + slack);
    High(out, d).AtLeast((contains ? HighOf(query, d) : LowOf(query, d)) - slack);
  }
  XtreeConstraint* to_left = xtree_add_alternative(column, out);
  to_left->recheck = true;
  Low(to_left, 0).AtMost(-large / 2);
  XtreeConstraint* to_right = xtree_add_alternative(column, out);
  to_right->recheck = true;
  High(to_right, 0).AtLeast(large / 2);
}

// Operators that compare centers and radii. Where the query is not ordinary, anything may match.
bool ConstrainByArea(const XtreeColumn* column, StrategyNumber strategy, const CIRCLE& query, XtreeConstraint* out) {
  const bool ordinary = IsOrdinary(query);
  switch (strategy) {
    case RTOverlapStrategyNumber:
    case RTContainsStrategyNumber:
      if (ordinary) ConstrainReaching(column, query, strategy == RTContainsStrategyNumber, out);
      return true;
    case RTContainedByStrategyNumber:
      if (ordinary) ConstrainContained(query, out);
      return true;
    case RTSameStrategyNumber:
      if (ordinary) ConstrainSame(query, out);
      return true;
    default:
      return false;
  }
}

// Operators on one axis compare edges as they are stored.
void ConstrainBySide(StrategyNumber strategy, const CIRCLE& query, XtreeConstraint* out) {
  switch (strategy) {
    case RTLeftStrategyNumber:
      return High(out, 0).FuzzyLess(LowOf(query, 0));
    case RTOverLeftStrategyNumber:
      return High(out, 0).FuzzyAtMost(HighOf(query, 0));
    case RTOverRightStrategyNumber:
      return Low(out, 0).FuzzyAtLeast(LowOf(query, 0));
    case RTRightStrategyNumber:
      return Low(out, 0).FuzzyGreater(HighOf(query, 0));
    case RTBelowStrategyNumber:
      return High(out, 1).FuzzyLess(LowOf(query, 1));
    case RTOverBelowStrategyNumber:
      return High(out, 1).FuzzyAtMost(HighOf(query, 1));
    case RTOverAboveStrategyNumber:
      return Low(out, 1).FuzzyAtLeast(LowOf(query, 1));
    case RTAboveStrategyNumber:
      return Low(out, 1).FuzzyGreater(HighOf(query, 1));
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const CIRCLE& query = *DatumGetCircleP(argument);
  out->recheck = true;
  if (!ConstrainByArea(column, strategy, query, out)) ConstrainBySide(strategy, query, out);
  NeverWhereEmpty(out);
  AddUnordinary(column, out);
}

// The rounding errors of the box and of core's distance grow with the coordinates. Not finite where these are not.
double Rounding(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const Point& query = *static_cast<const Point*>(order->state);
  const double center[2] = {query.x, query.y};
  double size = 0;
  for (int d = 0; d < 2; d++) size += Size(center[d], center[d], xtree_float8_from_ordinal(lo[d]), xtree_float8_from_ordinal(hi[d]));
  return size * 0x1p-46;
}

// The way to the bounding box, less these.
double LowerBound(const XtreeOrder* order, const int64* lo, const int64* hi) {
  constexpr double kLeastClaimed = 1e-290;  // below, rounding is not relative
  const Point& query = *static_cast<const Point*>(order->state);
  const double center[2] = {query.x, query.y};
  double gap[2];
  for (int d = 0; d < 2; d++) gap[d] = Gap(center[d], center[d], xtree_float8_from_ordinal(lo[d]), xtree_float8_from_ordinal(hi[d]));
  const double bound = Hypotenuse(gap[0], gap[1]) * (1 - 1e-14) - Rounding(order, lo, hi);
  return bound > kLeastClaimed ? bound : BoundOfFarAway(gap[0], gap[1]);  // also where anything is infinite or NaN
}

double Distance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  return lo[0] == kNanOrdinal ? std::numeric_limits<double>::quiet_NaN() : LowerBound(order, lo, hi);
}

void Order(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out) {
  PointOrder(argument, Rounding, LowerBound, Distance, true, out);
}

constexpr XtreeTypeRoutine kRoutine = BoundingBoxRoutine(Encoding::kCircle, 2, Bounds, Constrain, Order);

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_circle_support, xtree::kRoutine)
