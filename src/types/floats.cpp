// Operator classes for float4 and float8, one family: the ordinal sorts -inf < ... < -0 < +0 < ... < inf < NaN.
//
// The two zeros are equal but keep ordinals of their own, so that an index-only scan returns what was stored; NaN
// equals NaN. Arguments may be of either type. Called by the access method through XtreeTypeRoutine. No locks, no WAL.
#include <cmath>

#include "types/float_place.h"
#include "types/scalar_order.h"

namespace xtree {

Place PlaceInFloat8(double argument) {
  if (argument == 0) return {xtree_ordinal_from_float8(-0.0), xtree_ordinal_from_float8(0.0)};
  const int64 ordinal = xtree_ordinal_from_float8(argument);
  return {ordinal, ordinal};
}

// Comparison with a float8 widens the column's value. An argument that is no float4 lies between its rounded value and
// a neighbour.
Place PlaceInFloat4(double argument) {
  if (argument == 0) return {xtree_ordinal_from_float4(-0.0f), xtree_ordinal_from_float4(0.0f)};
  const float nearest = static_cast<float>(argument);
  const int64 ordinal = xtree_ordinal_from_float4(nearest);
  if (nearest < argument) return {ordinal + 1, ordinal};
  if (nearest > argument) return {ordinal, ordinal - 1};
  return {ordinal, ordinal};
}

namespace {

double ArgumentOf(Oid type, Datum argument) {
  switch (type) {
    case FLOAT4OID:
      return DatumGetFloat4(argument);
    case FLOAT8OID:
      return DatumGetFloat8(argument);
    default:
      ReportArgumentType(type);
  }
}

void BoundsOfFloat4(const XtreeColumn*, Datum value, XtreeBounds* out) {
  SetOrdinal(xtree_ordinal_from_float4(DatumGetFloat4(value)), out);
}

void BoundsOfFloat8(const XtreeColumn*, Datum value, XtreeBounds* out) {
  SetOrdinal(xtree_ordinal_from_float8(DatumGetFloat8(value)), out);
}

void ConstrainFloat4(const XtreeColumn*, StrategyNumber strategy, Oid argument_type, Datum argument, XtreeConstraint* out) {
  ConstrainExactly(strategy, PlaceInFloat4(ArgumentOf(argument_type, argument)), out);
}

void ConstrainFloat8(const XtreeColumn*, StrategyNumber strategy, Oid argument_type, Datum argument, XtreeConstraint* out) {
  ConstrainExactly(strategy, PlaceInFloat8(ArgumentOf(argument_type, argument)), out);
}

Datum ReconstructFloat4(const XtreeColumn*, const int64* lo, const int64*, bool) {
  return Float4GetDatum(xtree_float4_from_ordinal(lo[0]));
}

Datum ReconstructFloat8(const XtreeColumn*, const int64* lo, const int64*, bool) {
  return Float8GetDatum(xtree_float8_from_ordinal(lo[0]));
}

constexpr XtreeTypeRoutine kFloat4 =
    Ordered(ScalarRoutine(Encoding::kFloat4, 4, XTREE_SCALAR_FLOAT32, BoundsOfFloat4, ConstrainFloat4, ReconstructFloat4), Float4Order);
constexpr XtreeTypeRoutine kFloat8 =
    Ordered(ScalarRoutine(Encoding::kFloat8, 8, XTREE_SCALAR_FLOAT64, BoundsOfFloat8, ConstrainFloat8, ReconstructFloat8), Float8Order);

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_float4_support, xtree::kFloat4)
XTREE_SUPPORT_FUNCTION(xtree_float8_support, xtree::kFloat8)
