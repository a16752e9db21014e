// See join_clauses.h.
#include "join/join_clauses.h"

#include "core/join/join_condition.h"
#include "planner/clause_match.h"
#include "planner/planner_family.h"
#include "planner/unbuilt_indexes.h"

#include <utility>

extern "C" {
#include "access/genam.h"
#include "access/stratnum.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
}

namespace xtree {

namespace {

bool CollationsMatch(Oid index, Oid expression) { return !OidIsValid(index) || index == expression; }

int FindColumn(const IndexOptInfo& index, Node* expression) {
  for (int i = 0; i < index.nkeycolumns; i++)
    if (match_index_to_operand(expression, i, const_cast<IndexOptInfo*>(&index))) return i;
  return -1;
}

int FindColumn(const JoinIndex& index, Node* expression) { return FindColumn(*index.info, expression); }

// Is an argument of the operator or function, or of one that is its argument, a column of the index? Before the index is opened: a table
// may have hundreds.
bool Mentions(const Node* node, const IndexOptInfo& index, int depth) {
  if (depth == 0 || (!IsA(node, OpExpr) && !IsA(node, FuncExpr))) return false;
  const List* arguments = IsA(node, OpExpr) ? reinterpret_cast<const OpExpr*>(node)->args : reinterpret_cast<const FuncExpr*>(node)->args;
  ListCell* cell;
  foreach (cell, arguments)
    if (FindColumn(index, static_cast<Node*>(lfirst(cell))) >= 0 || Mentions(static_cast<Node*>(lfirst(cell)), index, depth - 1))
      return true;
  return false;
}

bool MentionedBy(const IndexOptInfo& index, const List* clauses) {
  ListCell* cell;
  foreach (cell, clauses)
    if (Mentions(reinterpret_cast<Node*>(lfirst_node(RestrictInfo, cell)->clause), index, 2)) return true;
  return false;
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
  out->margin = nullptr;
  out->turned = false;
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

// By an operator of the left column's family.
bool MatchTurned(const JoinIndex& left, const JoinIndex& right, Node* value, Node* argument, Oid operation, Oid collation, JoinMatch* out) {
  if (!MatchSides(right, left, value, argument, operation, collation, out)) return false;
  std::swap(out->left_column, out->right_column);
  out->turned = true;
  XtreeJoin unused;
  return RelationOfMatch(*out, left.state->column[out->left_column].column, right.state->column[out->right_column].column, &unused);
}

bool MatchOperator(const JoinIndex& left, const JoinIndex& right, const OpExpr* op, JoinMatch* out) {
  if (list_length(op->args) != 2) return false;
  auto *first = static_cast<Node*>(linitial(op->args)), *second = static_cast<Node*>(lsecond(op->args));
  return MatchSides(left, right, first, second, op->opno, op->inputcollid, out) ||
         MatchSides(left, right, second, first, get_commutator(op->opno), op->inputcollid, out) ||
         MatchTurned(left, right, first, second, op->opno, op->inputcollid, out) ||
         MatchTurned(left, right, second, first, get_commutator(op->opno), op->inputcollid, out);
}

// Can the execution have the expression before it looks at a row of either table?
bool IsLimit(PlannerInfo* root, Node* expression) {
  return exprType(expression) == FLOAT8OID && bms_is_empty(pull_varnos(root, expression)) && !contain_volatile_functions(expression) &&
         !contain_subplans(expression);
}

// Does the comparison say that its left (its right) side is at most the other?
bool IsUpperBound(Oid comparison, Oid order_family, bool left) {
  const int strategy = get_op_opfamily_strategy(comparison, order_family);
  if (strategy == BTEqualStrategyNumber) return true;
  return left ? strategy == BTLessStrategyNumber || strategy == BTLessEqualStrategyNumber
              : strategy == BTGreaterStrategyNumber || strategy == BTGreaterEqualStrategyNumber;
}

// `value OP argument` is a distance that orders the right column.
bool MatchDistance(const JoinIndex& left, const JoinIndex& right, Node* value, Node* argument, Oid distance, Oid comparison, bool on_left,
                   JoinMatch* out) {
  if (!OidIsValid(distance)) return false;
  out->right_column = FindColumn(right, value);
  out->left_column = FindColumn(left, argument);
  if (out->right_column < 0 || out->left_column < 0) return false;
  const Oid family = right.family[out->right_column], order_family = get_op_opfamily_sortfamily(distance, family);
  if (!OidIsValid(order_family) || !IsUpperBound(comparison, order_family, on_left)) return false;
  Oid left_type, right_type;
  get_op_opfamily_properties(distance, family, true, &out->strategy, &left_type, &right_type);
  out->turned = false;
  XtreeJoin join;
  return RelationOfColumns(right.state->column[out->right_column].column, out->strategy, left.state->column[out->left_column].column,
                           &join) &&
         join.by_distance;
}

// `distance <= limit`, either way round.
bool MatchLimit(PlannerInfo* root, const JoinIndex& left, const JoinIndex& right, const OpExpr* comparison, JoinMatch* out) {
  if (list_length(comparison->args) != 2) return false;
  for (const bool on_left : {true, false}) {
    auto* distance = static_cast<Node*>(list_nth(comparison->args, on_left ? 0 : 1));
    out->margin = static_cast<Node*>(list_nth(comparison->args, on_left ? 1 : 0));
    if (!IsA(distance, OpExpr) || list_length(reinterpret_cast<OpExpr*>(distance)->args) != 2 || !IsLimit(root, out->margin)) continue;
    const auto* op = reinterpret_cast<const OpExpr*>(distance);
    auto *first = static_cast<Node*>(linitial(op->args)), *second = static_cast<Node*>(lsecond(op->args));
    if (MatchDistance(left, right, first, second, op->opno, comparison->opno, on_left, out) ||
        MatchDistance(left, right, second, first, get_commutator(op->opno), comparison->opno, on_left, out))
      return true;
  }
  return false;
}

// `value && ST_Expand(argument, margin)`, which PostGIS makes of ST_DWithin.
bool MatchExpanded(PlannerInfo* root, const JoinIndex& left, const JoinIndex& right, const OpExpr* op, JoinMatch* out) {
  if (list_length(op->args) != 2 || !IsA(lsecond(op->args), FuncExpr)) return false;
  const auto* call = reinterpret_cast<const FuncExpr*>(lsecond(op->args));
  if (call->funcid < FirstNormalObjectId || list_length(call->args) != 2) return false;
  const char* name = get_func_name(call->funcid);
  if (name == nullptr || strcmp(name, "st_expand") != 0) return false;
  auto* margin = static_cast<Node*>(lsecond(call->args));
  if (!IsLimit(root, margin)) return false;
  XtreeJoin join;
  if (!MatchSides(left, right, static_cast<Node*>(linitial(op->args)), static_cast<Node*>(linitial(call->args)), op->opno, op->inputcollid,
                  out) ||
      out->strategy != RTOverlapStrategyNumber ||
      !RelationOfColumns(right.state->column[out->right_column].column, out->strategy, left.state->column[out->left_column].column,
                         &join) ||
      join.relation != XTREE_MEETS)
    return false;
  out->margin = margin;
  return true;
}

// Of a match of the operator itself, not of what a function makes of it.
bool IsCertain(const JoinIndex& left, const JoinIndex& right, const JoinMatch& match) {
  XtreeJoin join;
  return IsA(match.clause->clause, OpExpr) && match.margin == nullptr &&
         RelationOfMatch(match, left.state->column[match.left_column].column, right.state->column[match.right_column].column, &join) &&
         join.certain;
}

bool MatchCall(PlannerInfo* root, const JoinIndex& left, const JoinIndex& right, FuncExpr* call, JoinMatch* out) {
  int argument = 0;
  ListCell *cell, *condition;
  foreach (cell, call->args) {
    const int column = FindColumn(right, static_cast<Node*>(lfirst(cell)));
    const int number = argument++;
    if (column < 0) continue;
    List* conditions = ConditionsOfCall(root, right.info, call, number, column);
    foreach (condition, conditions) {
      const Node* node = static_cast<Node*>(lfirst(condition));
      if (!IsA(node, OpExpr)) continue;
      const auto* op = reinterpret_cast<const OpExpr*>(node);
      if (MatchOperator(left, right, op, out) || MatchExpanded(root, left, right, op, out)) return true;
    }
  }
  return false;
}

}  // namespace

JoinIndex* LookAtIndex(PlannerInfo* root, IndexOptInfo* info) {
  auto* out = static_cast<JoinIndex*>(palloc(sizeof(JoinIndex)));
  const Relation index = index_open(info->indexoid, NoLock);
  out->info = info;
  out->state = CopyIndexState(index, MayBeUnbuilt(index) ? MetaUse::kPlan : MetaUse::kNone);
  std::copy_n(index->rd_opfamily, info->nkeycolumns, out->family);
  index_close(index, NoLock);
  return IsUnusable(root, *out->state) ? nullptr : out;
}

List* JoinIndexesOf(PlannerInfo* root, const RelOptInfo* rel, const List* clauses) {
  constexpr int kMost = 8;  // as each is tried with each of the other table
  List* indexes = NIL;
  ListCell* cell;
  foreach (cell, rel->indexlist) {
    auto* info = lfirst_node(IndexOptInfo, cell);
    if ((!IsWholeXtree(info) && !HasAllRowsAskedFor(info)) || !MentionedBy(*info, clauses)) continue;
    JoinIndex* index = LookAtIndex(root, info);
    // One that is divided by clusters of vectors would be read as a whole for each node of the other.
    if (index != nullptr && index->state->vectors.dimensions == 0) indexes = lappend(indexes, index);
    if (list_length(indexes) == kMost) break;
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
    const auto* op = reinterpret_cast<const OpExpr*>(expression);
    if (IsA(expression, OpExpr)
            ? !MatchOperator(left, right, op, match) && !MatchLimit(root, left, right, op, match)
            : !IsA(expression, FuncExpr) || !MatchCall(root, left, right, reinterpret_cast<FuncExpr*>(expression), match))
      continue;
    match->certain = IsCertain(left, right, *match);
    count++;
  }
  return count;
}

bool RelationOfColumns(const XtreeColumn& value, int strategy, const XtreeColumn& argument, XtreeJoin* out) {
  *out = {XTREE_MEETS, Min(value.dimensions, argument.dimensions), false, false, nullptr, false, false};
  if (strategy == kEqualityByOrder) {
    out->relation = XTREE_SAME;
    out->certain = value.routine->exact && argument.routine->exact;
    return value.routine->in_btree_order && xtree_same_ordinals(&value, &argument);
  }
  return value.routine->api_version >= 2 && value.routine->join != nullptr &&
         value.routine->join(&value, static_cast<StrategyNumber>(strategy), &argument, out);
}

bool RelationOfMatch(const JoinMatch& match, const XtreeColumn& left, const XtreeColumn& right, XtreeJoin* out) {
  if (!match.turned) return RelationOfColumns(right, match.strategy, left, out);
  if (!RelationOfColumns(left, match.strategy, right, out) || (out->reach != nullptr && !out->both_ways)) return false;
  if (out->relation == XTREE_CONTAINS)
    out->relation = XTREE_WITHIN;
  else if (out->relation == XTREE_WITHIN)
    out->relation = XTREE_CONTAINS;
  return true;
}

}  // namespace xtree
