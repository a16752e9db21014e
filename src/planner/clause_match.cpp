// See clause_match.h.
#include "planner/clause_match.h"

#include "index/index_state.h"
#include "planner/limit_paths.h"

extern "C" {
#include "access/genam.h"
#include "access/stratnum.h"
#include "access/transam.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace xtree {

namespace {

Oid OperatorOf(const Node* condition) {
  if (IsA(condition, OpExpr)) return reinterpret_cast<const OpExpr*>(condition)->opno;
  if (IsA(condition, ScalarArrayOpExpr)) return reinterpret_cast<const ScalarArrayOpExpr*>(condition)->opno;
  return InvalidOid;
}

// Equality of a type that ANALYZE can neither count the different values of nor put in order, such as point ~= point.
bool IsOpaqueEquality(Oid operation) {
  Oid left, right;
  op_input_types(operation, &left, &right);
  return !op_mergejoinable(operation, left) && !op_hashjoinable(operation, left);
}

bool CollationsMatch(Oid index, Oid expression) { return !OidIsValid(index) || index == expression; }

// `operand` is the column, `argument` what it is compared with.
bool FitsColumn(PlannerInfo* root, IndexOptInfo* info, int column, Node* operand, Node* argument, Oid operation, Oid collation) {
  return OidIsValid(operation) && match_index_to_operand(operand, column, info) && op_in_opfamily(operation, info->opfamily[column]) &&
         CollationsMatch(info->indexcollations[column], collation) && IsFixed(root, argument, info);
}

bool MatchOperator(PlannerInfo* root, IndexOptInfo* info, int column, const OpExpr* op, IndexCondition* out) {
  if (list_length(op->args) != 2) return false;
  auto *left = static_cast<Node*>(linitial(op->args)), *right = static_cast<Node*>(lsecond(op->args));
  if (FitsColumn(root, info, column, left, right, op->opno, op->inputcollid)) {
    *out = {column, reinterpret_cast<Expr*>(const_cast<OpExpr*>(op))};
    return true;
  }
  const Oid commuted = match_index_to_operand(right, column, info) ? get_commutator(op->opno) : InvalidOid;
  if (!FitsColumn(root, info, column, right, left, commuted, op->inputcollid)) return false;
  *out = {column, make_opclause(commuted, op->opresulttype, false, reinterpret_cast<Expr*>(right), reinterpret_cast<Expr*>(left),
                                op->opcollid, op->inputcollid)};
  return true;
}

bool MatchAny(PlannerInfo* root, IndexOptInfo* info, int column, const ScalarArrayOpExpr* op, IndexCondition* out) {
  auto *left = static_cast<Node*>(linitial(op->args)), *right = static_cast<Node*>(lsecond(op->args));
  if (!op->useOr || !FitsColumn(root, info, column, left, right, op->opno, op->inputcollid)) return false;
  *out = {column, reinterpret_cast<Expr*>(const_cast<ScalarArrayOpExpr*>(op))};
  return true;
}

bool MatchColumn(PlannerInfo* root, IndexOptInfo* info, int column, const RestrictInfo* clause, IndexCondition* out) {
  const Node* condition = reinterpret_cast<const Node*>(clause->clause);
  if (IsA(condition, OpExpr)) return MatchOperator(root, info, column, reinterpret_cast<const OpExpr*>(condition), out);
  if (IsA(condition, ScalarArrayOpExpr)) return MatchAny(root, info, column, reinterpret_cast<const ScalarArrayOpExpr*>(condition), out);
  if (!IsA(condition, NullTest)) return false;
  const auto* test = reinterpret_cast<const NullTest*>(condition);
  if (test->argisrow || !match_index_to_operand(reinterpret_cast<Node*>(test->arg), column, info)) return false;
  *out = {column, clause->clause};
  return true;
}

}  // namespace

bool IsGuessed(const Node* condition) {
  const Oid operation = OperatorOf(condition);
  if (!OidIsValid(operation)) return false;
  switch (get_oprrest(operation)) {
    case F_CONTSEL:
    case F_AREASEL:
    case F_POSITIONSEL:
      return true;
    case F_EQSEL:
      return IsOpaqueEquality(operation);
    default:
      return false;
  }
}

bool IsGuessedJoin(const Node* condition) {
  if (!IsA(condition, OpExpr)) return false;
  const Oid operation = reinterpret_cast<const OpExpr*>(condition)->opno;
  switch (get_oprjoin(operation)) {
    case F_CONTJOINSEL:
    case F_AREAJOINSEL:
    case F_POSITIONJOINSEL:
      return true;
    case F_EQJOINSEL:
      return IsOpaqueEquality(operation);
    default:
      // Of an extension, as PostGIS's: of histograms of boxes by cells, of which small boxes fill none. Measured: twenty times too many pairs.
      return get_oprjoin(operation) >= FirstNormalObjectId;
  }
}

bool IsFixed(PlannerInfo* root, Node* expression, IndexOptInfo* index) {
  return is_pseudo_constant_for_index(root, expression, index) && !contain_subplans(expression);
}

bool MatchCondition(PlannerInfo* root, IndexOptInfo* info, const RestrictInfo* clause, IndexCondition* out) {
  if (clause->pseudoconstant) return false;
  for (int column = 0; column < info->nkeycolumns; column++)
    if (MatchColumn(root, info, column, clause, out)) return true;
  return LimitConditionOf(root, info, clause, out);
}

List* ConditionsOfCall(PlannerInfo* root, IndexOptInfo* info, FuncExpr* call, int argument, int column) {
  const RegProcedure support = get_func_support(call->funcid);
  if (!OidIsValid(support)) return NIL;
  SupportRequestIndexCondition request = {};
  request.type = T_SupportRequestIndexCondition;
  request.root = root;
  request.funcid = call->funcid;
  request.node = reinterpret_cast<Node*>(call);
  request.indexarg = argument;
  request.index = info;
  request.indexcol = column;
  request.opfamily = info->opfamily[column];
  request.indexcollation = info->indexcollations[column];
  request.lossy = true;
  return reinterpret_cast<List*>(DatumGetPointer(OidFunctionCall1(support, PointerGetDatum(&request))));
}

bool MatchGuessedJoin(PlannerInfo* root, IndexOptInfo* info, const RestrictInfo* clause, IndexCondition* out) {
  if (!IsA(clause->clause, FuncExpr))
    return IsGuessedJoin(reinterpret_cast<Node*>(clause->clause)) && MatchCondition(root, info, clause, out);
  auto* call = reinterpret_cast<FuncExpr*>(clause->clause);
  for (int column = 0; column < info->nkeycolumns; column++) {
    for (int i = 0; i < list_length(call->args); i++) {
      if (!match_index_to_operand(static_cast<Node*>(list_nth(call->args, i)), column, info)) continue;
      const List* conditions = ConditionsOfCall(root, info, call, i, column);
      if (list_length(conditions) != 1) continue;
      const Node* condition = static_cast<Node*>(linitial(conditions));
      if (IsGuessedJoin(condition) && MatchOperator(root, info, column, reinterpret_cast<const OpExpr*>(condition), out)) return true;
    }
  }
  return false;
}

bool SaysAll(const IndexOptInfo* info, const IndexCondition& condition) {
  if (IsGuessed(reinterpret_cast<Node*>(condition.expression))) return true;
  const Relation index = index_open(info->indexoid, NoLock);
  const bool exact = GetIndexState(index, MetaUse::kNone)->column[condition.column].routine->exact;
  index_close(index, NoLock);
  return exact;
}

}  // namespace xtree
