// See blind_clauses.h.
#include "planner/blind_clauses.h"

#include <algorithm>

extern "C" {
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
}

namespace xtree {

namespace {

// 0: it is none of the column's operators.
int StrategyOf(const Node* condition, Oid family) {
  if (IsA(condition, OpExpr)) return get_op_opfamily_strategy(reinterpret_cast<const OpExpr*>(condition)->opno, family);
  if (IsA(condition, ScalarArrayOpExpr))
    return get_op_opfamily_strategy(reinterpret_cast<const ScalarArrayOpExpr*>(condition)->opno, family);
  return 0;
}

Selectivity SelectivityOf(PlannerInfo* root, const IndexPath* path, List* clauses) {
  if (clauses == NIL) return 1;
  return clauselist_selectivity(root, clauses, static_cast<int>(path->indexinfo->rel->relid), JOIN_INNER, nullptr);
}

}  // namespace

bool IsBlind(const IndexPath* path, const IndexClause* clause, const IndexState* state) {
  if (state == nullptr) return false;
  const uint32 blind = state->column[clause->indexcol].routine->blind_strategies;
  if (blind == 0) return false;
  ListCell* cell;
  foreach (cell, clause->indexquals) {
    const int strategy =
        StrategyOf(reinterpret_cast<Node*>(lfirst_node(RestrictInfo, cell)->clause), path->indexinfo->opfamily[clause->indexcol]);
    if (strategy <= 0 || strategy >= 32 || !(blind >> strategy & 1)) return false;
  }
  return true;
}

double RowsBeyondBlindClauses(PlannerInfo* root, const IndexPath* path, const IndexState* state) {
  List *all = NIL, *seeing = NIL;
  ListCell* cell;
  foreach (cell, path->indexclauses) {
    const IndexClause* clause = lfirst_node(IndexClause, cell);
    all = lappend(all, clause->rinfo);
    if (!IsBlind(path, clause, state)) seeing = lappend(seeing, clause->rinfo);
  }
  if (list_length(all) == list_length(seeing)) return 1;
  constexpr Selectivity kLeast = 1e-10;
  return std::max(1.0, SelectivityOf(root, path, seeing) / std::max(SelectivityOf(root, path, all), kLeast));
}

}  // namespace xtree
