// The box of a PostGIS geometry or geography, as PostGIS's own operators compare it, and what of it makes keys and conditions.
//
// A box of 32-bit floats, rounded outwards: one that is stored in the value, or, for points and short lines, one made of the
// coordinates. For the operator classes of xtree_postgis. No locks, no WAL; may detoast (stored_geometry.h).
#pragma once

#include <cfloat>
#include <cmath>

#include "pg/postgres_api.h"

extern "C" {
#include "utils/float.h"
}

#include "types/distance_bound.h"
#include "types/stored_geometry.h"
#include "types/routine.h"

namespace xtree {

class GeometryVertices;

class GeometryBox {
 public:
  static constexpr int kX = 0, kY = 1, kZ = 2, kM = 3;  // of a geography: x, y and z around the earth's center

  // Of the coordinates, `dimensions` matter. kBox is enough for conditions: the operators look at no more. Distances are those of
  // the coordinates.
  GeometryBox(Datum value, int dimensions, GeometryRead read);

  bool Empty() const { return empty_; }  // the value has no points
  bool Has(int d) const { return has_[d]; }
  float Low(int d) const { return low_[d]; }
  float High(int d) const { return high_[d]; }
  int srid() const { return srid_; }
  bool IsPoint() const;  // not empty, and no collection

  // May PostGIS have the geometry at less than the distance of its box, in the plane or in space, as far as is known? Its arithmetic of
  // arcs does, and that of polygons in space, which are not all in one plane. Nothing is known of coordinates that were not read:
  // there may be a NaN. Where these are not Ordinary, they have no box to speak of.
  bool NearerInPlane() const { return !read_ || curved_; }
  bool NearerInSpace() const { return NearerInPlane() || (has_area_ && has_[kZ]); }

  // Is this a box, and will distances be no less than the boxes', as far as was looked? Not where a coordinate is NaN or next to
  // zero, nor where only PostGIS could tell.
  bool Ordinary() const;

 private:
  void SetBox(const StoredGeometry& geometry, const GeometryVertices* vertices);

  int dimensions_;
  int srid_;
  uint32 type_ = 0;
  bool empty_ = false;
  bool known_ = true;
  bool read_ = false;
  bool curved_ = false;
  bool has_area_ = false;
  bool has_[4] = {};
  float low_[4] = {};
  float high_[4] = {};
};

// Ordinals of an edge. The two zeros are one number: a lower edge gets the ordinal of -0, an upper one that of +0.
inline int64 LowOrdinal(float low) { return xtree_ordinal_from_float4(low == 0 ? -0.0f : low); }
inline int64 HighOrdinal(float high) { return xtree_ordinal_from_float4(high == 0 ? 0.0f : high); }

// The floats nearest to a number that are not above or below it, and not infinite.
float FloatAtMost(double number);
inline float FloatAtLeast(double number) { return -FloatAtMost(-number); }

// Where values lie that have no box. Coordinates of boxes are not beyond FLT_MAX, so neither can be taken for one. Strange ones
// are everywhere; empty ones at infinity, where no condition looks but RequireEmpty.
void PutEmpty(int dimensions, XtreeBounds* out);
void PutStrange(int dimensions, XtreeBounds* out);

// A box as bounds(), where `ordinary`; dimensions that it lacks are full.
void PutBox(const GeometryBox& box, bool ordinary, int dimensions, XtreeBounds* out);

// May an edge be one of theirs, or of a coordinate that no float reaches? Then it tells nothing of distances.
inline bool IsCut(double low, double high) { return low <= -FLT_MAX || high >= FLT_MAX; }

// What order() says of a distance that has a lower bound, and is computed on the row. `origin` is what `bound` measures from.
inline void RecheckedOrder(void* origin, decltype(XtreeOrder::distance) bound, XtreeOrder* out) {
  out->query = nullptr;
  out->recheck = true;
  out->state = origin;
  out->lower_bound = out->distance = bound;
}

void RequireEmpty(int dimensions, XtreeConstraint* out);
void ExcludeEmpty(int dimensions, XtreeConstraint* out);

// Of strange values the conditions on a box say nothing: they do not pass, or pass to be rechecked.
void ExcludeStrange(XtreeConstraint* out);
void AddStrange(const XtreeColumn* column, XtreeConstraint* out);
// Empty ones pass too, to be rechecked.
void AddEmpty(const XtreeColumn* column, XtreeConstraint* out);

// What is required of a value's edges in dimension d.
inline void RequireOverlap(const GeometryBox& query, int d, XtreeConstraint* out) {
  out->lo_max[d] = HighOrdinal(query.High(d));
  out->hi_min[d] = LowOrdinal(query.Low(d));
}
inline void RequireContains(const GeometryBox& query, int d, XtreeConstraint* out) {
  out->lo_max[d] = HighOrdinal(query.Low(d));
  out->hi_min[d] = LowOrdinal(query.High(d));
}
inline void RequireWithin(const GeometryBox& query, int d, XtreeConstraint* out) {
  out->lo_min[d] = LowOrdinal(query.Low(d));
  out->hi_max[d] = HighOrdinal(query.High(d));
}
inline void RequireSame(const GeometryBox& query, int d, XtreeConstraint* out) {
  RequireWithin(query, d, out);
  RequireContains(query, d, out);
}

// The operators on a box as a whole; nullptr for others.
using RequireOnBox = void (*)(const GeometryBox& query, int d, XtreeConstraint* out);
RequireOnBox RequirementOf(StrategyNumber strategy);

// A value that is more than its box of floats.
constexpr XtreeTypeRoutine FloatBoxRoutine(Encoding encoding, uint16 dimensions, decltype(XtreeTypeRoutine::bounds) bounds,
                                           decltype(XtreeTypeRoutine::constraint) constraint, decltype(XtreeTypeRoutine::order) order,
                                           decltype(XtreeTypeRoutine::planner_family) planner_family) {
  XtreeTypeRoutine routine = NewRoutine(encoding, dimensions, 4, XTREE_SCALAR_FLOAT32, bounds, constraint);
  routine.encoding_version = 2;
  routine.extended = true;
  routine.order = order;
  routine.planner_family = planner_family;
  return routine;
}

// The same, of values in whose distances PostGIS may go below those of their boxes.
constexpr XtreeTypeRoutine NearerFloatBoxRoutine(XtreeTypeRoutine routine) {
  routine.encoding_version = 3;
  routine.may_be_nearer = true;
  return routine;
}

// The peer's operator family in the schema of the type: see XtreeTypeRoutine.planner_family.
Oid PeerFamily(Oid type, const char* name);

}  // namespace xtree
