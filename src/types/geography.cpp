// Operator class for PostGIS's geography, of the extension xtree_postgis: its gist_geography_ops, with the same strategy
// numbers.
//
// Called by the access method through XtreeTypeRoutine. The key is the box of the value on the unit sphere, in x, y and z
// around the earth's center. Where no box is stored, it exceeds that of PostGIS by a little, so rows near the edge of a window are
// rechecked; distances are for all. No locks, no WAL.
#include <cmath>

#include "types/geometry_box.h"
#include "types/geometry_options.h"
#include "types/great_circle.h"
#include "types/support_function.h"

namespace xtree {
namespace {

constexpr int kDimensions = 3;
constexpr StrategyNumber kOrderByDistance = 13;

void Bounds(const XtreeColumn* column, Datum value, XtreeBounds* out) {
  const GeometryBox box(value, kDimensions, ReadForKey(column));
  PutBox(box, box.Ordinary(), kDimensions, out);
}

// How far an edge, of a value or of the argument, may be outside of PostGIS's, by both together: a little, and a float's last bits.
double Excess(double edge) { return 2 * kBoxExcess + std::fabs(edge) * 0x1p-21; }

// Boxes that overlap also without what they may be too large by.
void RequireOverlapSurely(const GeometryBox& query, int d, XtreeConstraint* out) {
  out->lo_max[d] = LowOrdinal(FloatAtMost(query.High(d) - Excess(query.High(d))));
  out->hi_min[d] = HighOrdinal(FloatAtLeast(query.Low(d) + Excess(query.Low(d))));
}

void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  if (strategy != RTOverlapStrategyNumber) elog(ERROR, "unrecognized strategy number: %d", strategy);
  const GeometryBox query(argument, kDimensions, GeometryRead::kBox);
  if (query.Empty()) out->match = XTREE_MATCH_NEVER;
  ExcludeEmpty(kDimensions, out);
  out->recheck = !query.Ordinary();
  if (out->recheck) return;
  XtreeConstraint* near = xtree_add_alternative(column, out);  // strange values too
  near->recheck = true;
  for (int d = 0; d < kDimensions; d++) {
    RequireOverlapSurely(query, d, out);
    RequireOverlap(query, d, near);
  }
  ExcludeStrange(out);
}

// What is measured from: a box on the unit sphere, and the sphere's radius, 0 where that is not known.
struct Origin {
  double radius;
  double low[kDimensions];
  double high[kDimensions];
};

// Along the sphere, from the straight distance of the boxes; less what PostGIS's arithmetic may lose.
double Distance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const auto& origin = *static_cast<const Origin*>(order->state);
  double sum = 0;
  for (int d = 0; d < kDimensions; d++) {
    const double gap = Gap(origin.low[d], origin.high[d], xtree_float4_from_ordinal(lo[d]), xtree_float4_from_ordinal(hi[d]));
    sum += gap * gap;
  }
  const double angle = 2 * std::asin(std::fmin(1, std::sqrt(sum) / 2));
  return std::fmax(0, origin.radius * angle * (1 - 1e-9) - 0.01);
}

void Order(const XtreeColumn*, StrategyNumber strategy, Oid, Datum argument, XtreeOrder* out) {
  if (strategy != kOrderByDistance) elog(ERROR, "unrecognized strategy number: %d", strategy);
  constexpr int kWgs84 = 4326;
  constexpr double kRadiusOfWgs84 = (2 * 6378137.0 + 6356752.314245179498) / 3;
  const GeometryBox query(argument, kDimensions, GeometryRead::kWhole);
  auto* origin = static_cast<Origin*>(palloc0(sizeof(Origin)));
  origin->radius = query.Ordinary() && query.srid() == kWgs84 ? kRadiusOfWgs84 : 0;
  for (int d = 0; d < kDimensions; d++) {
    origin->low[d] = query.Low(d);
    origin->high[d] = query.High(d);
  }
  RecheckedOrder(origin, Distance, out);
}

// Boxes are never smaller than PostGIS's. Those of values of which nothing is known are everywhere, those of empty ones at infinity.
bool Join(const XtreeColumn* column, StrategyNumber strategy, const XtreeColumn* argument, XtreeJoin*) {
  return strategy == RTOverlapStrategyNumber && xtree_same_ordinals(column, argument);
}

Oid PlannerFamily(const XtreeColumn* column) { return PeerFamily(column->type, "gist_geography_ops"); }

constexpr XtreeTypeRoutine kRoutine = [] {
  XtreeTypeRoutine routine = FloatBoxRoutine(Encoding::kGeography, kDimensions, Bounds, Constrain, Order, PlannerFamily);
  routine.join = Join;
  return routine;
}();

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_geography_support, xtree::kRoutine)
