// Operator class for PostGIS's geometry in up to four dimensions, of the extension xtree_postgis: its
// gist_geometry_ops_nd, with the same strategy numbers.
//
// Called by the access method through XtreeTypeRoutine. The key is the box in x, y, z and m. A dimension that one of two
// geometries lacks does not count for PostGIS, and a value that lacks it covers all of it here: conditions are exact. Distances
// are rechecked. No locks, no WAL.
#include <cfloat>
#include <cmath>

#include "types/geometry_box.h"
#include "types/geometry_options.h"
#include "types/support_function.h"

namespace xtree {
namespace {

constexpr int kDimensions = 4;
constexpr StrategyNumber kOrderByDistance = 13;
constexpr StrategyNumber kOrderByApproach = 20;

// PostGIS takes an edge of FLT_MAX for a dimension that is not there.
bool Ordinary(const GeometryBox& box) {
  for (int d = 0; d < kDimensions; d++)
    if (box.Has(d) && IsCut(box.Low(d), box.High(d))) return false;
  return box.Ordinary();
}

void Bounds(const XtreeColumn* column, Datum value, XtreeBounds* out) {
  const GeometryBox box(value, kDimensions, ReadForKey(column));
  PutBox(box, Ordinary(box), kDimensions, out);
  out->nearer = box.NearerInSpace();
}

void RequireAll(int d, XtreeConstraint* out) {
  out->lo_max[d] = LowOrdinal(-FLT_MAX);
  out->hi_min[d] = HighOrdinal(FLT_MAX);
}

// Values without z, without m, and without both pass if the other dimensions do. `lacking`: a bit per dimension.
void RequireWithout(const GeometryBox& query, unsigned lacking, bool same, XtreeConstraint* out) {
  for (int d = 0; d < kDimensions; d++) {
    if (!query.Has(d)) continue;
    if (lacking >> d & 1)
      RequireAll(d, out);
    else
      same ? RequireSame(query, d, out) : RequireWithin(query, d, out);
  }
}

void AddLacking(const XtreeColumn* column, const GeometryBox& query, bool same, XtreeConstraint* out) {
  constexpr unsigned kZ = 1 << GeometryBox::kZ, kM = 1 << GeometryBox::kM;
  const unsigned counting = (query.Has(GeometryBox::kZ) ? kZ : 0) | (query.Has(GeometryBox::kM) ? kM : 0);
  for (const unsigned lacking : {kZ, kM, kZ | kM}) {
    if ((lacking & counting) != lacking) continue;
    XtreeConstraint* added = xtree_add_alternative(column, out);
    RequireWithout(query, lacking, same, added);
  }
}

// An empty geometry is in no relation, also not to another.
void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const RequireOnBox require = RequirementOf(strategy);
  if (require == nullptr) elog(ERROR, "unrecognized strategy number: %d", strategy);
  const GeometryBox query(argument, kDimensions, GeometryRead::kBox);
  if (query.Empty()) out->match = XTREE_MATCH_NEVER;
  ExcludeEmpty(kDimensions, out);
  out->recheck = !Ordinary(query);
  if (out->recheck) return;
  for (int d = 0; d < kDimensions; d++)
    if (query.Has(d)) require(query, d, out);
  ExcludeStrange(out);
  if (strategy == RTContainedByStrategyNumber || strategy == RTSameStrategyNumber)
    AddLacking(column, query, strategy == RTSameStrategyNumber, out);
  AddStrange(column, out);
}

// What is measured from: the dimensions of space that it has, none where it has no box.
struct Origin {
  int dimensions;
  double low[3];
  double high[3];
};

// m adds to some distances and to others not. Less the rounding errors, which grow with the coordinates. 0 from empty geometries,
// which PostGIS has at that distance, or at that of m.
double Distance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const auto& origin = *static_cast<const Origin*>(order->state);
  double sum = 0, size = 0;
  for (int d = 0; d < origin.dimensions; d++) {
    const double low = xtree_float4_from_ordinal(lo[d]), high = xtree_float4_from_ordinal(hi[d]);
    const double gap = Gap(origin.low[d], origin.high[d], low, high);
    if (IsCut(low, high)) {
      if (d == GeometryBox::kZ) continue;  // there may be none
      return 0;
    }
    sum += gap * gap;
    size += Size(origin.low[d], origin.high[d], low, high);
  }
  const double bound = Greater(std::sqrt(sum) * (1 - 1e-14) - size * 0x1p-44, 0);
  return bound < FLT_MAX ? bound : FLT_MAX;
}

void Order(const XtreeColumn*, StrategyNumber strategy, Oid, Datum argument, XtreeOrder* out) {
  if (strategy != kOrderByDistance && strategy != kOrderByApproach) elog(ERROR, "unrecognized strategy number: %d", strategy);
  const GeometryBox query(argument, kDimensions, GeometryRead::kWhole);
  auto* origin = static_cast<Origin*>(palloc0(sizeof(Origin)));
  if (Ordinary(query)) origin->dimensions = query.Has(GeometryBox::kZ) ? 3 : 2;
  for (int d = 0; d < origin->dimensions; d++) {
    origin->low[d] = query.Low(d);
    origin->high[d] = query.High(d);
  }
  RecheckedOrder(origin, Distance, out);
  out->nearer = strategy == kOrderByApproach || query.NearerInSpace();
}

// Whatever is in one of the relations meets: in dimensions that one lacks its box is everywhere.
bool Join(const XtreeColumn* column, StrategyNumber strategy, const XtreeColumn* argument, XtreeJoin*) {
  return RequirementOf(strategy) != nullptr && xtree_same_ordinals(column, argument);
}

Oid PlannerFamily(const XtreeColumn* column) { return PeerFamily(column->type, "gist_geometry_ops_nd"); }

// Distances of trajectories are not limited: how PostGIS computes them is another matter.
constexpr XtreeTypeRoutine kRoutine = [] {
  XtreeTypeRoutine routine =
      NearerFloatBoxRoutine(FloatBoxRoutine(Encoding::kGeometryNd, kDimensions, Bounds, Constrain, Order, PlannerFamily));
  routine.blind_strategies = 1U << kOrderByApproach;
  routine.join = Join;
  return routine;
}();

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_geometry_nd_support, xtree::kRoutine)
