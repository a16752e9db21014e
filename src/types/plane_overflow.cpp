// See plane_overflow.h.
#include "types/plane_overflow.h"

#include <cmath>

extern "C" {
#include "catalog/pg_type.h"
#include "utils/geo_decls.h"
}

namespace xtree {
namespace {

// Operators multiply two differences of coordinates, and compute sums of a few such products.
bool Overflows(double coordinate) { return !(std::fabs(coordinate) < 1e150); }

bool Overflows(const Point& point) { return Overflows(point.x) || Overflows(point.y); }

bool Overflows(const POLYGON& polygon) {
  for (int i = 0; i < polygon.npts; i++)
    if (Overflows(polygon.p[i])) return true;
  return false;
}

}  // namespace

bool ArgumentMayOverflow(const XtreeColumn*, Oid argument_type, Datum argument) {
  switch (argument_type) {
    case POINTOID:
      return Overflows(*DatumGetPointP(argument));
    case BOXOID:
      return Overflows(DatumGetBoxP(argument)->low) || Overflows(DatumGetBoxP(argument)->high);
    case CIRCLEOID:
      return Overflows(DatumGetCircleP(argument)->center) || Overflows(DatumGetCircleP(argument)->radius);
    case POLYGONOID:
      return Overflows(*DatumGetPolygonP(argument));
    default:
      return false;
  }
}

bool ValuesMayOverflow(const XtreeColumn* column, const int64* lo, const int64* hi) {
  for (int d = 0; d < column->dimensions; d++) {
    if (lo[d] > hi[d]) return false;
    if (Overflows(xtree_float8_from_ordinal(lo[d])) || Overflows(xtree_float8_from_ordinal(hi[d]))) return true;
  }
  return false;
}

bool AreaMayOverflow(const XtreeColumn* column, Oid argument_type, Datum argument) {
  return (argument_type == POLYGONOID || argument_type == CIRCLEOID) && ArgumentMayOverflow(column, argument_type, argument);
}

}  // namespace xtree
