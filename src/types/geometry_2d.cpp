// Operator class for PostGIS's geometry in the plane, of the extension xtree_postgis: its gist_geometry_ops_2d, with the
// same strategy numbers.
//
// Called by the access method through XtreeTypeRoutine. The key is the box of floats that PostGIS's operators compare, so
// conditions are exact, and so is the distance of the boxes, `<#>`. `<->` is the distance of the geometries, for which it is a lower
// bound, unless the box tells where a point lies. No locks, no WAL.
#include <cfloat>
#include <cmath>
#include <limits>

#include "types/geometry_box.h"
#include "types/geometry_options.h"
#include "types/support_function.h"

extern "C" {
#include "utils/lsyscache.h"
}

namespace xtree {
namespace {

constexpr int kDimensions = 2;
constexpr StrategyNumber kOrderByDistance = 13;
constexpr StrategyNumber kOrderByBoxDistance = 14;

void Bounds(const XtreeColumn* column, Datum value, XtreeBounds* out) {
  const GeometryBox box(value, kDimensions, ReadForKey(column));
  PutBox(box, box.Ordinary(), kDimensions, out);
  out->nearer = box.NearerInPlane();
}

void ConstrainBySide(StrategyNumber strategy, const GeometryBox& query, XtreeConstraint* out) {
  constexpr int kX = GeometryBox::kX, kY = GeometryBox::kY;
  switch (strategy) {
    case RTLeftStrategyNumber:
      out->hi_max[kX] = LowOrdinal(query.Low(kX)) - 1;
      return;
    case RTOverLeftStrategyNumber:
      out->hi_max[kX] = HighOrdinal(query.High(kX));
      return;
    case RTOverRightStrategyNumber:
      out->lo_min[kX] = LowOrdinal(query.Low(kX));
      return;
    case RTRightStrategyNumber:
      out->lo_min[kX] = HighOrdinal(query.High(kX)) + 1;
      return;
    case RTBelowStrategyNumber:
      out->hi_max[kY] = LowOrdinal(query.Low(kY)) - 1;
      return;
    case RTOverBelowStrategyNumber:
      out->hi_max[kY] = HighOrdinal(query.High(kY));
      return;
    case RTOverAboveStrategyNumber:
      out->lo_min[kY] = LowOrdinal(query.Low(kY));
      return;
    case RTAboveStrategyNumber:
      out->lo_min[kY] = HighOrdinal(query.High(kY)) + 1;
      return;
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

bool Holds(RegProcedure operator_function, const MadeGeometry& left, const MadeGeometry& right) {
  return DatumGetBool(OidFunctionCall2(operator_function, left.datum(), right.datum()));
}

// Is an empty geometry within every other (or does it contain every other)? It is where PostGIS is 3.5 and was not where it was 3.3; so the operator
// is asked, once in a session, as PostGIS's own class for GiST has it.
bool EmptyMatchesAll(Oid type, StrategyNumber strategy) {
  struct Answer {
    Oid type;
    bool matches;
  };
  static Answer answers[RTContainedByStrategyNumber + 1];
  if (strategy != RTContainsStrategyNumber && strategy != RTContainedByStrategyNumber) return false;
  Answer* answer = &answers[strategy];
  if (answer->type == type) return answer->matches;
  const Oid peer = get_opfamily_member(PeerFamily(type, "gist_geometry_ops_2d"), type, type, static_cast<int16>(strategy));
  const MadeGeometry empty = EmptyGeometry(), point = PointGeometry(0, 1, 1);
  const RegProcedure function = OidIsValid(peer) ? get_opcode(peer) : InvalidOid;
  const bool matches = !OidIsValid(function) || Holds(function, empty, point) || Holds(function, point, empty);
  *answer = {type, matches};
  return matches;
}

// Nothing is known of a geometry without an ordinary box. An empty one is like other empty ones, and in no other relation, but for
// EmptyMatchesAll.
void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const GeometryBox query(argument, kDimensions, GeometryRead::kBox);
  const bool empty_matches = EmptyMatchesAll(column->type, strategy);
  if (query.Empty()) {
    out->recheck = empty_matches;
    if (out->recheck) return;
    if (strategy != RTSameStrategyNumber) out->match = XTREE_MATCH_NEVER;
    RequireEmpty(kDimensions, out);
    return AddStrange(column, out);
  }
  out->recheck = !query.Ordinary();
  if (out->recheck) return;
  if (const RequireOnBox require = RequirementOf(strategy)) {
    for (int d = 0; d < kDimensions; d++) require(query, d, out);
  } else {
    ConstrainBySide(strategy, query, out);
  }
  ExcludeEmpty(kDimensions, out);
  ExcludeStrange(out);
  AddStrange(column, out);
  if (empty_matches) AddEmpty(column, out);
}

// What is measured from: a box, or nothing.
struct Origin {
  Datum geometry;
  int srid;
  bool point;
  bool known;
  double low[kDimensions];
  double high[kDimensions];
  double center[kDimensions];
  double radius;  // of a circle around the box
};

double GapIn(const Origin& origin, const int64* lo, const int64* hi, int d) {
  return Gap(origin.low[d], origin.high[d], xtree_float4_from_ordinal(lo[d]), xtree_float4_from_ordinal(hi[d]));
}

// An empty geometry is FLT_MAX from everything, or its distance is NULL.
double BoxDistance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const auto& origin = *static_cast<const Origin*>(order->state);
  if (!origin.known) return 0;
  const double bound = Hypotenuse(GapIn(origin, lo, hi, 0), GapIn(origin, lo, hi, 1)) * (1 - 1e-14);
  return bound < FLT_MAX ? bound : FLT_MAX;
}

// How much less a distance of points and edges can be than that of the boxes, by rounding errors that grow with the coordinates.
// Infinity: nothing is known.
double Rounding(const Origin& origin, const int64* lo, const int64* hi) {
  double size = 0;
  for (int d = 0; d < kDimensions; d++) {
    const double low = xtree_float4_from_ordinal(lo[d]), high = xtree_float4_from_ordinal(hi[d]);
    if (IsCut(low, high) || IsCut(origin.low[d], origin.high[d])) return std::numeric_limits<double>::infinity();
    size += Size(origin.low[d], origin.high[d], low, high);
  }
  return size * 0x1p-46;
}

// The operator's value, or -1 where it is NULL. Called with a point it has no cause for an ERROR, nor has `<#>`.
double ComputedDistance(const XtreeOrder* order, Datum geometry) {
  LOCAL_FCINFO(call, 2);
  InitFunctionCallInfoData(*call, order->function, 2, order->collation, nullptr, nullptr);
  call->args[0] = {geometry, false};
  call->args[1] = {static_cast<const Origin*>(order->state)->geometry, false};
  const Datum value = FunctionCallInvoke(call);
  return call->isnull ? -1 : DatumGetFloat8(value);
}

// PostGIS's arithmetic on boxes is monotone: none is nearer than one that contains it, by no bit. Not of empty ones, nor where nothing is known.
double ExactBoxDistance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const float low[] = {xtree_float4_from_ordinal(lo[0]), xtree_float4_from_ordinal(lo[1])};
  const float high[] = {xtree_float4_from_ordinal(hi[0]), xtree_float4_from_ordinal(hi[1])};
  const bool ordinary = low[0] >= -FLT_MAX && low[1] >= -FLT_MAX && high[0] <= FLT_MAX && high[1] <= FLT_MAX;
  const bool computable = ordinary && order->function != nullptr && static_cast<const Origin*>(order->state)->known;
  return computable ? ComputedDistance(order, GeometryWithBox(low[0], high[0], low[1], high[1]).datum()) : BoxDistance(order, lo, hi);
}

double LowerDistance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const double bound = BoxDistance(order, lo, hi);
  if (bound == 0) return 0;
  if (xtree_float4_from_ordinal(lo[0]) > FLT_MAX) return FLT_MAX;
  return Greater(bound - Rounding(*static_cast<const Origin*>(order->state), lo, hi), 0);
}

// All vertices lie at a point whose coordinates are floats, if the box says so. Only the distance from a point is that of points to the last
// bit, whatever the geometry is.
double Distance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const auto& origin = *static_cast<const Origin*>(order->state);
  const double x = xtree_float4_from_ordinal(lo[0]), y = xtree_float4_from_ordinal(lo[1]);
  const bool same = x == xtree_float4_from_ordinal(hi[0]) && y == xtree_float4_from_ordinal(hi[1]);
  if (same && origin.point && order->function != nullptr && !IsCut(x, x) && !IsCut(y, y)) {
    const double distance = ComputedDistance(order, PointGeometry(origin.srid, x, y).datum());
    if (distance >= 0) return distance;
  }
  return LowerDistance(order, lo, hi);
}

// The kernels measure from the center.
double Slack(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const auto& origin = *static_cast<const Origin*>(order->state);
  return Rounding(origin, lo, hi) + origin.radius;
}

// A point, of which the box says the floats on either side of each coordinate.
bool IsPoint(const Origin& origin) {
  for (int d = 0; d < kDimensions; d++)
    if (origin.high[d] - origin.low[d] > std::fabs(origin.center[d]) * 0x1p-22) return false;
  return true;
}

void Order(const XtreeColumn*, StrategyNumber strategy, Oid, Datum argument, XtreeOrder* out) {
  if (strategy != kOrderByDistance && strategy != kOrderByBoxDistance) elog(ERROR, "unrecognized strategy number: %d", strategy);
  const GeometryBox query(argument, kDimensions, strategy == kOrderByDistance ? GeometryRead::kWhole : GeometryRead::kBox);
  auto* origin = static_cast<Origin*>(palloc0(sizeof(Origin)));
  origin->known = query.Ordinary();
  origin->point = origin->known && query.IsPoint();
  origin->geometry = PointerGetDatum(PG_DETOAST_DATUM(argument));
  origin->srid = query.srid();
  for (int d = 0; d < kDimensions; d++) {
    origin->low[d] = query.Low(d);
    origin->high[d] = query.High(d);
    origin->center[d] = (origin->low[d] + origin->high[d]) / 2;
  }
  origin->radius = Hypotenuse(origin->high[0] - origin->low[0], origin->high[1] - origin->low[1]) / 2;
  RecheckedOrder(origin, strategy == kOrderByDistance ? LowerDistance : BoxDistance, out);
  out->distance = out->best_bound = strategy == kOrderByDistance ? Distance : ExactBoxDistance;
  out->by_boxes = strategy == kOrderByBoxDistance;
  out->nearer = !out->by_boxes && query.NearerInPlane();
  if (!origin->known || !IsPoint(*origin)) return;
  out->query = origin->center;
  out->slack = Slack;
}

// By whether the boxes meet, so that those that are everywhere, of values of which nothing is known, meet all. So do those of empty ones, which are
// nowhere else.
bool Join(const XtreeColumn* column, StrategyNumber strategy, const XtreeColumn* argument, XtreeJoin* out) {
  out->relation = XTREE_MEETS;
  return RequirementOf(strategy) != nullptr && xtree_same_ordinals(column, argument) && !EmptyMatchesAll(column->type, strategy);
}

Oid PlannerFamily(const XtreeColumn* column) { return PeerFamily(column->type, "gist_geometry_ops_2d"); }

constexpr XtreeTypeRoutine kRoutine = [] {
  XtreeTypeRoutine routine =
      NearerFloatBoxRoutine(FloatBoxRoutine(Encoding::kGeometry2d, kDimensions, Bounds, Constrain, Order, PlannerFamily));
  routine.join = Join;
  return routine;
}();

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_geometry_2d_support, xtree::kRoutine)

extern "C" {
PG_FUNCTION_INFO_V1(xtree_geometry_options);
Datum xtree_geometry_options(PG_FUNCTION_ARGS) {
  xtree::DefineGeometryOptions(reinterpret_cast<local_relopts*>(PG_GETARG_POINTER(0)));
  PG_RETURN_VOID();
}
}
