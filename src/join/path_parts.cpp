// See path_parts.h.
#include "join/path_parts.h"

#include <algorithm>

#include "planner/clause_order.h"

extern "C" {
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
}

namespace xtree {

bool HasPseudoconstant(const List* clauses) {
  ListCell* cell;
  foreach (cell, clauses)
    if (lfirst_node(RestrictInfo, cell)->pseudoconstant) return true;
  return false;
}

bool KeysSuffice(const IndexOptInfo& info, int columns, const RelOptInfo* join, List* clauses) {
  if (!enable_indexonlyscan) return false;
  constexpr int kFlags = PVC_RECURSE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS | PVC_RECURSE_PLACEHOLDERS;
  List* expressions = list_concat(extract_actual_clauses(clauses, false), extract_actual_clauses(info.rel->baserestrictinfo, false));
  List* variables = pull_var_clause(reinterpret_cast<Node*>(list_concat(expressions, join->reltarget->exprs)), kFlags);
  ListCell* cell;
  foreach (cell, variables) {
    const auto* variable = lfirst_node(Var, cell);
    if (variable->varno != static_cast<int>(info.rel->relid)) continue;
    const int* end = info.indexkeys + columns;
    const int* key = std::find<const int*, int>(info.indexkeys, end, variable->varattno);
    if (variable->varattno <= 0 || key == end || !info.canreturn[key - info.indexkeys]) return false;
  }
  return true;
}

List* OrderedClauses(PlannerInfo* root, const List* clauses) {
  List* ordered = NIL;
  ListCell* cell;
  foreach (cell, InOrderOfTests(root, clauses)) ordered = lappend(ordered, lfirst_node(RestrictInfo, cell)->clause);
  return ordered;
}

JoinWindowKey KeyOf(const IndexCondition& condition, const JoinIndex& index, List** arguments) {
  const Node* node = reinterpret_cast<const Node*>(condition.expression);
  if (IsA(node, NullTest)) {
    const bool null = reinterpret_cast<const NullTest*>(node)->nulltesttype == IS_NULL;
    return {condition.column, SK_ISNULL | (null ? SK_SEARCHNULL : SK_SEARCHNOTNULL), 0, InvalidOid, InvalidOid, InvalidOid};
  }
  const bool array = IsA(node, ScalarArrayOpExpr);
  const auto* any = reinterpret_cast<const ScalarArrayOpExpr*>(node);
  const auto* op = reinterpret_cast<const OpExpr*>(node);
  const Oid operation = array ? any->opno : op->opno;
  int strategy;
  Oid left, right;
  get_op_opfamily_properties(operation, index.family[condition.column], false, &strategy, &left, &right);
  *arguments = lappend(*arguments, lsecond(array ? any->args : op->args));
  return {condition.column, array ? SK_SEARCHARRAY : 0, strategy, operation, right, array ? any->inputcollid : op->inputcollid};
}

void DivideClauses(const RelOptInfo* join, JoinType type, const List* all, List** own, List** filter) {
  ListCell* cell;
  foreach (cell, all) {
    auto* clause = lfirst_node(RestrictInfo, cell);
    List** part = IS_OUTER_JOIN(type) && RINFO_IS_PUSHED_DOWN(clause, join->relids) ? filter : own;
    *part = lappend(*part, clause);
  }
}

namespace {

// The same column, or placeholder, wherever in the plan.
bool IsSame(const Node* a, const Node* b) {
  if (nodeTag(a) != nodeTag(b)) return false;
  if (IsA(a, PlaceHolderVar)) return reinterpret_cast<const PlaceHolderVar*>(a)->phid == reinterpret_cast<const PlaceHolderVar*>(b)->phid;
  if (!IsA(a, Var)) return false;
  const auto *x = reinterpret_cast<const Var*>(a), *y = reinterpret_cast<const Var*>(b);
  return x->varno == y->varno && x->varattno == y->varattno && x->varlevelsup == y->varlevelsup;
}

}  // namespace

Node* FindSame(const List* nodes, const Node* node) {
  ListCell* cell;
  foreach (cell, nodes) {
    auto* other = static_cast<Node*>(lfirst(cell));
    if (IsA(other, TargetEntry)) other = reinterpret_cast<Node*>(reinterpret_cast<TargetEntry*>(other)->expr);
    if (IsSame(node, other)) return other;
  }
  return nullptr;
}

Node* CopyNode(const Node* node) { return static_cast<Node*>(copyObjectImpl(node)); }

}  // namespace xtree
