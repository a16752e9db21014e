// See lookup_path.h. Runs in the planner: palloc and ereport as they come; the catalog is only read.
//
// Which clauses the index answers, and how, is what the server found when it made paths for nested loops: those of operators, of functions with
// planner support, those that follow from equalities, and cut-offs by distance (planner/limit_paths.h).
#include "join/lookup_path.h"

#include "join/lookup_cost.h"
#include "join/lookup_plan.h"
#include "join/lookup_scan.h"
#include "join/path_parts.h"
#include "pg/compat_planner.h"
#include "pg/settings.h"
#include "planner/limit_paths.h"
#include "planner/planner_family.h"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
}

namespace xtree {

namespace {

// What the plan needs of a path, for as long as that is planned with.
struct LookupPath {
  CustomPath path;
  JoinType type;
  RelOptInfo* inner;
  const JoinIndex* index;
  List* clauses;        // RestrictInfos of the join
  List* index_clauses;  // IndexClauses
};

// Paths of an index whose conditions take values of the outer relation's rows; also as a part of a bitmap.
void CollectPaths(Path* path, const RelOptInfo* outer, List** found) {
  ListCell* cell;
  if (IsA(path, BitmapHeapPath)) return CollectPaths(reinterpret_cast<BitmapHeapPath*>(path)->bitmapqual, outer, found);
  if (IsA(path, BitmapAndPath)) {
    foreach (cell, reinterpret_cast<BitmapAndPath*>(path)->bitmapquals) CollectPaths(static_cast<Path*>(lfirst(cell)), outer, found);
    return;
  }
  if (!IsA(path, IndexPath) || bms_is_empty(PATH_REQ_OUTER(path)) || !bms_is_subset(PATH_REQ_OUTER(path), outer->relids)) return;
  const auto* index = reinterpret_cast<IndexPath*>(path)->indexinfo;
  if (!IsWholeXtree(index) && !HasAllRowsAskedFor(index)) return;
  // Of an index the one with the most conditions.
  foreach (cell, *found) {
    auto* other = lfirst_node(IndexPath, cell);
    if (other->indexinfo != index) continue;
    if (list_length(other->indexclauses) < list_length(reinterpret_cast<IndexPath*>(path)->indexclauses)) lfirst(cell) = path;
    return;
  }
  *found = lappend(*found, path);
}

// An index's conditions have room in the plan.
bool HasRoom(const List* index_clauses) {
  int keys = 0;
  ListCell* cell;
  foreach (cell, index_clauses) keys += list_length(lfirst_node(IndexClause, cell)->indexquals);
  return keys <= INDEX_MAX_KEYS;
}

// Vectors in clusters are found by another way through the tree.
bool IsOfClusters(const JoinIndex& index, const List* index_clauses) {
  if (index.state->vectors.dimensions == 0) return false;
  ListCell* cell;
  foreach (cell, index_clauses)
    if (lfirst_node(IndexClause, cell)->indexcol == index.state->vectors.column) return true;
  return false;
}

// An outer join's NULLs are put in the place of columns, so there may be nothing else.
bool HasColumnsOnly(const RelOptInfo* rel) {
  ListCell* cell;
  foreach (cell, rel->reltarget->exprs)
    if (!IsA(lfirst(cell), Var)) return false;
  return true;
}

bool MayBeInner(const PlannerInfo* root, RelOptInfo* rel, JoinType type) {
  return IS_SIMPLE_REL(rel) && rel->indexlist != NIL && MayHaveIndexPaths(rel, root->simple_rte_array[rel->relid]) &&
         bms_is_empty(rel->lateral_relids) && !HasPseudoconstant(rel->baserestrictinfo) && (!IS_OUTER_JOIN(type) || HasColumnsOnly(rel));
}

Path* MakePath(RelOptInfo* join, const LookupPath& like, Path* outer, const LookupCost& cost) {
  auto* path = static_cast<LookupPath*>(palloc(sizeof(LookupPath)));
  *path = like;
  CustomPath& custom = path->path;
  custom.path.type = T_CustomPath;
  custom.path.pathtype = T_CustomScan;
  custom.path.parent = join;
  custom.path.pathtarget = join->reltarget;
  custom.path.parallel_safe = join->consider_parallel && outer->parallel_safe;
  custom.path.parallel_workers = outer->parallel_workers;
  custom.path.parallel_aware = outer->parallel_workers > 0;  // what the processes have done is added up
  custom.path.rows = cost.rows;
  custom.path.startup_cost = cost.startup;
  custom.path.total_cost = cost.total;
  pg::TakeDisabledNodes(&custom.path, outer);
  custom.flags = CUSTOMPATH_SUPPORT_PROJECTION;
  custom.custom_paths = list_make1(outer);
  custom.methods = LookupPathMethods();
  return &custom.path;
}

bool IsUsable(const Path* outer) { return outer != nullptr && outer->param_info == nullptr; }

// Does a key of the index say all that the clause does?
bool IsAnswered(const RestrictInfo* clause, const List* index_clauses) {
  ListCell* cell;
  foreach (cell, index_clauses) {
    const auto* answered = lfirst_node(IndexClause, cell);
    if (answered->rinfo == clause) return !answered->lossy && !IsLimitClause(answered);
  }
  return false;
}

List* UnansweredClauses(List* clauses, const List* index_clauses) {
  List* others = NIL;
  ListCell* cell;
  foreach (cell, clauses)
    if (!IsAnswered(lfirst_node(RestrictInfo, cell), index_clauses)) others = lappend(others, lfirst(cell));
  return others;
}

void AddPaths(PlannerInfo* root, RelOptInfo* join, RelOptInfo* outer, const LookupPath& made, const IndexPath* index) {
  const bool keys_suffice = KeysSuffice(*index->indexinfo, index->indexinfo->nkeycolumns, join, made.clauses);
  List* tested = UnansweredClauses(made.clauses, made.index_clauses);
  const LookupCostInput input = {join, outer, made.type, index, made.index, tested, keys_suffice};
  Path* const wholes[] = {outer->cheapest_total_path, outer->cheapest_startup_path};
  for (int i = 0; i < 2; i++)
    if (IsUsable(wholes[i]) && (i == 0 || wholes[1] != wholes[0]))
      add_path(join, MakePath(join, made, wholes[i], CostOfLookups(root, input, wholes[i])));
  if (!join->consider_parallel || outer->partial_pathlist == NIL) return;
  auto* partial = static_cast<Path*>(linitial(outer->partial_pathlist));
  if (IsUsable(partial)) add_partial_path(join, MakePath(join, made, partial, CostOfLookups(root, input, partial)));
}

// The columns and placeholders at the top of expressions, as they are there: whether an outer join makes them NULL is a part of them.
List* Outputs(List* expressions) {
  return pull_var_clause(reinterpret_cast<Node*>(expressions), PVC_RECURSE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS | PVC_INCLUDE_PLACEHOLDERS);
}

// Expressions above and below an outer join differ in what they say of NULLs. The node's tuple has each column once, under the name that the plan
// above has for it, and all expressions of the node use that.
Node* RenameColumns(Node* node, void* columns) {
  if (node == nullptr) return nullptr;
  if (IsA(node, Var) || IsA(node, PlaceHolderVar))
    if (const Node* same = FindSame(static_cast<const List*>(columns), node)) return CopyNode(same);
  return pg::MutateExpression<RenameColumns>(node, columns);
}

List* Renamed(List* expressions, List* columns) {
  return reinterpret_cast<List*>(RenameColumns(reinterpret_cast<Node*>(expressions), columns));
}

List* AppendColumn(List* columns, const Node* expression) {
  auto* copy = reinterpret_cast<Expr*>(CopyNode(expression));
  return lappend(columns, makeTargetEntry(copy, static_cast<AttrNumber>(list_length(columns) + 1), nullptr, false));
}

// The scan's tuple: what the outer plan returns, then the inner table's columns. `above`: as the plan above has them; `inside`: what else is asked.
List* ColumnsOfTuple(const Plan* outer, Index inner, List* above, List* inside) {
  List* columns = NIL;
  ListCell* cell;
  foreach (cell, outer->targetlist) {
    Node* own = reinterpret_cast<Node*>(lfirst_node(TargetEntry, cell)->expr);
    const Node* same = FindSame(above, own);
    columns = AppendColumn(columns, same != nullptr ? same : own);
  }
  constexpr int kFlags = PVC_RECURSE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS | PVC_RECURSE_PLACEHOLDERS;
  List* variables = pull_var_clause(reinterpret_cast<Node*>(list_concat_copy(above, inside)), kFlags);
  foreach (cell, variables) {
    const auto* variable = lfirst_node(Var, cell);
    const auto* node = reinterpret_cast<const Node*>(variable);
    if (variable->varno == static_cast<int>(inner) && FindSame(columns, node) == nullptr) columns = AppendColumn(columns, node);
  }
  return columns;
}

// The index's conditions, as keys: windows, and those that are looked up.
struct Keys {
  List* conditions;  // all, as expressions
  List* arguments[2];
};

void AddKeys(PlannerInfo* root, const LookupPath& path, const IndexClause* clause, LookupPlan* plan, Keys* keys) {
  const bool limit = IsLimitClause(clause);
  ListCell* cell;
  foreach (cell, clause->indexquals) {
    const auto* qual = lfirst_node(RestrictInfo, cell);
    const bool looked_up = limit || bms_membership(pull_varnos(root, reinterpret_cast<Node*>(qual->clause))) == BMS_MULTIPLE;
    JoinPlanSide* side = looked_up ? &plan->lookup : &plan->windows;
    side->window[side->windows++] = KeyOf({clause->indexcol, qual->clause}, *path.index, &keys->arguments[looked_up]);
    keys->conditions = lappend(keys->conditions, qual->clause);
    plan->limits += limit;
  }
}

Plan* PlanLookups(PlannerInfo* root, RelOptInfo* join, CustomPath* custom, List* targets, List*, List* plans) {
  const auto* path = reinterpret_cast<const LookupPath*>(custom);
  const auto* outer = static_cast<const Plan*>(linitial(plans));
  const Index inner = path->inner->relid;
  LookupPlan plan = {};
  plan.type = path->type;
  plan.inner_place = bms_member_index(join->relids, static_cast<int>(inner));
  plan.outer_columns = list_length(outer->targetlist);
  plan.windows.index = plan.lookup.index = path->index->info->indexoid;
  Keys keys = {};
  ListCell* cell;
  foreach (cell, path->index_clauses) AddKeys(root, *path, lfirst_node(IndexClause, cell), &plan, &keys);

  List *clauses = NIL, *filters = NIL;
  DivideClauses(join, path->type, path->clauses, &clauses, &filters);
  List* others = UnansweredClauses(clauses, path->index_clauses);
  List* expressions = NIL;
  for (List* list : {clauses, others, filters, path->inner->baserestrictinfo})
    expressions = lappend(expressions, OrderedClauses(root, list));
  for (List* list : {keys.arguments[0], keys.arguments[1], keys.conditions}) expressions = lappend(expressions, list);
  List* above = list_concat(Outputs(targets), Outputs(join->reltarget->exprs));
  List* columns = ColumnsOfTuple(outer, inner, above, expressions);

  auto* scan = makeNode(CustomScan);
  scan->scan.plan.targetlist = Renamed(targets, columns);
  scan->scan.scanrelid = 0;
  scan->flags = custom->flags;
  scan->custom_plans = plans;
  scan->custom_exprs = Renamed(expressions, columns);
  scan->custom_private = WriteLookupPlan(plan);
  scan->custom_scan_tlist = columns;
  scan->custom_relids = bms_copy(join->relids);
  scan->methods = LookupScanMethods();
  return &scan->scan.plan;
}

}  // namespace

void TryLookupJoin(PlannerInfo* root, RelOptInfo* join, RelOptInfo* outer, RelOptInfo* inner, JoinType type, JoinPathExtraData* extra) {
  if (!settings.enable_lookup_join || !enable_indexscan) return;
  if (type != JOIN_INNER && type != JOIN_LEFT && type != JOIN_SEMI && type != JOIN_ANTI) return;
  if (!MayBeInner(root, inner, type) || !bms_is_empty(join->lateral_relids) || HasPseudoconstant(extra->restrictlist)) return;
  List* indexes = NIL;
  ListCell* cell;
  foreach (cell, inner->pathlist) CollectPaths(static_cast<Path*>(lfirst(cell)), outer, &indexes);
  foreach (cell, indexes) {
    const auto* path = lfirst_node(IndexPath, cell);
    const JoinIndex* index = LookAtIndex(root, path->indexinfo);
    if (index == nullptr || !HasRoom(path->indexclauses) || IsOfClusters(*index, path->indexclauses)) continue;
    LookupPath made = {};
    made.type = type;
    made.inner = inner;
    made.index = index;
    made.clauses = extra->restrictlist;
    made.index_clauses = path->indexclauses;
    AddPaths(root, join, outer, made, path);
  }
}

const CustomPathMethods* LookupPathMethods() {
  static const CustomPathMethods methods = {kLookupJoinName, PlanLookups, nullptr};
  return &methods;
}

}  // namespace xtree
