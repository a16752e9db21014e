// What XtreeTypeRoutine.join says of columns in the plane, where core's geometric operators compare with a tolerance.
//
// Pure computation. No locks, no allocation, no error.
#pragma once

#include "types/bounding_box.h"

namespace xtree {

// The number that a value's edge may be at most, or must be at least, where it is compared with this one: twice the tolerance, and a double
// more for rounding. Whatever is let in too much, the operator decides.
inline double PlaneReach(double edge, bool most) {
  const double infinity = std::numeric_limits<double>::infinity();
  return most ? std::nextafter(edge + 2 * EPSILON, infinity) : std::nextafter(edge - 2 * EPSILON, -infinity);
}

// Of ordinals that are floats. A NaN is the same as a NaN, and above all numbers.
inline int64 PlaneReachOrdinal(int64 edge, bool, bool, bool most) {
  if (edge == kNanOrdinal) return edge;
  const double reach = PlaneReach(xtree_float8_from_ordinal(edge), most);
  return most ? LastAtMost(reach) : FirstAtLeast(reach);
}

// The operators on both axes at once, by their common strategy numbers. False: the operator is another one.
inline bool AreaRelation(StrategyNumber strategy, XtreeRelation* out) {
  switch (strategy) {
    case RTOverlapStrategyNumber:
      *out = XTREE_MEETS;
      return true;
    case RTContainsStrategyNumber:
      *out = XTREE_CONTAINS;
      return true;
    case RTContainedByStrategyNumber:
      *out = XTREE_WITHIN;
      return true;
    case RTSameStrategyNumber:
      *out = XTREE_SAME;
      return true;
    default:
      return false;
  }
}

inline bool HasEncoding(const XtreeColumn* column, Encoding encoding) {
  return column->routine->encoding_id == static_cast<uint16>(encoding);
}

// Of values that have the same ordinals, which are floats.
inline bool JoinByArea(const XtreeColumn* column, StrategyNumber strategy, const XtreeColumn* argument, XtreeJoin* out) {
  out->reach = PlaneReachOrdinal;
  return xtree_same_ordinals(column, argument) && AreaRelation(strategy, &out->relation);
}

}  // namespace xtree
