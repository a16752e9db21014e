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

bool IsInteger(const XtreeColumn* column) {
  const auto id = column->routine->encoding_id;
  return id >= static_cast<uint16>(Encoding::kInt2) && id <= static_cast<uint16>(Encoding::kInt8);
}

// The ordinal is the value, of whichever type.
bool Join(const XtreeColumn*, StrategyNumber strategy, const XtreeColumn* argument, XtreeJoin* out) {
  out->relation = XTREE_SAME;
  return strategy == BTEqualStrategyNumber && IsInteger(argument);
}

template <Oid kType>
constexpr XtreeTypeRoutine Routine(Encoding encoding, uint8 width, ReconstructCallback reconstruct) {
  return Joinable(Ordered(ScalarRoutine(encoding, width, XTREE_SCALAR_INTEGER, Bounds<kType>, Constrain, reconstruct), Order<kType>), Join);
}

constexpr XtreeTypeRoutine kInt2 = Routine<INT2OID>(Encoding::kInt2, 4, ReconstructInt2);
constexpr XtreeTypeRoutine kInt4 = Routine<INT4OID>(Encoding::kInt4, 4, ReconstructInt4);
constexpr XtreeTypeRoutine kInt8 = Routine<INT8OID>(Encoding::kInt8, 8, ReconstructInt8);

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_int2_support, xtree::kInt2)
XTREE_SUPPORT_FUNCTION(xtree_int4_support, xtree::kInt4)
XTREE_SUPPORT_FUNCTION(xtree_int8_support, xtree::kInt8)
