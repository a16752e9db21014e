// The map of range bounds to ordinals; see range_line.h.
//
// What a subtype's values are is told by the function that compares them: a range type may have an operator class of
// its own that sorts them otherwise. Used by the operator classes of ranges and multiranges only. No locks, no WAL.
#include "types/range_line.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

extern "C" {
#include "catalog/pg_collation_d.h"
#include "catalog/pg_type_d.h"
#include "commands/defrem.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
}

namespace xtree {
namespace {

// Values beyond this share an ordinal in the doubled encodings. As a timestamp it is in the year 148144. But the last
// of all, which stand for infinity in timestamps, have their own.
constexpr int64 kLastDoubled = (INT64CONST(1) << 62) - 16;
constexpr int64 kBeyond = 2 * kLastDoubled + 2;
constexpr int64 kInfinite = kBeyond + 3;
constexpr int64 kUnboundedLower = PG_INT64_MIN;
constexpr int64 kUnboundedUpper = PG_INT64_MAX;
static_assert(kBeyond < kInfinite - 1 && kInfinite + 1 < kUnboundedUpper && -kInfinite - 1 > kUnboundedLower);

constexpr int kMaxElementDimensions = 4;  // of subtypes whose order is kept

TypeCacheEntry* RangeTypeOf(Oid type) {
  const Oid base = getBaseType(type);
  TypeCacheEntry* entry = lookup_type_cache(base, TYPECACHE_RANGE_INFO | TYPECACHE_MULTIRANGE_INFO);
  if (entry->rngtype != nullptr) entry = entry->rngtype;
  if (entry->rngelemtype == nullptr) elog(ERROR, "type %u is not a range type", base);
  return entry;
}

// kOpaque: not known by this code.
RangeEncoding EncodingOf(Oid range_type, Oid compare) {
  switch (compare) {
    case F_BTINT2CMP:
    case F_BTINT4CMP:
    case F_BTOIDCMP:
    case F_DATE_CMP:
      return RangeEncoding::kDoubled;
    case F_BTINT8CMP:
      return range_type == INT8RANGEOID ? RangeEncoding::kCanonical : RangeEncoding::kClamped;
    case F_TIME_CMP:
    case F_TIMESTAMP_CMP:
    case F_TIMESTAMPTZ_CMP:
    case F_CASH_CMP:
      return RangeEncoding::kClamped;
    case F_BTFLOAT4CMP:
    case F_BTFLOAT8CMP:
    case F_NUMERIC_CMP:
      return RangeEncoding::kRounded;
    default:
      return RangeEncoding::kOpaque;
  }
}

// The collation under which the subtype's default order is the range type's; InvalidOid and false: there is none.
bool CollationOfOrder(const TypeCacheEntry* range, Oid compare, Oid* collation) {
  *collation = range->rng_collation;
  if (compare == F_BTTEXT_PATTERN_CMP || compare == F_BTBPCHAR_PATTERN_CMP) {
    *collation = C_COLLATION_OID;
    return true;
  }
  return lookup_type_cache(range->rngelemtype->type_id, TYPECACHE_CMP_PROC)->cmp_proc == compare;
}

// The routine of a type's default operator class, where it is fit for a subtype. It may read the catalog.
const XtreeTypeRoutine* RoutineOfElement(XtreeColumn* column) {
  const Oid method = get_index_am_oid("xtree", true);
  const Oid opclass = OidIsValid(method) ? GetDefaultOpClass(column->type, method) : InvalidOid;
  Oid family, input;
  if (!OidIsValid(opclass) || !get_opclass_opfamily_and_input_type(opclass, &family, &input)) return nullptr;
  const Oid function = get_opfamily_proc(family, input, input, XTREE_TYPE_ROUTINE_PROC);
  if (!OidIsValid(function)) return nullptr;
  if (!IsPolymorphicType(input)) column->type = input;
  const auto* routine = reinterpret_cast<const XtreeTypeRoutine*>(DatumGetPointer(OidFunctionCall1(function, PointerGetDatum(column))));
  if (!xtree_is_routine(routine)) return nullptr;
  if (!routine->in_btree_order) return nullptr;
  column->dimensions = routine->dimensions != 0 ? routine->dimensions : routine->default_dimensions;
  if (column->dimensions < 1 || column->dimensions > kMaxElementDimensions) return nullptr;
  return routine;
}

// -1, 0 or 1: before, at or after the bound's value.
int SideOf(const RangeBound& bound) {
  if (bound.inclusive) return 0;
  return bound.lower ? 1 : -1;
}

// Of floats and numerics. Between the finite ones and the unbounded ends there are infinities and NaN, with all sides.
const int64 kHighest = xtree_ordinal_from_float8(std::numeric_limits<double>::infinity());
const int64 kLowest = xtree_ordinal_from_float8(-std::numeric_limits<double>::infinity());

RangePosition OfNumber(double number, int side) {
  if (std::isnan(number)) return {kHighest - 3 + side, true};
  if (std::isinf(number)) return {(number > 0 ? kHighest - 6 : kLowest + 3) + side, true};
  return {std::clamp(xtree_ordinal_from_float8(number + 0.0), kLowest + 5, kHighest - 8), false};  // -0 + 0 is 0, which equals it
}

// The least ordinal stands for unbounded, for -2^63, and for the upper bounds that exclude -2^63 and -2^63 + 1.
RangePosition OfCanonical(int64 value, int side) {
  const int64 ordinal = side < 0 && value > PG_INT64_MIN ? value - 1 : value;
  return {ordinal, ordinal != kUnboundedLower};
}

RangePosition OfUnbounded(RangeEncoding encoding, bool lower) {
  if (encoding == RangeEncoding::kRounded) return {lower ? kLowest : kHighest, true};
  if (lower) return {kUnboundedLower, encoding != RangeEncoding::kCanonical};
  return {kUnboundedUpper, true};
}

// Nothing but the unbounded ends lies at the ends.
RangePosition OfBeginning(int64 ordinal) { return {std::clamp(ordinal, kUnboundedLower + 1, kUnboundedUpper - 1), false}; }

}  // namespace

RangeLine::RangeLine(Oid type)
    : type_(RangeTypeOf(type)), compare_(type_->rng_cmp_proc_finfo.fn_oid), encoding_(EncodingOf(type_->type_id, compare_)) {
  if (encoding_ == RangeEncoding::kOpaque) FindOrdinals();
  if (encoding_ != RangeEncoding::kOpaque) return;
  TypeCacheEntry* entry = lookup_type_cache(getBaseType(type), TYPECACHE_HASH_EXTENDED_PROC_FINFO);
  if (OidIsValid(entry->hash_extended_proc_finfo.fn_oid)) hash_ = &entry->hash_extended_proc_finfo;
}

// Where ordinals tell values apart they are integers like any other.
void RangeLine::FindOrdinals() {
  element_column_.type = getBaseType(type_->rngelemtype->type_id);
  if (!CollationOfOrder(type_, compare_, &element_column_.collation)) return;
  element_ = RoutineOfElement(&element_column_);
  element_column_.routine = element_;
  if (element_ == nullptr) return;
  const bool exact = element_->exact && element_->scalar == XTREE_SCALAR_INTEGER && element_->dimensions == 1;
  encoding_ = exact ? RangeEncoding::kClamped : RangeEncoding::kBegun;
}

bool RangeLine::SameAs(const RangeLine& other) const {
  return type_ == other.type_ && encoding_ == other.encoding_ && element_ == other.element_ && hash_ == other.hash_ &&
         version() == other.version();
}

uint16 RangeLine::version() const {
  constexpr uint16 kPlain = 2, kHashed = 3, kFirstOfElements = 4;
  if (element_ == nullptr) return has_hash() ? kHashed : kPlain;
  const uint16 meaning[] = {static_cast<uint16>(encoding_), element_->encoding_id, element_->encoding_version};
  const auto hash = static_cast<uint16>(hash_bytes(reinterpret_cast<const unsigned char*>(meaning), sizeof(meaning)));
  return std::max(hash, kFirstOfElements);
}

int64 RangeLine::HashOf(Datum value) const { return hash_ == nullptr ? 0 : DatumGetInt64(FunctionCall2(hash_, value, Int64GetDatum(0))); }

int64 RangeLine::FirstOrdinalOf(Datum value) const {
  int64 lo[kMaxElementDimensions], hi[kMaxElementDimensions];
  XtreeBounds bounds{lo, hi, false, false};
  element_->bounds(&element_column_, value, &bounds);
  return lo[0];
}

int64 RangeLine::IntegerOf(Datum value) const {
  switch (compare_) {
    case F_BTINT2CMP:
      return DatumGetInt16(value);
    case F_BTINT4CMP:
      return DatumGetInt32(value);
    case F_BTOIDCMP:
      return DatumGetObjectId(value);
    case F_DATE_CMP:
      return DatumGetDateADT(value);
    default:
      return element_ != nullptr ? FirstOrdinalOf(value) : DatumGetInt64(value);
  }
}

Datum RangeLine::IntegerDatum(int64 value) const {
  switch (compare_) {
    case F_BTINT2CMP:
      return Int16GetDatum(static_cast<int16>(value));
    case F_BTINT4CMP:
      return Int32GetDatum(static_cast<int32>(value));
    case F_BTOIDCMP:
      return ObjectIdGetDatum(static_cast<Oid>(value));
    case F_DATE_CMP:
      return DateADTGetDatum(static_cast<DateADT>(value));
    default:
      return Int64GetDatum(value);
  }
}

// A finite one stays finite.
double RangeLine::NumberOf(Datum value) const {
  switch (compare_) {
    case F_BTFLOAT4CMP:
      return DatumGetFloat4(value);
    case F_BTFLOAT8CMP:
      return DatumGetFloat8(value);
    default:
      break;
  }
  const double number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
  return std::isinf(number) && !numeric_is_inf(DatumGetNumeric(value)) ? std::copysign(DBL_MAX, number) : number;
}

RangePosition RangeLine::OfInteger(int64 value, int side) const {
  if (encoding_ == RangeEncoding::kCanonical) return OfCanonical(value, side);
  if (value == PG_INT64_MAX) return {kInfinite + side, true};
  if (value == PG_INT64_MIN) return {-kInfinite + side, true};
  if (value > kLastDoubled) return {kBeyond, false};
  if (value < -kLastDoubled) return {-kBeyond, false};
  return {2 * value + side, true};
}

RangePosition RangeLine::Of(const RangeBound& bound) const {
  if (bound.infinite) return OfUnbounded(encoding_, bound.lower);
  switch (encoding_) {
    case RangeEncoding::kOpaque:
      return {0, false};
    case RangeEncoding::kBegun:
      return OfBeginning(FirstOrdinalOf(bound.val));
    case RangeEncoding::kRounded:
      return OfNumber(NumberOf(bound.val), SideOf(bound));
    default:
      return OfInteger(IntegerOf(bound.val), SideOf(bound));
  }
}

RangePosition RangeLine::OfElement(Datum value) const { return Of({.val = value, .infinite = false, .inclusive = true, .lower = true}); }

RangeBound RangeLine::BoundAt(int64 ordinal, bool lower) const {
  const bool infinite = ordinal == (lower ? kUnboundedLower : kUnboundedUpper);
  if (infinite) return {.val = 0, .infinite = true, .inclusive = false, .lower = lower};
  if (encoding_ == RangeEncoding::kCanonical)
    return {.val = Int64GetDatum(lower ? ordinal : ordinal + 1), .infinite = false, .inclusive = lower, .lower = lower};
  const bool inclusive = ordinal % 2 == 0;
  const int64 twice = inclusive ? ordinal : ordinal + (lower ? -1 : 1);
  return {.val = IntegerDatum(twice / 2), .infinite = false, .inclusive = inclusive, .lower = lower};
}

bool RangeLine::AdjacentAcrossValues() const {
  if (!OidIsValid(type_->rng_canonical_finfo.fn_oid)) return false;
  switch (type_->rng_canonical_finfo.fn_oid) {
    case F_INT4RANGE_CANONICAL:
    case F_INT8RANGE_CANONICAL:
    case F_DATERANGE_CANONICAL:
      return false;  // [a,b) always, but beside infinite dates, which nothing is next to
    default:
      return true;
  }
}

double NumberFromDoubled(int64 ordinal, bool) {
  if (ordinal == kUnboundedLower) return -std::numeric_limits<double>::infinity();
  if (ordinal == kUnboundedUpper) return std::numeric_limits<double>::infinity();
  return static_cast<double>(ordinal) / 2;
}

double NumberFromOrdinal(int64 ordinal, bool upper) { return 2 * NumberFromDoubled(ordinal, upper); }

}  // namespace xtree
