// Operator class for numeric: the ordinal is that of the nearest double, so conditions are rechecked and keys cannot be
// returned.
//
// Rounding to the nearest double never changes the order of two numbers, it can only make them equal: beyond the range
// of double they become infinite, near zero a zero of their own sign. Called by the access method through
// XtreeTypeRoutine. No locks, no WAL.
#include "types/scalar.h"

extern "C" {
#include "utils/builtins.h"
}

namespace xtree {
namespace {

int64 OrdinalOf(Datum value) { return xtree_ordinal_from_float8(DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value))); }

void Bounds(const XtreeColumn*, Datum value, XtreeBounds* out) { SetOrdinal(OrdinalOf(value), out); }

void Constrain(const XtreeColumn*, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const int64 ordinal = OrdinalOf(argument);
  ConstrainRoughly(strategy, {ordinal, ordinal}, out);
}

constexpr XtreeTypeRoutine kNumeric = Rough(ScalarRoutine(Encoding::kNumeric, 8, XTREE_SCALAR_FLOAT64, Bounds, Constrain, nullptr));

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_numeric_support, xtree::kNumeric)
