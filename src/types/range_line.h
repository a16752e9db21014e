// RangeLine: the bounds of a range type on the line of ordinals.
//
// Core orders bounds by value, and at one value: exclusive upper, inclusive, exclusive lower bound. Unbounded ends come
// before and after all others. The map to ordinals keeps that order, but different bounds may share an ordinal. Used by
// the operator classes of ranges and multiranges only. No locks, no WAL; may read the catalog.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"
}

#include "xtree.h"

namespace xtree {

enum class RangeEncoding {
  kDoubled,    // integers of 32 bits: two ordinals a value, one for each side of it; exact
  kClamped,    // integers of 64 bits: the same, but those beyond 2^62, other than the last of all, share one ordinal
  kCanonical,  // int8range, which is always [a,b): the ordinals are a and b - 1, where the least has several meanings
  kRounded,    // floats and numerics: the nearest double's
  kBegun,      // what else has ordinals in its order: the first one of a value, whatever side of it
  kOpaque,     // subtypes without: all finite bounds share one ordinal
};

struct RangePosition {
  int64 ordinal;
  bool exact;  // no other bound shares the ordinal
};

class RangeLine {
 public:
  // `type` is a range or multirange type, or a domain over one. What it says depends on the subtype's default operator
  // class: an index keeps the line that was there when it was looked at.
  explicit RangeLine(Oid type);

  // Has each bound the same ordinal on both?
  bool SameAs(const RangeLine& other) const;

  RangeEncoding encoding() const { return encoding_; }
  TypeCacheEntry* range_type() const { return type_; }

  RangePosition Of(const RangeBound& bound) const;
  RangePosition OfElement(Datum value) const;

  // The bound that the ordinal stands for, where `encoding` is exact.
  RangeBound BoundAt(int64 ordinal, bool lower) const;

  // Where bounds with a gap of values between them may be adjacent: a canonical function that this code does not know.
  bool AdjacentAcrossValues() const;

  // Of a whole range or multirange of the type: equal ones have the same. 0 where the server cannot tell.
  bool has_hash() const { return hash_ != nullptr; }
  int64 HashOf(Datum value) const;

  // Are the ordinals those of the subtype's operator class, or could they be?
  bool by_operator_class() const { return element_ != nullptr || encoding_ == RangeEncoding::kOpaque; }

  // What the ordinals mean: another one asks for REINDEX.
  uint16 version() const;
  const char* order_version() const { return element_ != nullptr ? element_->order_version : nullptr; }

 private:
  void FindOrdinals();
  RangePosition OfInteger(int64 value, int side) const;
  int64 FirstOrdinalOf(Datum value) const;
  int64 IntegerOf(Datum value) const;
  Datum IntegerDatum(int64 value) const;
  double NumberOf(Datum value) const;

  TypeCacheEntry* type_;
  Oid compare_;  // the subtype's comparison function
  RangeEncoding encoding_;
  const XtreeTypeRoutine* element_ = nullptr;  // of the subtype, where its ordinals are in the range type's order
  XtreeColumn element_column_{};
  FmgrInfo* hash_ = nullptr;
};

// Numbers for display of an ordinal: of the doubled encodings, and of others with integers.
double NumberFromDoubled(int64 ordinal, bool upper);
double NumberFromOrdinal(int64 ordinal, bool upper);

}  // namespace xtree
