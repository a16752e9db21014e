// What a lookup join's plan node keeps: in custom_private what says it all, in custom_exprs expressions; written by the planner's part, read by the
// executor's.
#pragma once

#include "join/join_plan.h"

namespace xtree {

struct LookupPlan {
  JoinType type;      // inner, left, semi, anti
  int inner_place;    // of the inner table among the range table's numbers that the node has
  int outer_columns;  // of the scan's tuples: the first are the outer row's, the others the inner one's
  int limits;         // of the lookup's keys: cut-offs by distance
  JoinPlanSide windows;
  JoinPlanSide lookup;  // conditions whose arguments are the outer row's
};

// Places in custom_exprs, each a List: of the join's clauses; of those that are to be tested where the key says for certain that the row is one; of
// what is tested after an outer join's NULLs are there; of the conditions on the inner table; of the arguments of windows and of the lookup's keys;
// and the index's conditions, for EXPLAIN alone.
enum LookupExpressions {
  kLookupClauses,
  kLookupOtherClauses,
  kLookupFilters,
  kLookupConditions,
  kLookupWindowArguments,
  kLookupArguments,
  kLookupIndexConditions,
};

List* WriteLookupPlan(const LookupPlan& plan);
void ReadLookupPlan(const List* list, LookupPlan* out);

inline constexpr char kLookupJoinName[] = "XtreeLookupJoin";

}  // namespace xtree
