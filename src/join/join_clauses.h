// Which join clauses two xtree indexes can answer together: an operator of a family of the one, whose other side is a column of the other; or a
// function call that its planner support function makes such an operator of.
//
// In the planner; may read the catalog. No locks.
#pragma once

#include "index/index_state.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// The strategy number that stands for equality of columns whose ordinals are in B-tree's order (XtreeTypeRoutine.in_btree_order).
inline constexpr int kEqualityByOrder = 0;

// One clause: `right column OP left column`, or, with a margin, `right column OP left column <= margin`; by the strategy number in the right
// column's family. Turned: `left column OP right column`, by that in the left column's.
struct JoinMatch {
  RestrictInfo* clause;
  int left_column;
  int right_column;
  int strategy;
  bool turned;
  bool certain;  // the trees may tell for certain
  Node* margin;  // how far values may be apart, of an ordering operator; nullptr: they are compared by another
};

// An index as a side of a join.
struct JoinIndex {
  IndexOptInfo* info;
  const IndexState* state;  // a copy
  Oid family[INDEX_MAX_KEYS];
};

// What is known of an index, in the current memory context; nullptr: it is none to scan. Operators are the index's own: the planner may have been
// told another family (planner/planner_family.h).
JoinIndex* LookAtIndex(PlannerInfo* root, IndexOptInfo* info);

// The table's indexes that may be sides of a join by one of the clauses, in the current memory context; of very many the first ones.
List* JoinIndexesOf(PlannerInfo* root, const RelOptInfo* rel, const List* clauses);

// All of the clauses that these indexes answer, at most kMaxJoinClauses. Returns their number.
int MatchJoin(PlannerInfo* root, const JoinIndex& left, const JoinIndex& right, List* clauses, JoinMatch* out);

// What the operator says of the boxes of two columns. False: nothing.
bool RelationOfColumns(const XtreeColumn& value, int strategy, const XtreeColumn& argument, XtreeJoin* out);
// The same of a match's columns, of the right one to the left one. Also for whoever executes it.
bool RelationOfMatch(const JoinMatch& match, const XtreeColumn& left, const XtreeColumn& right, XtreeJoin* out);

}  // namespace xtree
