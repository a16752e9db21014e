// Constraint: the conjunction of all search conditions of a scan, as intervals of ordinals; PageFilter: the same compiled for the
// kernels of one index.
//
// Every search operator of every type is, per dimension, an interval for the entry's lo and one for its hi, plus "recheck"
// (src/README.md, "One search kernel"). A leaf entry matches when lo and hi lie in their intervals; a node with bounds [L,H] can be
// skipped when lo's or hi's interval does not meet [L,H]. Trivially destructible: lives in scan state.
#pragma once

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
  kAny = 0,        // no condition on this column
  kValue,          // an ordinary value whose lo and hi lie in the intervals (NULL and empty never match)
  kValueOrEmpty,   // the same, or an empty value (`<@`)
  kEmpty,          // only an empty value (`= 'empty'`)
  kNotNull,        // IS NOT NULL
  kNull,           // IS NULL
  kNever,          // contradictory conditions
};

class Constraint {
 public:
  void Initialize(const KeyLayout& layout);  // matches everything
  void RequireLo(int dimension, Interval interval) { lo[dimension].Intersect(interval); }
  void RequireHi(int dimension, Interval interval) { hi[dimension].Intersect(interval); }
  void Require(int column, MarkRule rule);   // the meet of rules: kNull and kValue give kNever
  bool Never(const KeyLayout& layout) const; // can no row match?

  bool recheck;  // some condition is only bounded by its intervals
  MarkRule rule[kMaxColumns];
  Interval lo[kMaxDimensions];
  Interval hi[kMaxDimensions];
};

// One array of a block against one interval. A one-sided test leaves the other bound unset.
struct FilterTerm {
  uint16_t offset;  // of the array in a block
  uint8_t width;
  bool test_min;
  bool test_max;
  Ordinal min;
  Ordinal max;
};

// Marks of an entry pass when (marks & mask) == value for every rule compiled in; see filter.cpp.
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

  bool recheck() const { return recheck_; }

 private:
  struct Terms {
    int count;
    FilterTerm term[2 * kMaxDimensions];
    MarkTerm marks;
  };
  bool never_;
  bool recheck_;
  bool has_value_or_empty_;  // rare rule, decided entry by entry on pages with marks
  Terms terms_[2];           // [0] leaf, [1] directory
  Constraint constraint_;
  const KeyLayout* layout_;
};

}  // namespace xtree
