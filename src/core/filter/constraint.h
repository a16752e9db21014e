// Constraint: the conjunction of all search conditions of a scan, as intervals of ordinals; PageFilter: the same compiled for the
// kernels of one index.
//
// Every search operator of every type is, per dimension, an interval for the entry's lo and one for its hi, plus "recheck"
// (src/README.md, "One search kernel"). A leaf entry matches when lo and hi lie in their intervals; a node with bounds [L,H] can be
// skipped when lo's or hi's interval does not meet [L,H]. Trivially destructible: lives in scan state.
#pragma once

#include "core/filter/any_of.h"
#include "core/filter/distance_limit.h"
#include "page/node.h"

namespace xtree {

struct Interval {
  Ordinal min = kOrdinalMin;
  Ordinal max = kOrdinalMax;
  bool Empty() const { return min > max; }
  bool Full() const { return min == kOrdinalMin && max == kOrdinalMax; }
  void Intersect(Interval o) {
    if (o.min > min) min = o.min;
    if (o.max < max) max = o.max;
  }
};

// What a column's marks must say for a row to match.
enum class MarkRule : uint8_t {
  kAny = 0,       // no condition on this column; with intervals the same as kValue, because only a value lies in one
  kValue,         // an ordinary value whose lo and hi lie in the intervals (NULL and empty never match)
  kValueOrEmpty,  // the same, or an empty value (`<@`)
  kEmpty,         // only an empty value (`= 'empty'`)
  kNotNull,       // IS NOT NULL; with intervals the same as kValue
  kNull,          // IS NULL
  kNever,         // contradictory conditions
};

class Constraint {
 public:
  void Initialize(const KeyLayout& layout);  // matches everything
  void RequireLo(int dimension, Interval interval) { lo[dimension].Intersect(interval); }
  void RequireHi(int dimension, Interval interval) { hi[dimension].Intersect(interval); }
  void Require(int column, MarkRule rule);    // the meet of rules: kNull and kValue give kNever
  bool Never(const KeyLayout& layout) const;  // can no row match?

  // The rule of a column, given its intervals: kValue where intervals imply it, kNever or kEmpty where no value lies in them.
  MarkRule Rule(const KeyLayout& layout, int column) const;

  bool recheck;  // some condition is only bounded by its intervals, for every row; any_of may say so of some rows
  MarkRule rule[kMaxColumns];
  Interval lo[kMaxDimensions];
  Interval hi[kMaxDimensions];
  AnyOf* any_of;  // further conditions, each to be met by one of its alternatives
  int any_of_count;
  DistanceLimit* limit;  // further conditions, by distance
  int limit_count;
};

// One array of a block against one interval, not empty and within the range of the width. A bound that is not tested means nothing.
struct FilterTerm {
  uint16_t offset;  // of the array in a block
  uint8_t width;
  bool test_min;
  bool test_max;
  Ordinal min;
  Ordinal max;
};

// The marks of an entry on a page that has them. On a page without marks nothing is forbidden, and nothing passes if some are required.
struct MarkTerm {
  uint64_t forbidden;  // none of these bits may be set
  uint64_t required;   // all of these bits must be set
};

class PageFilter {
 public:
  void Compile(const KeyLayout& layout, const Constraint& constraint);

  // Slots of the node's entries that match (leaf) or may have matches below (directory), ascending, into `slots`
  // (kMaxEntriesPerPage of room). Returns their number.
  int Run(const NodeView& node, uint16_t* slots) const;

  // Are all rows only bounded by the intervals? Are some, and is this one?
  bool recheck() const { return recheck_; }
  bool recheck_some() const { return recheck_some_; }
  bool MustRecheck(const NodeView& leaf, int entry) const;

  // The same in as few bytes as it takes, aligned as plain data is, and back: for whoever keeps very many.
  size_t PackedBytes() const;
  void Pack(uint8_t* to) const;
  void Unpack(const uint8_t* from);

 private:
  // Terms of columns with kValueOrEmpty come last: where a mark says empty they do not count, so on pages with marks they are tested
  // entry by entry.
  struct Terms {
    int count;
    int strict;  // those before it are of other columns
    FilterTerm term[2 * kMaxDimensions];
    uint8_t column[2 * kMaxDimensions];  // of a term
    MarkTerm marks;
  };

  // What a packed filter begins with; the terms of both kinds of nodes follow, and then their columns.
  struct Packed {
    const KeyLayout* layout;
    const AnyOf* any_of;
    const DistanceLimit* limit;
    int any_of_count;
    int limit_count;
    MarkTerm marks[2];
    uint8_t count[2];
    uint8_t strict[2];
    bool never;
    bool recheck;
    bool recheck_some;
  };

  void SettleRecheck(const Constraint& constraint);
  void AddMarks(int column, MarkRule rule);
  void AddTerms(const Constraint& constraint, int column);
  void AddLeafTerms(int dimension, Interval lo, Interval hi);
  void AddDirectoryTerms(int dimension, Interval lo, Interval hi);
  void AddTerm(int directory, int dimension, uint16_t offset, Interval interval);
  int TestAnyOf(const NodeView& node, uint16_t* slots, int count) const;
  int TestMarked(const Terms& terms, const BlockLayout& block, const uint8_t* first_block, uint16_t* slots, int count) const;

  bool never_;
  bool recheck_;
  bool recheck_some_;
  Terms terms_[2];  // [0] leaf, [1] directory
  const AnyOf* any_of_;
  int any_of_count_;
  const DistanceLimit* limit_;
  int limit_count_;
  const KeyLayout* layout_;
};

}  // namespace xtree
