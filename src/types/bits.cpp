// Operator classes for bit and varbit: the ordinal is the first 64 bits, which order values as far as they go; the rest and the
// length are rechecked, and keys cannot be returned.
//
// Called by the access method through XtreeTypeRoutine. No locks, no WAL.
#include "types/scalar.h"

extern "C" {
#include "utils/varbit.h"
}

namespace xtree {
namespace {

// Bits beyond the length are stored as 0, and a beginning sorts before what goes on.
int64 OrdinalOf(Datum value) {
  VarBit* bits = DatumGetVarBitP(value);
  const int64 ordinal = FromUnsigned64(NumberOfBytes(VARBITS(bits), VARBITBYTES(bits), 8));
  if (PointerGetDatum(bits) != value) pfree(bits);
  return ordinal;
}

void Constrain(const XtreeColumn*, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const int64 ordinal = OrdinalOf(argument);
  ConstrainRoughly(strategy, {ordinal, ordinal}, out);
}

constexpr XtreeTypeRoutine kRoutine =
    ScalarRoutine(56, 8, XTREE_SCALAR_INTEGER, OrdinalBounds<OrdinalOf>, Constrain, nullptr);

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_bit_support, xtree::kRoutine)
