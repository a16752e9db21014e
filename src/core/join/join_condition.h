// What makes two entries of two trees a pair: JoinClauses, each between a column of the left tree and one of the right; and JoinShape, all of
// them compiled: windows of left entries on the right tree's ordinals, and the test of a window against an entry.
//
// A clause compares edges. Of a left value, with the types' tolerances, it says in which intervals the lower and the upper edge of a right value
// must lie: that is the left value's *window*. The window of a node holds for all values below. Windows may let too much through, never too
// little: whoever joins looks at the values again. Plain data.
#pragma once

#include "core/filter/constraint.h"
#include "core/scan/scratch.h"

namespace xtree {

inline constexpr int kMaxJoinClauses = 8;
inline constexpr int kMaxJoinTerms = 4;  // dimensions of all clauses together; further ones are not looked at

enum class JoinRelation : uint8_t {
  kMeets,     // the boxes have a point in common
  kContains,  // the right value contains the left one
  kWithin,    // the right value lies within the left one
  kSame,
};

// Of the edge of a left value, the ordinal that a right value's edge may have at most (`most`), or must have at least. Rises with the edge.
using JoinReach = Ordinal (*)(Ordinal edge, bool left_upper, bool right_upper, bool most);

struct JoinClause {
  int left_column;
  int right_column;
  int dimensions;  // that are compared, the first of both columns
  JoinRelation relation;
  bool empties;     // empty values lie within all values, and are the same as each other; else they are in no pair
  JoinReach reach;  // nullptr: the edge itself

  // Of columns of floats: the values may be as far apart as this in each dimension; not below 0.
  double margin = 0;

  // The edges decide, as long as none is at an end of the ordinals and neither value is empty.
  bool certain = false;
};

// An entry of a node, as far as the join looks at it: of each term lo and hi. `empties`: bit n: empty in clause n, or on a directory page: some
// value below is.
struct JoinEdges {
  Ordinal lo[kMaxJoinTerms];
  Ordinal hi[kMaxJoinTerms];
};

// Of each term the intervals in which a right entry's lo and hi must lie.
struct JoinWindow {
  Interval lo[kMaxJoinTerms];
  Interval hi[kMaxJoinTerms];
};

enum class JoinSide { kLeft, kRight };

class JoinShape {
 public:
  void Compile(const KeyLayout& left, const KeyLayout& right, const JoinClause* clauses, int count);

  int terms() const { return terms_; }
  uint8_t with_empties() const { return with_empties_; }  // a bit for each clause in which empty values may be in pairs

  // Reads an entry of a node. False: it has no value in some clause's column, so it is in no pair.
  bool Load(const NodeView& node, int entry, JoinSide side, JoinEdges* edges, uint8_t* empties) const;

  // An entry that is in no pair, and is kept all the same.
  void LoadNothing(JoinEdges* edges, uint8_t* empties) const;
  bool IsNothing(const JoinEdges& edges, uint8_t empties) const { return terms_ > 0 && empties == 0 && edges.lo[0] > edges.hi[0]; }

  // The window of a left entry; of a directory page's: of all values below.
  void WindowOf(const JoinEdges& left, bool leaf, JoinWindow* window) const;

  // May there be a pair? Exact, as far as windows are, where `right_leaf`; the left entry may then only be a leaf's, too.
  bool Test(const JoinWindow& window, uint8_t left_empties, const JoinEdges& right, uint8_t right_empties, bool right_leaf) const;

  // The same of entries of two leaves, neither with anything empty. Without a branch, as one goes by many pairs that are none.
  bool TestValues(const JoinWindow& window, const JoinEdges& right) const {
    unsigned holds = 1;
    for (int t = 0; t < terms_; ++t) {
      holds &= static_cast<unsigned>(right.lo[t] >= window.lo[t].min) & static_cast<unsigned>(right.lo[t] <= window.lo[t].max) &
               static_cast<unsigned>(right.hi[t] >= window.hi[t].min) & static_cast<unsigned>(right.hi[t] <= window.hi[t].max);
    }
    return holds != 0;
  }

  // Are there certain clauses? Do they hold for certain, of a pair of values that the test has let through?
  bool has_certain() const { return certain_ != 0; }
  bool HoldsForCertain(const JoinEdges& left, uint8_t left_empties, const JoinEdges& right, uint8_t right_empties) const;

  // Of a term, where a right entry must reach from at least, and begin at most.
  Interval Span(const JoinWindow& window, uint8_t empties, int term) const;
  Interval Span(const JoinEdges& right, uint8_t empties, int term) const;

  // Makes the hull of windows: `window` becomes the least that lets through what either does.
  void StartHull(JoinWindow* window) const;
  void ExtendHull(const JoinWindow& by, JoinWindow* window) const;

  // What a left (a right) entry must be to be in any pair; of a right one, given the hull of all left windows and what of them is empty.
  void RequireLeft(Constraint* constraint) const;
  void RequireRight(const JoinWindow& hull, uint8_t left_empties, Constraint* constraint) const;

 private:
  struct Term {
    uint8_t clause;
    uint8_t dimension[2];  // of each side
  };

  bool EmptyPair(int clause, uint8_t left, uint8_t right) const;
  Ordinal Reach(int clause, Ordinal edge, bool left_upper, bool right_upper, bool most) const;

  const KeyLayout* layout_[2];
  int clauses_;
  int terms_;
  uint8_t with_empties_;  // clauses
  uint8_t certain_;       // clauses
  JoinClause clause_[kMaxJoinClauses];
  Scalar scalar_[kMaxJoinClauses];
  Term term_[kMaxJoinTerms];
};
static_assert(std::is_trivially_destructible_v<JoinShape> && std::is_trivially_copyable_v<JoinWindow>);

}  // namespace xtree
