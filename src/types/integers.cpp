// Operator classes for int2, int4 and int8, one family: the ordinal is the value, arguments may be of any of the three
// types.
//
// Called by the access method through XtreeTypeRoutine. No locks, no WAL.
#include "types/scalar_order.h"

namespace xtree {
namespace {

int64 ValueOf(Oid type, Datum value) {
  switch (type) {
    case INT2OID:
      return DatumGetInt16(value);
    case INT4OID:
      return DatumGetInt32(value);
    case INT8OID:
      return DatumGetInt64(value);
    default:
      ReportArgumentType(type);
  }
}

template <Oid kType>
void Bounds(const XtreeColumn*, Datum value, XtreeBounds* out) {
  SetOrdinal(ValueOf(kType, value), out);
}

void Constrain(const XtreeColumn*, StrategyNumber strategy, Oid argument_type, Datum argument, XtreeConstraint* out) {
  const int64 value = ValueOf(argument_type, argument);
  ConstrainExactly(strategy, {value, value}, out);
}

template <Oid kType>
void Order(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out) {
  OrderByDifference(ValueOf(kType, argument), out);
}

Datum ReconstructInt2(const XtreeColumn*, const int64* lo, const int64*, bool) { return Int16GetDatum(static_cast<int16>(lo[0])); }
Datum ReconstructInt4(const XtreeColumn*, const int64* lo, const int64*, bool) { return Int32GetDatum(static_cast<int32>(lo[0])); }
Datum ReconstructInt8(const XtreeColumn*, const int64* lo, const int64*, bool) { return Int64GetDatum(lo[0]); }

constexpr XtreeTypeRoutine kInt2 =
    Ordered(ScalarRoutine(Encoding::kInt2, 4, XTREE_SCALAR_INTEGER, Bounds<INT2OID>, Constrain, ReconstructInt2), Order<INT2OID>);
constexpr XtreeTypeRoutine kInt4 =
    Ordered(ScalarRoutine(Encoding::kInt4, 4, XTREE_SCALAR_INTEGER, Bounds<INT4OID>, Constrain, ReconstructInt4), Order<INT4OID>);
constexpr XtreeTypeRoutine kInt8 =
    Ordered(ScalarRoutine(Encoding::kInt8, 8, XTREE_SCALAR_INTEGER, Bounds<INT8OID>, Constrain, ReconstructInt8), Order<INT8OID>);

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_int2_support, xtree::kInt2)
XTREE_SUPPORT_FUNCTION(xtree_int4_support, xtree::kInt4)
XTREE_SUPPORT_FUNCTION(xtree_int8_support, xtree::kInt8)
