// Operator classes for text (and varchar), bpchar, bytea, bit and varbit.
//
// The key is words of what sorts as the value does (words.h, text_order.h); under collations of the C library a hash, which finds equal
// values, and other comparisons recheck every row. The version of an ICU collation is remembered by the index. A hash of bytes needs
// none: under such a collation values are equal only if their bytes are. Keys cannot be returned. Called by the access method through
// XtreeTypeRoutine; may read the catalog. No locks, no WAL.
#include <algorithm>

#include "types/text_order.h"
#include "types/words.h"

extern "C" {
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/varbit.h"
}

namespace xtree {
namespace {

// A detoasted value's bytes that count for comparison: blanks at the end of a bpchar do not.
template <bool kBlankPadded>
class String {
 public:
  explicit String(Datum value) : value_(value), packed_(PG_DETOAST_DATUM_PACKED(value)) {
    length_ = static_cast<int>(VARSIZE_ANY_EXHDR(packed_));
    if (kBlankPadded)
      while (length_ > 0 && bytes()[length_ - 1] == ' ') length_--;
  }
  void Free() const {
    if (PointerGetDatum(packed_) != value_) pfree(packed_);
  }
  const char* bytes() const { return VARDATA_ANY(packed_); }
  int length() const { return length_; }

 private:
  Datum value_;
  varlena* packed_;
  int length_;
};

// Of a bit string: bits beyond the length are stored as 0, so that a beginning sorts before what goes on.
class Bits {
 public:
  explicit Bits(Datum value) : value_(value), bits_(DatumGetVarBitP(value)) {}
  void Free() const {
    if (PointerGetDatum(bits_) != value_) pfree(bits_);
  }
  const char* bytes() const { return reinterpret_cast<const char*>(VARBITS(bits_)); }
  int length() const { return static_cast<int>(VARBITBYTES(bits_)); }
  uint64 bit_length() const { return static_cast<uint64>(VARBITLEN(bits_)); }

 private:
  Datum value_;
  VarBit* bits_;
};

// A key is of the length that the column has; where the order is unknown, a hash alone.
template <bool kBlankPadded>
void SetKey(const XtreeColumn* column, const String<kBlankPadded>& string, int64* key) {
  const Oid collation = column->collation;
  if (TextOrderOf(collation) == TextOrder::kUnknown) {
    key[0] = TextHash(collation, string.bytes(), string.length());
    return;
  }
  const int words = WordsIn(column->dimensions);
  TextWords(collation, string.bytes(), string.length(), words, key);
  if (HasHash(column->dimensions)) key[words] = TextHash(collation, string.bytes(), string.length());
}

void SetKey(const XtreeColumn* column, const Bits& bits, int64* key) {
  const int words = WordsIn(column->dimensions);
  TextWords(InvalidOid, bits.bytes(), bits.length(), words, key);
  if (HasHash(column->dimensions))
    key[words] =
        static_cast<int64>(hash_bytes_extended(reinterpret_cast<const unsigned char*>(bits.bytes()), bits.length(), bits.bit_length()));
}

// No text has a byte that is 0, so its words tell where it ends; those of bytea and of bits do not, nor those of a sort key.
template <bool kBlankPadded>
Tie TieOf(const XtreeColumn* column, const String<kBlankPadded>& argument) {
  if (column->type == BYTEAOID || TextOrderOf(column->collation) != TextOrder::kBytes) return Tie::kUnknown;
  const int kept = 8 * WordsIn(column->dimensions);
  return argument.length() < kept ? Tie::kEqual : argument.length() == kept ? Tie::kNotLess : Tie::kUnknown;
}

Tie TieOf(const XtreeColumn*, const Bits&) { return Tie::kUnknown; }

template <typename Value>
void Bounds(const XtreeColumn* column, Datum value, XtreeBounds* out) {
  const Value string(value);
  SetKey(column, string, out->lo);
  std::copy_n(out->lo, column->dimensions, out->hi);
  out->empty = false;
  string.Free();
}

template <typename Value>
void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const Value string(argument);
  int64 key[kMostKeyOrdinals];
  SetKey(column, string, key);
  ConstrainByWords(column, strategy, key, TieOf(column, string), out);
  string.Free();
}

// The order is not known.
template <bool kBlankPadded>
void ConstrainByHash(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  out->recheck = true;
  if (strategy != BTEqualStrategyNumber) return;
  const String<kBlankPadded> string(argument);
  SetKey(column, string, out->lo_min);
  out->lo_max[0] = out->lo_min[0];
  string.Free();
}

constexpr uint32 kAllButEqual = 1 << BTLessStrategyNumber | 1 << BTLessEqualStrategyNumber | 1 << BTGreaterEqualStrategyNumber |
                                1 << BTGreaterStrategyNumber | 1 << kNotEqualStrategy;

template <bool kBlankPadded>
constexpr XtreeTypeRoutine HashedRoutine(Encoding encoding) {
  XtreeTypeRoutine routine =
      ScalarRoutine(encoding, 8, XTREE_SCALAR_INTEGER, Bounds<String<kBlankPadded>>, ConstrainByHash<kBlankPadded>, nullptr);
  routine.blind_strategies = kAllButEqual;
  return routine;
}

// Three ways of one type, by the column's collation.
struct StringRoutines {
  XtreeTypeRoutine bytes;
  XtreeTypeRoutine sorted;
  XtreeTypeRoutine hashed;
};

template <bool kBlankPadded>
constexpr StringRoutines RoutinesOf(Encoding bytes_encoding, Encoding sorted_encoding, Encoding hashed_encoding) {
  return {WordsRoutine(bytes_encoding, Bounds<String<kBlankPadded>>, Constrain<String<kBlankPadded>>),
          WordsRoutine(sorted_encoding, Bounds<String<kBlankPadded>>, Constrain<String<kBlankPadded>>),
          HashedRoutine<kBlankPadded>(hashed_encoding)};
}

constexpr StringRoutines kText = RoutinesOf<false>(Encoding::kTextBytes, Encoding::kTextSorted, Encoding::kTextHashed);
constexpr StringRoutines kBpchar = RoutinesOf<true>(Encoding::kBpcharBytes, Encoding::kBpcharSorted, Encoding::kBpcharHashed);
constexpr XtreeTypeRoutine kBytea = WordsRoutine(Encoding::kBytea, Bounds<String<false>>, Constrain<String<false>>);
constexpr XtreeTypeRoutine kBits = WordsRoutine(Encoding::kBits, Bounds<Bits>, Constrain<Bits>);

// With the version of the collation; for the life of the session, as the server keeps its collations.
const XtreeTypeRoutine* SortedRoutineOf(Oid collation, const XtreeTypeRoutine& sorted) {
  struct Known {
    Oid collation;
    const XtreeTypeRoutine* like;
    XtreeTypeRoutine routine;
    Known* next;
  };
  static Known* known = nullptr;
  for (Known* one = known; one != nullptr; one = one->next)
    if (one->collation == collation && one->like == &sorted) return &one->routine;
  const char* version = TextOrderVersion(collation);
  auto* added = static_cast<Known*>(MemoryContextAlloc(TopMemoryContext, sizeof(Known)));
  *added = {collation, &sorted, sorted, known};
  added->routine.order_version = version;
  known = added;
  return &added->routine;
}

const XtreeTypeRoutine* RoutineOf(const XtreeColumn* column, const StringRoutines& routines) {
  if (column == nullptr) return &routines.bytes;
  switch (TextOrderOf(column->collation)) {
    case TextOrder::kBytes:
      return &routines.bytes;
    case TextOrder::kSortKey:
      return SortedRoutineOf(column->collation, routines.sorted);
    case TextOrder::kUnknown:
      break;
  }
  return &routines.hashed;
}

const XtreeColumn* ColumnOf(Datum argument) { return reinterpret_cast<const XtreeColumn*>(DatumGetPointer(argument)); }

}  // namespace
}  // namespace xtree

extern "C" {
PG_FUNCTION_INFO_V1(xtree_text_support);
Datum xtree_text_support(PG_FUNCTION_ARGS) { PG_RETURN_POINTER(xtree::RoutineOf(xtree::ColumnOf(PG_GETARG_DATUM(0)), xtree::kText)); }
PG_FUNCTION_INFO_V1(xtree_bpchar_support);
Datum xtree_bpchar_support(PG_FUNCTION_ARGS) { PG_RETURN_POINTER(xtree::RoutineOf(xtree::ColumnOf(PG_GETARG_DATUM(0)), xtree::kBpchar)); }
}

XTREE_SUPPORT_FUNCTION(xtree_bytea_support, xtree::kBytea)
XTREE_SUPPORT_FUNCTION(xtree_bit_support, xtree::kBits)
