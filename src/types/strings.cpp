// Operator classes for text (and varchar), bpchar and bytea.
//
// Under the C collation, and for bytea, the ordinal is the first eight bytes, which order values as far as they go. No other
// order is stored, because it may change with a library: the ordinal is a hash, which finds equal values, and comparisons recheck
// every row. Keys cannot be returned. Called by the access method through XtreeTypeRoutine. No locks, no WAL.
#include <algorithm>

#include "types/scalar.h"

extern "C" {
#include "catalog/pg_collation_d.h"
#include "common/hashfn.h"
#include "utils/pg_locale.h"
}

namespace xtree {
namespace {

// The bytes that count for comparison: blanks at the end of a bpchar do not.
template <bool kBlankPadded>
int LengthOf(const varlena* value) {
  int length = VARSIZE_ANY_EXHDR(value);
  const char* bytes = VARDATA_ANY(value);
  if (kBlankPadded)
    while (length > 0 && bytes[length - 1] == ' ') length--;
  return length;
}

int64 PrefixOf(const char* bytes, int length) { return FromUnsigned64(NumberOfBytes(bytes, length, 8)); }

int64 HashOf(const char* bytes, int length) {
  return static_cast<int64>(hash_bytes_extended(reinterpret_cast<const unsigned char*>(bytes), length, 0));
}

// bytea has no collation.
bool IsOrderedByBytes(const XtreeColumn* column) { return !OidIsValid(column->collation) || lc_collate_is_c(column->collation); }

// Values that are equal though their bytes differ share no hash.
bool HasEqualBytes(Oid collation) {
  if (collation == DEFAULT_COLLATION_OID) return true;
  const pg_locale_t locale = pg_newlocale_from_collation(collation);
  return locale == nullptr || locale->deterministic;
}

template <bool kBlankPadded>
int64 OrdinalOf(const XtreeColumn* column, Datum value) {
  varlena* packed = PG_DETOAST_DATUM_PACKED(value);
  const int length = LengthOf<kBlankPadded>(packed);
  const char* bytes = VARDATA_ANY(packed);
  const int64 ordinal = IsOrderedByBytes(column) ? PrefixOf(bytes, length) : HashOf(bytes, length);
  if (PointerGetDatum(packed) != value) pfree(packed);
  return ordinal;
}

template <bool kBlankPadded>
void Bounds(const XtreeColumn* column, Datum value, XtreeBounds* out) {
  SetOrdinal(OrdinalOf<kBlankPadded>(column, value), out);
}

template <bool kBlankPadded>
void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const bool known = IsOrderedByBytes(column) || (strategy == BTEqualStrategyNumber && HasEqualBytes(column->collation));
  const int64 ordinal = OrdinalOf<kBlankPadded>(column, argument);
  ConstrainRoughly(strategy, known ? Place{ordinal, ordinal} : Place{PG_INT64_MIN, PG_INT64_MAX}, out);
}

constexpr XtreeTypeRoutine kText = ScalarRoutine(53, 8, XTREE_SCALAR_INTEGER, Bounds<false>, Constrain<false>, nullptr);
constexpr XtreeTypeRoutine kBpchar = ScalarRoutine(54, 8, XTREE_SCALAR_INTEGER, Bounds<true>, Constrain<true>, nullptr);
constexpr XtreeTypeRoutine kBytea = ScalarRoutine(55, 8, XTREE_SCALAR_INTEGER, Bounds<false>, Constrain<false>, nullptr);

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_text_support, xtree::kText)
XTREE_SUPPORT_FUNCTION(xtree_bpchar_support, xtree::kBpchar)
XTREE_SUPPORT_FUNCTION(xtree_bytea_support, xtree::kBytea)
