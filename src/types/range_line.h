// RangeLine: the bounds of a range type on the line of ordinals.
//
// Core orders bounds by value, and at one value: exclusive upper, inclusive, exclusive lower bound. Unbounded ends come
// before and after all others. The map to ordinals keeps that order, but different bounds may share an ordinal. Used by
// the operator classes of ranges and multiranges only. No locks, no WAL; may read the type cache.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"
}

namespace xtree {

enum class RangeEncoding {
  kDoubled,    // integers of 32 bits: two ordinals a value, one for each side of it; exact
  kClamped,    // integers of 64 bits: the same, but those beyond 2^62 share one ordinal
  kCanonical,  // int8range, which is always [a,b): the ordinals are a and b - 1, where the least has several meanings
  kRounded,    // floats and numerics: the nearest double's
  kOpaque,     // subtypes with an order of their own: all finite bounds share one ordinal
};

struct RangePosition {
  int64 ordinal;
  bool exact;  // no other bound shares the ordinal
};

class RangeLine {
 public:
  // `type` is a range or multirange type, or a domain over one.
  explicit RangeLine(Oid type);

  RangeEncoding encoding() const { return encoding_; }
  TypeCacheEntry* range_type() const { return type_; }

  RangePosition Of(const RangeBound& bound) const;
  RangePosition OfElement(Datum value) const;

  // The bound that the ordinal stands for, where `encoding` is exact.
  RangeBound BoundAt(int64 ordinal, bool lower) const;

  // Where bounds with a gap of values between them may be adjacent: a canonical function that this code does not know.
  bool AdjacentAcrossValues() const;

 private:
  RangePosition OfInteger(int64 value, int side) const;
  int64 IntegerOf(Datum value) const;
  Datum IntegerDatum(int64 value) const;
  double NumberOf(Datum value) const;

  TypeCacheEntry* type_;
  Oid compare_;  // the subtype's comparison function
  RangeEncoding encoding_;
};

// Number for display of an ordinal of the doubled encodings.
double NumberFromDoubled(int64 ordinal, bool upper);

}  // namespace xtree
