// Operator class for box: core GiST's box_ops, with its strategy numbers.
//
// Called by the access method through XtreeTypeRoutine. A box is the ordinals of its lower and upper corner. Every
// operator is answered exactly by intervals. No locks, no WAL.
#include <cmath>

#include "pg/postgres_api.h"

extern "C" {
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/geo_decls.h"
}

#include "types/bounding_box.h"
#include "types/plane_distance.h"
#include "types/plane_join.h"
#include "types/routine.h"
#include "types/support_function.h"
#include "xtree.h"

namespace xtree {
namespace {

// An upper coordinate's ordinal leaves a gap above zero for one value more: -0 above +0. Core orders corners by value,
// so a box may well have those, and ordinals may not be in that order.
constexpr int64 kMinusZeroOverZero = 1;

int64 OrdinalOfHigh(double high, double low) {
  const int64 ordinal = xtree_ordinal_from_float8(high);
  if (ordinal == kNanOrdinal) return ordinal;
  if (ordinal > 0) return ordinal + 1;
  return high == 0 && xtree_ordinal_from_float8(low) > ordinal ? kMinusZeroOverZero : ordinal;
}

double HighFromOrdinal(int64 ordinal) {
  if (ordinal == kMinusZeroOverZero) return -0.0;
  return xtree_float8_from_ordinal(ordinal > 0 && ordinal != kNanOrdinal ? ordinal - 1 : ordinal);
}

// An interval of ordinals from xtree_ordinal_from_float8 becomes one of ordinals from OrdinalOfHigh. The two zeros are
// always both inside or both outside.
void LeaveGap(int64* min, int64* max) {
  if (*min > 0 && *min != kNanOrdinal) ++*min;
  if (*max >= 0 && *max != kNanOrdinal) ++*max;
}

// Core's intersection of boxes that only touch within EPSILON, and sums with infinite coordinates, come out inverted.
// Such a value has no place in a tree of boxes.
void BoundsOf(double low, double high, int64* lo, int64* hi) {
  *lo = xtree_ordinal_from_float8(low);
  *hi = OrdinalOfHigh(high, low);
  if (*lo <= *hi) return;
  ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("box with its lower corner beyond its upper corner cannot be indexed"),
          errdetail("The corners are at %.15g and %.15g.", low, high),
          errhint("Index the expression box(b[0], b[1]), which puts the corners in order."));
}

void Bounds(const XtreeColumn*, Datum value, XtreeBounds* out) {
  const BOX& box = *DatumGetBoxP(value);
  for (int d = 0; d < 2; d++) BoundsOf(LowOf(box, d), HighOf(box, d), &out->lo[d], &out->hi[d]);
  out->empty = false;
}

// point_eq_point of both corners: in a corner with a NaN, both coordinates are compared exactly.
void ConstrainSame(const BOX& query, XtreeConstraint* out) {
  const bool nan_low = std::isnan(query.low.x) || std::isnan(query.low.y);
  const bool nan_high = std::isnan(query.high.x) || std::isnan(query.high.y);
  for (int d = 0; d < 2; d++) {
    nan_low ? Low(out, d).Same(LowOf(query, d)) : Low(out, d).FuzzyEqual(LowOf(query, d));
    nan_high ? High(out, d).Same(HighOf(query, d)) : High(out, d).FuzzyEqual(HighOf(query, d));
  }
}

// Operators on both axes at once.
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
      default:
        return false;
    }
  }
  return true;
}

// Operators on one axis: left is before, below is before on the other axis.
void ConstrainBySide(StrategyNumber strategy, const BOX& query, XtreeConstraint* out) {
  switch (strategy) {
    case RTLeftStrategyNumber:
      return High(out, 0).FuzzyLess(query.low.x);
    case RTOverLeftStrategyNumber:
      return High(out, 0).FuzzyAtMost(query.high.x);
    case RTOverRightStrategyNumber:
      return Low(out, 0).FuzzyAtLeast(query.low.x);
    case RTRightStrategyNumber:
      return Low(out, 0).FuzzyGreater(query.high.x);
    case RTBelowStrategyNumber:
      return High(out, 1).FuzzyLess(query.low.y);
    case RTOverBelowStrategyNumber:
      return High(out, 1).FuzzyAtMost(query.high.y);
    case RTOverAboveStrategyNumber:
      return Low(out, 1).FuzzyAtLeast(query.low.y);
    case RTAboveStrategyNumber:
      return Low(out, 1).FuzzyGreater(query.high.y);
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

void Constrain(const XtreeColumn*, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const BOX& query = *DatumGetBoxP(argument);
  if (strategy == RTSameStrategyNumber) {
    ConstrainSame(query, out);
  } else if (!ConstrainByArea(strategy, query, out)) {
    ConstrainBySide(strategy, query, out);
  }
  for (int d = 0; d < 2; d++) LeaveGap(&out->hi_min[d], &out->hi_max[d]);
  NeverWhereEmpty(out);
}

BOX BoxOf(const int64* lo, const int64* hi) {
  return {.high = {HighFromOrdinal(hi[0]), HighFromOrdinal(hi[1])},
          .low = {xtree_float8_from_ordinal(lo[0]), xtree_float8_from_ordinal(lo[1])}};
}

// How far q is outside [low, high], less what dist_bp can lose. It takes the foot of the perpendicular for a point of
// an edge when the edge's length equals the sum of the distances to its ends as rounded: on a long edge a point well
// beyond the end passes. Half of the rounding errors is at most 2^-52 of the edge's length, which is at most `high -
// low`. Where that is infinite or NaN nothing is known. Near the least double, rounding is not relative, and nothing is
// claimed either.
double CertainGap(double low, double high, double q) {
  constexpr double kLeastClaimed = 1e-290;
  const double gap = Greater(low - q, q - high) - (high - low) * 0x1p-50;
  return gap > kLeastClaimed ? gap : 0;
}

// The largest relative error of a rounded distance, several times over.
constexpr double kRoundedDown = 1 - 1e-14;

double LowerBound(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const Point& query = *static_cast<const Point*>(order->state);
  const BOX box = BoxOf(lo, hi);
  return Hypotenuse(CertainGap(box.low.x, box.high.x, query.x), CertainGap(box.low.y, box.high.y, query.y)) * kRoundedDown;
}

struct DistanceCall {
  BOX box;
  Point query;
};

double CallDistance(void* argument) {
  auto* call = static_cast<DistanceCall*>(argument);
  return DatumGetFloat8(DirectFunctionCall2(dist_bp, BoxPGetDatum(&call->box), PointPGetDatum(&call->query)));
}

double Distance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  DistanceCall call{BoxOf(lo, hi), *static_cast<const Point*>(order->state)};
  return ValueOrNan(CallDistance, &call);
}

// dist_bp measures to a corner, or to a foot within the box: on edges of less than 2^20 its tolerance is above the rounding errors that
// CertainGap speaks of, and it takes the end for a foot within the tolerance of it. So no difference is less than that to the box.
double BestBound(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const BOX box = BoxOf(lo, hi);
  const bool small = box.high.x - box.low.x < 0x1p20 && box.high.y - box.low.y < 0x1p20;
  return small ? LeastDistance(*static_cast<const Point*>(order->state), box.low, box.high) : LowerBound(order, lo, hi);
}

// What CertainGap takes off: most for the longest edges.
double Slack(const XtreeOrder*, const int64* lo, const int64* hi) {
  const BOX box = BoxOf(lo, hi);
  return ((box.high.x - box.low.x) + (box.high.y - box.low.y)) * 0x1p-50;
}

void Order(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out) {
  PointOrder(argument, Slack, LowerBound, Distance, false, out);
  if (out->query != nullptr) out->best_bound = BestBound;
}

Datum Reconstruct(const XtreeColumn*, const int64* lo, const int64* hi, bool) {
  BOX* box = static_cast<BOX*>(palloc(sizeof(BOX)));
  *box = BoxOf(lo, hi);
  return BoxPGetDatum(box);
}

double CoordinateFromOrdinal(int64 ordinal, bool upper) { return upper ? HighFromOrdinal(ordinal) : xtree_float8_from_ordinal(ordinal); }

int64 Reach(int64 edge, bool argument_upper, bool value_upper, bool most) {
  if (edge == kNanOrdinal) return edge;
  const double reach = PlaneReach(CoordinateFromOrdinal(edge, argument_upper), most);
  int64 first = FirstAtLeast(reach), last = LastAtMost(reach);
  if (value_upper) LeaveGap(&first, &last);
  return most ? last : first;
}

bool Join(const XtreeColumn* column, StrategyNumber strategy, const XtreeColumn* argument, XtreeJoin* out) {
  out->reach = Reach;
  return xtree_same_ordinals(column, argument) && AreaRelation(strategy, &out->relation);
}

constexpr XtreeTypeRoutine kRoutine = [] {
  XtreeTypeRoutine routine = NewRoutine(Encoding::kBox, 2, 8, XTREE_SCALAR_FLOAT64, Bounds, Constrain);
  routine.extended = true;
  routine.exact = true;
  routine.order = Order;
  routine.reconstruct = Reconstruct;
  routine.coordinate = CoordinateFromOrdinal;
  routine.join = Join;
  return routine;
}();

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_box_support, xtree::kRoutine)
