// Operator classes for text (and varchar), bpchar and bytea.
//
// The ordinal is the first eight bytes of what sorts as the value does: of the value itself under the C collation and for bytea,
// of its sort key under collations whose sort keys the server trusts (those of ICU); they order values as far as they go. The
// version of such a collation is part of the encoding, so an index that another version wrote asks for REINDEX. Under other
// collations the ordinal is a hash, which finds equal values, and comparisons recheck every row. Keys cannot be returned. Called by
// the access method through XtreeTypeRoutine; may read the catalog. No locks, no WAL.
#include <algorithm>

#include "types/scalar.h"

extern "C" {
#include "catalog/pg_collation_d.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/pg_locale.h"
#include "utils/sortsupport.h"
#include "utils/varlena.h"
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

// What makes sort keys under a collation: the server's own abbreviated keys, which it has for collations that it trusts.
struct SortKeys {
  Oid collation;
  Oid type;
  SortSupportData support;
  XtreeTypeRoutine routine;  // once an index was looked at
  SortKeys* next;

  bool trusted() const { return support.abbrev_converter != nullptr; }
};

// 0 where there is none.
uint16 VersionOf(Oid collation) {
  LOCAL_FCINFO(call, 1);
  InitFunctionCallInfoData(*call, nullptr, 1, InvalidOid, nullptr, nullptr);
  call->args[0] = {ObjectIdGetDatum(collation), false};
  const Datum version = pg_collation_actual_version(call);
  if (call->isnull) return 0;
  const char* name = TextDatumGetCString(version);
  return static_cast<uint16>(hash_bytes(reinterpret_cast<const unsigned char*>(name), static_cast<int>(strlen(name))));
}

SortKeys* NewSortKeys(Oid type, Oid collation) {
  auto* keys = static_cast<SortKeys*>(MemoryContextAllocZero(TopMemoryContext, sizeof(SortKeys)));
  keys->collation = collation;
  keys->type = type;
  keys->support.ssup_cxt = TopMemoryContext;
  keys->support.ssup_collation = collation;
  keys->support.abbreviate = true;
  const MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
  varstr_sortsupport(&keys->support, type, collation);
  MemoryContextSwitchTo(old);
  return keys;
}


// For the life of the session, as the server keeps its collations. REQUIRES: a collation other than C.
SortKeys* SortKeysOf(Oid type, Oid collation) {
  static SortKeys* known = nullptr;
  for (SortKeys* keys = known; keys != nullptr; keys = keys->next)
    if (keys->collation == collation && keys->type == type) return keys;
  SortKeys* keys = NewSortKeys(type, collation);
  keys->next = known;
  return known = keys;
}

template <bool kBlankPadded>
void SortedBounds(const XtreeColumn* column, Datum value, XtreeBounds* out) {
  SortKeys* keys = SortKeysOf(kBlankPadded ? BPCHAROID : TEXTOID, column->collation);
  SetOrdinal(FromUnsigned64(keys->support.abbrev_converter(value, &keys->support)), out);
}

// Equal values have equal sort keys, also where their bytes differ.
template <bool kBlankPadded>
void SortedConstrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  SortKeys* keys = SortKeysOf(kBlankPadded ? BPCHAROID : TEXTOID, column->collation);
  const int64 ordinal = FromUnsigned64(keys->support.abbrev_converter(argument, &keys->support));
  ConstrainRoughly(strategy, {ordinal, ordinal}, out);
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

constexpr XtreeTypeRoutine kSortedText =
    ScalarRoutine(60, 8, XTREE_SCALAR_INTEGER, SortedBounds<false>, SortedConstrain<false>, nullptr);
constexpr XtreeTypeRoutine kSortedBpchar =
    ScalarRoutine(61, 8, XTREE_SCALAR_INTEGER, SortedBounds<true>, SortedConstrain<true>, nullptr);
constexpr XtreeTypeRoutine kText = ScalarRoutine(53, 8, XTREE_SCALAR_INTEGER, Bounds<false>, Constrain<false>, nullptr);
constexpr XtreeTypeRoutine kBpchar = ScalarRoutine(54, 8, XTREE_SCALAR_INTEGER, Bounds<true>, Constrain<true>, nullptr);
constexpr XtreeTypeRoutine kBytea = ScalarRoutine(55, 8, XTREE_SCALAR_INTEGER, Bounds<false>, Constrain<false>, nullptr);

const XtreeTypeRoutine* RoutineOf(const XtreeColumn* column, Oid type, const XtreeTypeRoutine& plain, const XtreeTypeRoutine& sorted) {
  if (column == nullptr || IsOrderedByBytes(column)) return &plain;
  SortKeys* keys = SortKeysOf(type, column->collation);
  if (!keys->trusted()) return &plain;
  if (keys->routine.magic == 0) {
    keys->routine = sorted;
    keys->routine.encoding_version = VersionOf(column->collation);
  }
  return &keys->routine;
}

const XtreeColumn* ColumnOf(Datum argument) { return reinterpret_cast<const XtreeColumn*>(DatumGetPointer(argument)); }

}  // namespace
}  // namespace xtree

extern "C" {
PG_FUNCTION_INFO_V1(xtree_text_support);
Datum xtree_text_support(PG_FUNCTION_ARGS) {
  PG_RETURN_POINTER(xtree::RoutineOf(xtree::ColumnOf(PG_GETARG_DATUM(0)), TEXTOID, xtree::kText, xtree::kSortedText));
}
PG_FUNCTION_INFO_V1(xtree_bpchar_support);
Datum xtree_bpchar_support(PG_FUNCTION_ARGS) {
  PG_RETURN_POINTER(xtree::RoutineOf(xtree::ColumnOf(PG_GETARG_DATUM(0)), BPCHAROID, xtree::kBpchar, xtree::kSortedBpchar));
}
}

XTREE_SUPPORT_FUNCTION(xtree_bytea_support, xtree::kBytea)
