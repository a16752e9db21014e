// See geometry_box.h.
#include "types/geometry_box.h"

#include <algorithm>
#include <cmath>
#include <limits>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "utils/syscache.h"
}

#include "types/geometry_vertices.h"

namespace xtree {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

float FloatAtMost(double number) {
  if (number > FLT_MAX) return FLT_MAX;
  if (number <= -FLT_MAX) return -FLT_MAX;
  const float nearest = static_cast<float>(number);
  return nearest <= number ? nearest : std::nextafterf(nearest, -FLT_MAX);
}

GeometryBox::GeometryBox(Datum value, int dimensions, GeometryRead read) : dimensions_(dimensions) {
  const StoredGeometry geometry(value, read);
  const bool stored = geometry.box() != nullptr;
  srid_ = geometry.srid();
  if (geometry.body() == nullptr) {
    SetBox(geometry, nullptr);
    return;
  }
  type_ = geometry.type();
  const GeometryVertices vertices(geometry, dimensions, !stored);
  read_ = true;
  curved_ = vertices.curved();
  has_area_ = vertices.has_area();
  known_ = !vertices.odd() && (stored || vertices.measured());
  empty_ = known_ && !stored && vertices.empty();
  SetBox(geometry, stored ? nullptr : &vertices);
}

bool GeometryBox::IsPoint() const { return type_ == kPointType && !empty_; }

// From the stored box, or from the coordinates.
void GeometryBox::SetBox(const StoredGeometry& geometry, const GeometryVertices* vertices) {
  const bool has[4] = {true, true, geometry.has_z() || geometry.geodetic(), geometry.has_m() && !geometry.geodetic()};
  const uint8* edges = geometry.box();
  int at = 0;  // dimension of the box, or coordinate
  for (int d = 0; d < 4; d++) {
    has_[d] = has[d];
    if (!has[d]) continue;
    if (vertices == nullptr) {
      memcpy(&low_[d], edges + sizeof(float) * 2 * at, sizeof(float));
      memcpy(&high_[d], edges + sizeof(float) * (2 * at + 1), sizeof(float));
    } else if (!vertices->empty()) {
      const bool nan = vertices->HasNan(at);
      low_[d] = nan ? std::numeric_limits<float>::quiet_NaN() : FloatAtMost(vertices->Low(at));
      high_[d] = nan ? std::numeric_limits<float>::quiet_NaN() : FloatAtLeast(vertices->High(at));
    }
    at++;
  }
}

bool GeometryBox::Ordinary() const {
  if (!known_ || empty_) return false;
  for (int d = 0; d < dimensions_; d++)
    if (has_[d] && !(low_[d] <= high_[d] && low_[d] >= -FLT_MAX && high_[d] <= FLT_MAX)) return false;
  return true;
}

void PutEmpty(int dimensions, XtreeBounds* out) {
  for (int d = 0; d < dimensions; d++) out->lo[d] = out->hi[d] = xtree_ordinal_from_float4(kInfinity);
}

void PutStrange(int dimensions, XtreeBounds* out) {
  for (int d = 0; d < dimensions; d++) {
    out->lo[d] = xtree_ordinal_from_float4(-kInfinity);
    out->hi[d] = xtree_ordinal_from_float4(kInfinity);
  }
}

void PutBox(const GeometryBox& box, bool ordinary, int dimensions, XtreeBounds* out) {
  out->empty = false;
  if (box.Empty()) return PutEmpty(dimensions, out);
  if (!ordinary) return PutStrange(dimensions, out);
  for (int d = 0; d < dimensions; d++) {
    out->lo[d] = LowOrdinal(box.Has(d) ? box.Low(d) : -FLT_MAX);
    out->hi[d] = HighOrdinal(box.Has(d) ? box.High(d) : FLT_MAX);
  }
}

void RequireEmpty(int dimensions, XtreeConstraint* out) {
  for (int d = 0; d < dimensions; d++) out->lo_min[d] = xtree_ordinal_from_float4(kInfinity);
}

void ExcludeEmpty(int dimensions, XtreeConstraint* out) {
  for (int d = 0; d < dimensions; d++) out->lo_max[d] = std::min(out->lo_max[d], xtree_ordinal_from_float4(FLT_MAX));
}

void ExcludeStrange(XtreeConstraint* out) { out->lo_min[0] = std::max(out->lo_min[0], xtree_ordinal_from_float4(-FLT_MAX)); }

void AddStrange(const XtreeColumn* column, XtreeConstraint* out) {
  XtreeConstraint* strange = xtree_add_alternative(column, out);
  strange->recheck = true;
  for (int d = 0; d < column->dimensions; d++) {
    strange->lo_max[d] = xtree_ordinal_from_float4(-kInfinity);
    strange->hi_min[d] = xtree_ordinal_from_float4(kInfinity);
  }
}

void AddEmpty(const XtreeColumn* column, XtreeConstraint* out) {
  XtreeConstraint* empty = xtree_add_alternative(column, out);
  empty->recheck = true;
  RequireEmpty(column->dimensions, empty);
}

RequireOnBox RequirementOf(StrategyNumber strategy) {
  switch (strategy) {
    case RTOverlapStrategyNumber:
      return RequireOverlap;
    case RTContainsStrategyNumber:
      return RequireContains;
    case RTContainedByStrategyNumber:
      return RequireWithin;
    case RTSameStrategyNumber:
      return RequireSame;
    default:
      return nullptr;
  }
}

Oid PeerFamily(Oid type, const char* name) {
  const HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
  if (!HeapTupleIsValid(tuple)) return InvalidOid;
  const Oid schema = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typnamespace;
  ReleaseSysCache(tuple);
  return GetSysCacheOid3(OPFAMILYAMNAMENSP, Anum_pg_opfamily_oid, ObjectIdGetDatum(GIST_AM_OID), CStringGetDatum(name),
                         ObjectIdGetDatum(schema));
}

}  // namespace xtree
