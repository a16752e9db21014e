// See limit_paths.h. Runs in the planner: palloc and ereport as they come; the catalog is only read.
#include "planner/limit_paths.h"

#include "am/limit_keys.h"
#include "planner/clause_match.h"
#include "planner/parallel_order.h"
#include "planner/planner_family.h"
#include "index/index_state.h"
#include "xtree.h"

extern "C" {
#include "access/genam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
}

namespace xtree {

namespace {

set_rel_pathlist_hook_type next_hook;

// The operator families of an index as the executor knows them; the planner may have been told others.
struct IndexFamilies {
  IndexOptInfo* index;
  Oid family[INDEX_MAX_KEYS];
  uint32 blind[INDEX_MAX_KEYS];  // XtreeTypeRoutine.blind_strategies
};

// `column distance origin <= limit`, or with `<`, `=` or `>` turned round.
struct Cutoff {
  Node* column;
  int index_column;
  Oid distance;
  Node* origin;
  Node* limit;
  Oid function;  // of the family's @<=
};

// A comparison whose place a call has taken.
struct Replaced {
  RestrictInfo* place;
  RestrictInfo before;
};

Oid LimitOperator(Oid family) { return get_opfamily_member(family, ANYELEMENTOID, INTERNALOID, XTREE_DISTANCE_LIMIT_STRATEGY); }

// Is it an order of the column's that a limit is any use for?
bool MayLimit(const IndexFamilies& index, int column, Oid distance) {
  StrategyNumber strategy;
  Oid argument_type;
  if (!FindDistance(index.family[column], distance, &strategy, &argument_type)) return false;
  return strategy >= 32 || (index.blind[column] >> strategy & 1) == 0;
}

void LoadFamilies(IndexOptInfo* info, IndexFamilies* out) {
  out->index = info;
  std::copy_n(info->opfamily, info->nkeycolumns, out->family);
  std::fill_n(out->blind, info->nkeycolumns, 0);
  if (info->hypothetical) return;
  const Relation index = index_open(info->indexoid, NoLock);
  std::copy_n(index->rd_opfamily, info->nkeycolumns, out->family);
  const IndexState* state = GetIndexState(index, MetaUse::kNone);
  for (int i = 0; i < info->nkeycolumns; i++) out->blind[i] = state->column[i].routine->blind_strategies;
  index_close(index, NoLock);
}

// Is `column` one of the index, and `distance` an order that its family has, and can limit?
bool FindColumn(const IndexFamilies& index, Node* column, Oid distance, Oid* limit_operator, int* index_column) {
  for (int i = 0; i < index.index->nkeycolumns; i++) {
    if (!match_index_to_operand(column, i, index.index) || !MayLimit(index, i, distance)) continue;
    *limit_operator = LimitOperator(index.family[i]);
    *index_column = i;
    if (OidIsValid(*limit_operator)) return true;
  }
  return false;
}

// Is the expression a distance from a column of the index? Fills in all but the limit.
bool MatchDistance(PlannerInfo* root, const IndexFamilies& index, Node* expression, Cutoff* out) {
  if (!IsA(expression, OpExpr) || list_length(reinterpret_cast<OpExpr*>(expression)->args) != 2) return false;
  const auto* op = reinterpret_cast<OpExpr*>(expression);
  for (int side = 0; side < 2; side++) {
    out->column = static_cast<Node*>(list_nth(op->args, side));
    out->origin = static_cast<Node*>(list_nth(op->args, 1 - side));
    out->distance = side == 0 ? op->opno : get_commutator(op->opno);
    Oid limit_operator;
    if (!OidIsValid(out->distance) || !FindColumn(index, out->column, out->distance, &limit_operator, &out->index_column)) continue;
    out->function = get_opcode(limit_operator);
    return IsFixed(root, out->origin, index.index);
  }
  return false;
}

// Does the comparison say that its left (its right) side is at most the other, in the order of distances?
bool IsUpperBound(Oid comparison, Oid order_family, bool left) {
  switch (get_op_opfamily_strategy(comparison, order_family)) {
    case BTLessStrategyNumber:
    case BTLessEqualStrategyNumber:
      return left;
    case BTEqualStrategyNumber:
      return true;
    case BTGreaterEqualStrategyNumber:
    case BTGreaterStrategyNumber:
      return !left;
    default:
      return false;
  }
}

Oid OrderFamilyOf(const IndexFamilies& index, Oid distance) {
  for (int i = 0; i < index.index->nkeycolumns; i++) {
    const Oid family = get_op_opfamily_sortfamily(distance, index.family[i]);
    if (OidIsValid(family)) return family;
  }
  return InvalidOid;
}

bool MatchCutoff(PlannerInfo* root, const IndexFamilies& index, const OpExpr* comparison, Cutoff* out) {
  auto* const sides = comparison->args;
  for (const bool left : {true, false}) {
    if (!MatchDistance(root, index, static_cast<Node*>(left ? linitial(sides) : lsecond(sides)), out)) continue;
    out->limit = static_cast<Node*>(left ? lsecond(sides) : linitial(sides));
    if (IsUpperBound(comparison->opno, OrderFamilyOf(index, out->distance), left) && IsFixed(root, out->limit, index.index) &&
        IsLimitOfDistance(get_op_rettype(out->distance), exprType(out->limit)))
      return true;
  }
  return false;
}

// copyObject is a macro of C.
Node* Copy(const Node* node) { return static_cast<Node*>(copyObjectImpl(node)); }

// The right side of the operator. The row is of type internal for it, so that nobody can write such a condition, which says less than it seems to.
Expr* LimitArgument(const Cutoff& cutoff) {
  auto* row = makeNode(RowExpr);
  row->args = list_make3(makeConst(REGOPERATOROID, -1, InvalidOid, sizeof(Oid), ObjectIdGetDatum(cutoff.distance), false, true),
                         Copy(cutoff.origin), Copy(cutoff.limit));
  row->colnames = list_make3(makeString(pstrdup("distance")), makeString(pstrdup("origin")), makeString(pstrdup("limit")));
  row->row_typeid = RECORDOID;
  row->row_format = COERCE_EXPLICIT_CALL;
  row->location = -1;
  return reinterpret_cast<Expr*>(makeRelabelType(reinterpret_cast<Expr*>(row), INTERNALOID, -1, InvalidOid, COERCE_IMPLICIT_CAST));
}

// What stands in for the comparison.
Expr* CallOf(const Cutoff& cutoff) {
  List* arguments = list_make2(Copy(cutoff.column), LimitArgument(cutoff));
  return reinterpret_cast<Expr*>(makeFuncExpr(cutoff.function, BOOLOID, arguments, InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL));
}

// A comparison of two sides of which one is computed by an operator, as a distance is.
bool MayBeCutoff(const RestrictInfo* clause) {
  if (clause->pseudoconstant || !IsA(clause->clause, OpExpr)) return false;
  const List* sides = reinterpret_cast<OpExpr*>(clause->clause)->args;
  return list_length(sides) == 2 && (IsA(linitial(sides), OpExpr) || IsA(lsecond(sides), OpExpr));
}

// RestrictInfos, and those within ORs and their ANDs.
void Collect(Node* condition, List** comparisons) {
  ListCell* cell;
  if (IsA(condition, RestrictInfo)) {
    auto* clause = reinterpret_cast<RestrictInfo*>(condition);
    if (clause->orclause != nullptr)
      Collect(reinterpret_cast<Node*>(clause->orclause), comparisons);
    else if (MayBeCutoff(clause))
      *comparisons = lappend(*comparisons, clause);
  } else if (IsA(condition, BoolExpr)) {
    foreach (cell, reinterpret_cast<BoolExpr*>(condition)->args) Collect(static_cast<Node*>(lfirst(cell)), comparisons);
  }
}

List* ComparisonsOf(const RelOptInfo* rel) {
  List* comparisons = NIL;
  ListCell* cell;
  foreach (cell, rel->baserestrictinfo) Collect(static_cast<Node*>(lfirst(cell)), &comparisons);
  foreach (cell, rel->joininfo) Collect(static_cast<Node*>(lfirst(cell)), &comparisons);
  return comparisons;
}

void Replace(PlannerInfo* root, const List* indexes, RestrictInfo* clause, List** replaced) {
  ListCell* cell;
  foreach (cell, indexes) {
    Cutoff cutoff;
    const auto& index = *static_cast<const IndexFamilies*>(lfirst(cell));
    if (!MatchCutoff(root, index, reinterpret_cast<OpExpr*>(clause->clause), &cutoff)) continue;
    auto* place = static_cast<Replaced*>(palloc(sizeof(Replaced)));
    *place = {clause, *clause};
    *replaced = lappend(*replaced, place);
    clause->clause = CallOf(cutoff);
    return;
  }
}

List* ReplaceCutoffs(PlannerInfo* root, const List* comparisons, const List* indexes) {
  List* replaced = NIL;
  ListCell* cell;
  foreach (cell, comparisons) Replace(root, indexes, lfirst_node(RestrictInfo, cell), &replaced);
  return replaced;
}

// With whatever has been computed meanwhile for the calls, such as costs, forgotten.
void PutBack(const List* replaced) {
  ListCell* cell;
  foreach (cell, replaced) {
    const auto* place = static_cast<const Replaced*>(lfirst(cell));
    *place->place = place->before;
  }
}

bool HasLimits(const IndexFamilies& index) {
  return std::any_of(index.family, index.family + index.index->nkeycolumns, [](Oid family) { return OidIsValid(LimitOperator(family)); });
}

List* IndexesWithLimits(const RelOptInfo* rel) {
  List* indexes = NIL;
  ListCell* cell;
  foreach (cell, rel->indexlist) {
    auto* info = lfirst_node(IndexOptInfo, cell);
    if (!IsXtree(info)) continue;
    auto* index = static_cast<IndexFamilies*>(palloc(sizeof(IndexFamilies)));
    LoadFamilies(info, index);
    if (HasLimits(*index)) indexes = lappend(indexes, index);
  }
  return indexes;
}

// The row within the operator's argument; nullptr where it is something else.
const RowExpr* LimitRow(Node* argument) {
  if (!IsA(argument, RelabelType)) return nullptr;
  const auto* relabel = reinterpret_cast<RelabelType*>(argument);
  if (relabel->resulttype != INTERNALOID || !IsA(relabel->arg, RowExpr)) return nullptr;
  return reinterpret_cast<RowExpr*>(relabel->arg);
}

// `column @<= row`, if it is the column's own family that has the distance.
List* ConditionOf(SupportRequestIndexCondition* request) {
  if (request->indexarg != 0 || !IsA(request->node, FuncExpr) || !IsXtree(request->index)) return NIL;
  const auto* call = reinterpret_cast<FuncExpr*>(request->node);
  auto* argument = static_cast<Node*>(lsecond(call->args));
  const RowExpr* row = LimitRow(argument);
  if (row == nullptr || !IsFixed(request->root, argument, request->index)) return NIL;
  IndexFamilies index;
  LoadFamilies(request->index, &index);
  const Oid family = index.family[request->indexcol], limit_operator = LimitOperator(family);
  const Oid distance = DatumGetObjectId(static_cast<Const*>(linitial(row->args))->constvalue);
  if (!OidIsValid(limit_operator) || !MayLimit(index, request->indexcol, distance)) return NIL;
  request->lossy = true;
  return list_make1(make_opclause(limit_operator, BOOLOID, false, static_cast<Expr*>(linitial(call->args)),
                                  reinterpret_cast<Expr*>(argument), InvalidOid, request->indexcollation));
}

}  // namespace

// A table whose index paths the planner has made.
bool MayHaveIndexPaths(RelOptInfo* rel, const RangeTblEntry* entry) {
  return IS_SIMPLE_REL(rel) && entry->rtekind == RTE_RELATION && !entry->inh && entry->tablesample == nullptr && !IS_DUMMY_REL(rel);
}

void AddLimitPaths(PlannerInfo* root, RelOptInfo* rel, const RangeTblEntry* entry) {
  if (rel->indexlist == NIL || !MayHaveIndexPaths(rel, entry)) return;
  const List* comparisons = ComparisonsOf(rel);
  if (comparisons == NIL) return;  // before any index is opened: a table may have hundreds
  const List* indexes = IndexesWithLimits(rel);
  if (indexes == NIL) return;
  const List* replaced = ReplaceCutoffs(root, comparisons, indexes);
  if (replaced != NIL) create_index_paths(root, rel);
  PutBack(replaced);
}

namespace {

// Others that were there before may take paths away, so they come last.
void MakePaths(PlannerInfo* root, RelOptInfo* rel, Index relid, RangeTblEntry* entry) {
  AddLimitPaths(root, rel, entry);
  DropUnsafeParallelOrders(root, rel);  // of all that ours have made: this hook is the last of them
  if (next_hook != nullptr) next_hook(root, rel, relid, entry);
}

}  // namespace

void OfferLimitPaths() {
  next_hook = set_rel_pathlist_hook;
  set_rel_pathlist_hook = MakePaths;
}

bool LimitConditionOf(PlannerInfo* root, IndexOptInfo* info, const RestrictInfo* clause, IndexCondition* out) {
  if (!MayBeCutoff(clause)) return false;
  IndexFamilies index;
  LoadFamilies(info, &index);
  Cutoff cutoff;
  if (!HasLimits(index) || !MatchCutoff(root, index, reinterpret_cast<OpExpr*>(clause->clause), &cutoff)) return false;
  out->column = cutoff.index_column;
  out->expression = make_opclause(LimitOperator(index.family[cutoff.index_column]), BOOLOID, false, reinterpret_cast<Expr*>(cutoff.column),
                                  LimitArgument(cutoff), InvalidOid, info->indexcollations[cutoff.index_column]);
  return true;
}

bool IsLimitClause(const IndexClause* clause) {
  const Expr* condition = linitial_node(RestrictInfo, clause->indexquals)->clause;
  if (!IsA(condition, OpExpr)) return false;
  const List* arguments = reinterpret_cast<const OpExpr*>(condition)->args;
  return list_length(arguments) == 2 && LimitRow(static_cast<Node*>(lsecond(arguments))) != nullptr;
}

}  // namespace xtree

extern "C" {
PG_FUNCTION_INFO_V1(xtree_within_distance);
PG_FUNCTION_INFO_V1(xtree_within_distance_support);

// Called where the executor looks at a row's index conditions again. The comparison that this one was made of is looked at anyway.
Datum xtree_within_distance(FunctionCallInfo) { PG_RETURN_BOOL(true); }

Datum xtree_within_distance_support(PG_FUNCTION_ARGS) {
  Node* request = reinterpret_cast<Node*>(PG_GETARG_POINTER(0));
  if (!IsA(request, SupportRequestIndexCondition)) return Datum{0};
  PG_RETURN_POINTER(xtree::ConditionOf(reinterpret_cast<SupportRequestIndexCondition*>(request)));
}
}
