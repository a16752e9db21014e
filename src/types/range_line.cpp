// The map of range bounds to ordinals; see range_line.h.
//
// What a subtype's values are is told by the function that compares them: a range type may have an operator class of its
// own that sorts them otherwise. Used by the operator classes of ranges and multiranges only. No locks, no WAL.
#include "types/range_line.h"

#include <cmath>
#include <limits>

extern "C" {
#include "catalog/pg_type_d.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

#include "xtree.h"

namespace xtree {
namespace {

// Values beyond this share an ordinal in the doubled encodings. As a timestamp it is in the year 148144.
constexpr int64 kLastDoubled = (INT64CONST(1) << 62) - 16;
constexpr int64 kBeyond = 2 * kLastDoubled + 2;
constexpr int64 kUnboundedLower = PG_INT64_MIN;
constexpr int64 kUnboundedUpper = PG_INT64_MAX;

TypeCacheEntry* RangeTypeOf(Oid type) {
  const Oid base = getBaseType(type);
  TypeCacheEntry* entry = lookup_type_cache(base, TYPECACHE_RANGE_INFO | TYPECACHE_MULTIRANGE_INFO);
  if (entry->rngtype != nullptr) entry = entry->rngtype;
  if (entry->rngelemtype == nullptr) elog(ERROR, "type %u is not a range type", base);
  return entry;
}

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

// -1, 0 or 1: before, at or after the bound's value.
int SideOf(const RangeBound& bound) {
  if (bound.inclusive) return 0;
  return bound.lower ? 1 : -1;
}

// Values beyond the doubles, and NaN, become infinities, so that nothing sorts beyond an unbounded end.
RangePosition OfNumber(double number) {
  if (std::isnan(number)) number = std::numeric_limits<double>::infinity();
  return {xtree_ordinal_from_float8(number + 0.0), false};  // -0 + 0 is 0, which equals it
}

// The least ordinal stands for unbounded, for -2^63, and for the upper bounds that exclude -2^63 and -2^63 + 1.
RangePosition OfCanonical(int64 value, int side) {
  const int64 ordinal = side < 0 && value > PG_INT64_MIN ? value - 1 : value;
  return {ordinal, ordinal != kUnboundedLower};
}

RangePosition OfUnbounded(RangeEncoding encoding, bool lower) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (encoding == RangeEncoding::kRounded) return OfNumber(lower ? -kInfinity : kInfinity);
  if (lower) return {kUnboundedLower, encoding != RangeEncoding::kCanonical};
  return {kUnboundedUpper, true};
}

}  // namespace

RangeLine::RangeLine(Oid type)
    : type_(RangeTypeOf(type)),
      compare_(type_->rng_cmp_proc_finfo.fn_oid),
      encoding_(EncodingOf(type_->type_id, compare_)) {}

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
      return DatumGetInt64(value);
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

double RangeLine::NumberOf(Datum value) const {
  switch (compare_) {
    case F_BTFLOAT4CMP:
      return DatumGetFloat4(value);
    case F_BTFLOAT8CMP:
      return DatumGetFloat8(value);
    default:
      return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
  }
}

RangePosition RangeLine::OfInteger(int64 value, int side) const {
  if (encoding_ == RangeEncoding::kCanonical) return OfCanonical(value, side);
  if (value > kLastDoubled) return {kBeyond, false};
  if (value < -kLastDoubled) return {-kBeyond, false};
  return {2 * value + side, true};
}

RangePosition RangeLine::Of(const RangeBound& bound) const {
  if (bound.infinite) return OfUnbounded(encoding_, bound.lower);
  switch (encoding_) {
    case RangeEncoding::kOpaque:
      return {0, false};
    case RangeEncoding::kRounded:
      return OfNumber(NumberOf(bound.val));
    default:
      return OfInteger(IntegerOf(bound.val), SideOf(bound));
  }
}

RangePosition RangeLine::OfElement(Datum value) const {
  return Of({.val = value, .infinite = false, .inclusive = true, .lower = true});
}

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

}  // namespace xtree
