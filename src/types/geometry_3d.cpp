// Operator class for PostGIS's geometry in space, of the extension xtree_postgis: its spgist_geometry_ops_3d, with the same
// strategy numbers.
//
// Called by the access method through XtreeTypeRoutine. The key is the box in x, y and z that PostGIS's operators compute, in
// doubles, of the coordinates (z is 0 where there is none), so conditions are exact, and values are read whole, as the operators
// read them. No locks, no WAL.
#include <cmath>
#include <limits>

#include "types/bounding_box.h"
#include "types/geometry_vertices.h"
#include "types/plane_join.h"
#include "types/routine.h"
#include "types/support_function.h"

namespace xtree {
namespace {

constexpr int kDimensions = 3;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kGreatest = std::numeric_limits<double>::max();

class SpaceBox {
 public:
  explicit SpaceBox(Datum value) {
    const StoredGeometry geometry(value, GeometryRead::kWhole);
    const GeometryVertices vertices(geometry, kDimensions, true);
    ordinary_ = vertices.measured();
    empty_ = ordinary_ && vertices.empty();
    if (empty_) return;
    for (int d = 0; d < 2 + geometry.has_z(); d++) {
      low_[d] = vertices.Low(d);
      high_[d] = vertices.High(d);
      ordinary_ = ordinary_ && !vertices.HasNan(d) && std::isfinite(low_[d]) && std::isfinite(high_[d]);
    }
  }

  bool Empty() const { return empty_; }
  bool Ordinary() const { return ordinary_ && !empty_; }  // not with arcs, of which PostGIS alone knows the box, nor with NaN or infinity
  double Low(int d) const { return low_[d]; }
  double High(int d) const { return high_[d]; }

 private:
  bool empty_;
  bool ordinary_;
  double low_[kDimensions] = {};
  double high_[kDimensions] = {};
};

// Those without an ordinary box are everywhere, empty ones at infinity, where no condition looks.
void Bounds(const XtreeColumn*, Datum value, XtreeBounds* out) {
  const SpaceBox box(value);
  out->empty = false;
  for (int d = 0; d < kDimensions; d++) {
    out->lo[d] = FirstAtLeast(box.Empty() ? kInfinity : box.Ordinary() ? box.Low(d) : -kInfinity);
    out->hi[d] = LastAtMost(box.Ordinary() ? box.High(d) : kInfinity);
  }
}

void Require(StrategyNumber strategy, const SpaceBox& query, int d, XtreeConstraint* out) {
  switch (strategy) {
    case RTOverlapStrategyNumber:
      Low(out, d).AtMost(query.High(d));
      High(out, d).AtLeast(query.Low(d));
      return;
    case RTContainsStrategyNumber:
      Low(out, d).AtMost(query.Low(d));
      High(out, d).AtLeast(query.High(d));
      return;
    case RTContainedByStrategyNumber:
      Low(out, d).AtLeast(query.Low(d));
      High(out, d).AtMost(query.High(d));
      return;
    case RTSameStrategyNumber:
      Low(out, d).FuzzyEqual(query.Low(d));
      High(out, d).FuzzyEqual(query.High(d));
      return;
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

void AddStrange(const XtreeColumn* column, XtreeConstraint* out) {
  XtreeConstraint* strange = xtree_add_alternative(column, out);
  strange->recheck = true;
  for (int d = 0; d < kDimensions; d++) {
    Low(strange, d).AtMost(-kInfinity);
    High(strange, d).AtLeast(kInfinity);
  }
}

// PostGIS's operators are an ERROR with an empty geometry, so that none is ever found.
void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const SpaceBox query(argument);
  if (query.Empty()) out->match = XTREE_MATCH_NEVER;
  Low(out, 0).AtMost(kGreatest);
  out->recheck = !query.Ordinary();
  if (out->recheck) return;
  for (int d = 0; d < kDimensions; d++) Require(strategy, query, d, out);
  Low(out, 0).AtLeast(-kGreatest);
  AddStrange(column, out);
}

// Whatever is in one of the relations meets, but that the same edges may lie apart by a tolerance.
bool Join(const XtreeColumn* column, StrategyNumber strategy, const XtreeColumn* argument, XtreeJoin* out) {
  XtreeRelation relation;
  if (strategy == RTSameStrategyNumber) out->reach = PlaneReachOrdinal;
  return AreaRelation(strategy, &relation) && xtree_same_ordinals(column, argument);
}

constexpr XtreeTypeRoutine kRoutine = [] {
  XtreeTypeRoutine routine = NewRoutine(Encoding::kGeometry3d, kDimensions, 8, XTREE_SCALAR_FLOAT64, Bounds, Constrain);
  routine.extended = true;
  routine.join = Join;
  return routine;
}();

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_geometry_3d_support, xtree::kRoutine)
