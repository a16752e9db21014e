// Which of a table's conditions an xtree index can answer, and which of them the planner can only guess at.
//
// In the planner; may read the catalog. No locks.
#pragma once

#include "planner/scan_estimate.h"

namespace xtree {

// Is the operator's selectivity one constant, whatever it is asked? As a condition of one table, and of a join (there that of an extension's
// estimator, too).
bool IsGuessed(const Node* condition);
bool IsGuessedJoin(const Node* condition);

// Can a scan of the index have the expression before it looks at a row?
bool IsFixed(PlannerInfo* root, Node* expression, IndexOptInfo* index);

// The condition as one of the index's columns; a comparison with a distance too. False: it is none.
bool MatchCondition(PlannerInfo* root, IndexOptInfo* info, const RestrictInfo* clause, IndexCondition* out);

// As the planner asks a function's support function for conditions of an index (OpExprs with the column on the left), with all other arguments for
// given. `argument`: the one that is the index's column.
List* ConditionsOfCall(PlannerInfo* root, IndexOptInfo* info, FuncExpr* call, int argument, int column);

// A join's condition that the planner can only guess at, or a call that implies such a one: ST_Intersects implies &&, and holds for most of its
// pairs.
bool MatchGuessedJoin(PlannerInfo* root, IndexOptInfo* info, const RestrictInfo* clause, IndexCondition* out);

// Does the tree know more of a condition than the column's own statistics? Keys that are not the values, such as the beginning of a text, say less.
bool SaysAll(const IndexOptInfo* info, const IndexCondition& condition);

}  // namespace xtree
