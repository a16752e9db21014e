// See join_clauses.h.
#include "join/join_clauses.h"

#include "core/join/join_condition.h"
#include "planner/planner_family.h"
#include "planner/unbuilt_indexes.h"

extern "C" {
#include "access/genam.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
}

namespace xtree {

namespace {

// Operators are the index's own: the planner may have been told another family (planner/planner_family.h).
JoinIndex* LookAt(PlannerInfo* root, IndexOptInfo* info) {
  auto* out = static_cast<JoinIndex*>(palloc(sizeof(JoinIndex)));
  const Relation index = index_open(info->indexoid, NoLock);
  out->info = info;
  out->state = CopyIndexState(index, MayBeUnbuilt(index) ? MetaUse::kPlan : MetaUse::kNone);
  std::copy_n(index->rd_opfamily, info->nkeycolumns, out->family);
  index_close(index, NoLock);
  return IsUnusable(root, *out->state) ? nullptr : out;
}

bool CollationsMatch(Oid index, Oid expression) { return !OidIsValid(index) || index == expression; }

int FindColumn(const JoinIndex& index, Node* expression) {
  for (int i = 0; i < index.info->nkeycolumns; i++)
    if (match_index_to_operand(expression, i, index.info)) return i;
  return -1;
}

// Ordinals say when values are equal if the operator is the equality of their own type.
bool IsEqualityByOrder(Oid operation, const XtreeColumn& value, const XtreeColumn& argument) {
  Oid left, right;
  op_input_types(operation, &left, &right);
  return left == right && op_mergejoinable(operation, left) && value.routine->in_btree_order && xtree_same_ordinals(&value, &argument);
}

bool StrategyOf(const JoinIndex& left, const JoinIndex& right, Oid operation, JoinMatch* out) {
  const XtreeColumn& value = right.state->column[out->right_column].column;
  const XtreeColumn& argument = left.state->column[out->left_column].column;
  out->strategy = get_op_opfamily_strategy(operation, right.family[out->right_column]);
  if (out->strategy == 0) return false;  // not of the family, or for order only
  XtreeJoin unused;
  if (RelationOfColumns(value, out->strategy, argument, &unused)) return true;
  out->strategy = kEqualityByOrder;
  return IsEqualityByOrder(operation, value, argument);
}

bool MatchSides(const JoinIndex& left, const JoinIndex& right, Node* value, Node* argument, Oid operation, Oid collation, JoinMatch* out) {
  if (!OidIsValid(operation)) return false;
  out->right_column = FindColumn(right, value);
  if (out->right_column < 0) return false;
  out->left_column = FindColumn(left, argument);
  return out->left_column >= 0 && CollationsMatch(right.info->indexcollations[out->right_column], collation) &&
         StrategyOf(left, right, operation, out);
}

bool MatchOperator(const JoinIndex& left, const JoinIndex& right, const OpExpr* op, JoinMatch* out) {
  if (list_length(op->args) != 2) return false;
  auto *first = static_cast<Node*>(linitial(op->args)), *second = static_cast<Node*>(lsecond(op->args));
  return MatchSides(left, right, first, second, op->opno, op->inputcollid, out) ||
         MatchSides(left, right, second, first, get_commutator(op->opno), op->inputcollid, out);
}

// As the planner asks a function's support function for conditions of an index, with the other side for given.
List* ConditionsOfCall(PlannerInfo* root, const JoinIndex& right, FuncExpr* call, int argument, int column) {
  const RegProcedure support = get_func_support(call->funcid);
  if (!OidIsValid(support)) return NIL;
  SupportRequestIndexCondition request = {};
  request.type = T_SupportRequestIndexCondition;
  request.root = root;
  request.funcid = call->funcid;
  request.node = reinterpret_cast<Node*>(call);
  request.indexarg = argument;
  request.index = right.info;
  request.indexcol = column;
  request.opfamily = right.info->opfamily[column];
  request.indexcollation = right.info->indexcollations[column];
  request.lossy = true;
  return reinterpret_cast<List*>(DatumGetPointer(OidFunctionCall1(support, PointerGetDatum(&request))));
}

bool MatchCall(PlannerInfo* root, const JoinIndex& left, const JoinIndex& right, FuncExpr* call, JoinMatch* out) {
  int argument = 0;
  ListCell *cell, *condition;
  foreach (cell, call->args) {
    const int column = FindColumn(right, static_cast<Node*>(lfirst(cell)));
    const int number = argument++;
    if (column < 0) continue;
    List* conditions = ConditionsOfCall(root, right, call, number, column);
    foreach (condition, conditions) {
      const Node* node = static_cast<Node*>(lfirst(condition));
      if (IsA(node, OpExpr) && MatchOperator(left, right, reinterpret_cast<const OpExpr*>(node), out)) return true;
    }
  }
  return false;
}

}  // namespace

List* JoinIndexesOf(PlannerInfo* root, const RelOptInfo* rel) {
  List* indexes = NIL;
  ListCell* cell;
  foreach (cell, rel->indexlist) {
    auto* info = lfirst_node(IndexOptInfo, cell);
    if (!IsWholeXtree(info) && !HasAllRowsAskedFor(info)) continue;
    if (JoinIndex* index = LookAt(root, info)) indexes = lappend(indexes, index);
  }
  return indexes;
}

int MatchJoin(PlannerInfo* root, const JoinIndex& left, const JoinIndex& right, List* clauses, JoinMatch* out) {
  int count = 0;
  ListCell* cell;
  foreach (cell, clauses) {
    auto* clause = lfirst_node(RestrictInfo, cell);
    if (count == kMaxJoinClauses || bms_membership(clause->clause_relids) != BMS_MULTIPLE) continue;
    Node* expression = reinterpret_cast<Node*>(clause->clause);
    JoinMatch* match = &out[count];
    match->clause = clause;
    if (IsA(expression, OpExpr) ? MatchOperator(left, right, reinterpret_cast<OpExpr*>(expression), match)
                                : IsA(expression, FuncExpr) && MatchCall(root, left, right, reinterpret_cast<FuncExpr*>(expression), match))
      count++;
  }
  return count;
}

bool RelationOfColumns(const XtreeColumn& value, int strategy, const XtreeColumn& argument, XtreeJoin* out) {
  *out = {XTREE_MEETS, Min(value.dimensions, argument.dimensions), false, nullptr};
  if (strategy == kEqualityByOrder) {
    out->relation = XTREE_SAME;
    return value.routine->in_btree_order && xtree_same_ordinals(&value, &argument);
  }
  return value.routine->api_version >= 2 && value.routine->join != nullptr &&
         value.routine->join(&value, static_cast<StrategyNumber>(strategy), &argument, out);
}

}  // namespace xtree
