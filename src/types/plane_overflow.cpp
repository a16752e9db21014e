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

bool HasOverflowingCoordinates(Oid type, Datum value) {
  switch (type) {
    case POINTOID:
      return Overflows(*DatumGetPointP(value));
    case BOXOID:
      return Overflows(DatumGetBoxP(value)->low) || Overflows(DatumGetBoxP(value)->high);
    case CIRCLEOID:
      return Overflows(DatumGetCircleP(value)->center) || Overflows(DatumGetCircleP(value)->radius);
    case POLYGONOID:
      return Overflows(*DatumGetPolygonP(value));
    default:
      return false;
  }
}

bool AreaMayOverflow(const XtreeColumn*, Oid argument_type, const Datum* argument, const int64*, const int64*) {
  const bool area = argument_type == POLYGONOID || argument_type == CIRCLEOID;
  return area && argument != nullptr && HasOverflowingCoordinates(argument_type, *argument);
}

bool AnyMayOverflow(const XtreeColumn* column, Oid argument_type, const Datum* argument, const int64* lo, const int64* hi) {
  if (argument != nullptr && HasOverflowingCoordinates(argument_type, *argument)) return true;
  for (int d = 0; d < column->dimensions; d++) {
    if (lo[d] > hi[d]) return false;
    if (Overflows(xtree_float8_from_ordinal(lo[d])) || Overflows(xtree_float8_from_ordinal(hi[d]))) return true;
  }
  return false;
}

}  // namespace xtree
