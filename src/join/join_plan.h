// What a tree join's plan node keeps: in custom_private what says it all, in custom_exprs expressions; written by the planner's part, read by the
// executor's.
#pragma once

#include "join/join_clauses.h"

extern "C" {
#include "nodes/extensible.h"
#include "nodes/plannodes.h"
}

namespace xtree {

// A condition of one side on a column of its index: `column OP argument`, `column OP ANY (argument)`, IS NULL or IS NOT NULL. The arguments are
// expressions of their own, in the same order.
struct JoinWindowKey {
  int column;
  int flags;  // sk_flags
  int strategy;
  Oid operation;
  Oid subtype;
  Oid collation;
};

struct JoinPlanSide {
  Oid index;
  int windows;
  JoinWindowKey window[INDEX_MAX_KEYS];
};

struct JoinPlan {
  JoinType type;       // JOIN_INNER, JOIN_LEFT, JOIN_SEMI, JOIN_ANTI
  bool left_is_lower;  // by the numbers of the range table, of which the node keeps the set
  int matches;
  JoinMatch match[INDEX_MAX_KEYS];  // without the clause and the margin
  bool has_margin[INDEX_MAX_KEYS];  // of each
  JoinPlanSide side[2];             // left, right
};

// Places in custom_exprs, each a List: of the join's clauses, of the conditions on each table, of the arguments of each side's window keys, of
// the matches' margins, of the conditions on what an outer join returns, and of those of the join's clauses that the trees never tell for certain.
// (These and the clauses are not the plan's own `qual`, which EXPLAIN shows without the names of tables.)
enum JoinExpressions { kJoinClauses = 0, kTableConditions = 1, kWindowArguments = 3, kMargins = 5, kJoinFilter = 6, kUncertainClauses = 7 };

List* AppendSide(List* list, const JoinPlanSide& side);
// Reads from a place of the list on; returns the place behind it.
int ReadSide(const List* list, int at, JoinPlanSide* out);

List* WriteJoinPlan(const JoinPlan& plan);
void ReadJoinPlan(List* list, JoinPlan* out);

inline constexpr char kTreeJoinName[] = "XtreeJoin";

}  // namespace xtree
