// What the paths of all joins have in common, and their plans.
//
// In the planner; may read the catalog. No locks.
#pragma once

#include "join/join_clauses.h"
#include "join/join_plan.h"
#include "planner/scan_estimate.h"

namespace xtree {

bool HasPseudoconstant(const List* clauses);

// Can all that is asked of the index's table be made of its first `columns`, for a join with these clauses?
bool KeysSuffice(const IndexOptInfo& info, int columns, const RelOptInfo* join, List* clauses);

// The actual clauses, by what security and cost say is to be tested first.
List* OrderedClauses(PlannerInfo* root, const List* clauses);

// What `condition` is as a scan key; its argument, if it has one, is appended to `arguments`.
JoinWindowKey KeyOf(const IndexCondition& condition, const JoinIndex& index, List** arguments);

// The variables of the expressions, added to a target list that is flat.
List* ColumnsOf(List* columns, List* expressions);

}  // namespace xtree
