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

// The join's own clauses, and those of an outer join that were written above it.
void DivideClauses(const RelOptInfo* join, JoinType type, const List* all, List** own, List** filter);

// Among expressions or target entries the one that is this column, or placeholder, whatever outer joins it says have made it NULL. nullptr: none is.
Node* FindSame(const List* nodes, const Node* node);

// copyObject is a macro of C.
Node* CopyNode(const Node* node);

}  // namespace xtree
