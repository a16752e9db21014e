// See join_path.h. Runs in the planner: palloc and ereport as they come; the catalog is only read.
//
// Outer, semi and anti joins: the left side is the one whose rows the join is about. Clauses of an outer join that were written above it (pushed
// down, the planner says) are not its clauses, but conditions on what it returns.
#include "join/join_path.h"

#include "join/join_cost.h"
#include "join/join_plan.h"
#include "join/join_scan.h"
#include "join/lookup_path.h"
#include "join/lookup_scan.h"
#include "join/nearest_path.h"
#include "join/nearest_scan.h"
#include "join/path_parts.h"
#include "pg/compat_planner.h"
#include "pg/settings.h"
#include "planner/clause_match.h"
#include "planner/limit_paths.h"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"
}

namespace xtree {

namespace {

set_join_pathlist_hook_type next_hook;

// A side of the join that a path is made for.
struct PathSide {
  RelOptInfo* rel;
  const JoinIndex* index;
  int windows;
  IndexCondition condition[INDEX_MAX_KEYS];
};

// What the plan needs of a path, for as long as that is planned with.
struct TreeJoinPath {
  CustomPath path;
  JoinType type;
  PathSide side[2];
  List* clauses;  // RestrictInfos
  List* filter;   // the same, of an outer join's conditions on what it returns
  int matches;
  JoinMatch match[INDEX_MAX_KEYS];
};

// A table, or a partition, that is scanned as it is.
bool MayBeSide(const PlannerInfo* root, const RelOptInfo* rel) {
  return IS_SIMPLE_REL(rel) && rel->indexlist != NIL && !IS_DUMMY_REL(const_cast<RelOptInfo*>(rel)) &&
         MayHaveIndexPaths(const_cast<RelOptInfo*>(rel), root->simple_rte_array[rel->relid]) && bms_is_empty(rel->lateral_relids) &&
         !HasPseudoconstant(rel->baserestrictinfo);
}

// Conditions are looked at by the trees before those that security puts first: only such as must not tell what others would hide.
bool IsSecure(RestrictInfo* clause, const RelOptInfo* rel) {
  return restriction_is_securely_promotable(clause, const_cast<RelOptInfo*>(rel));
}

List* SecureClauses(List* clauses, const RelOptInfo* left, const RelOptInfo* right) {
  List* secure = NIL;
  ListCell* cell;
  foreach (cell, clauses) {
    auto* clause = lfirst_node(RestrictInfo, cell);
    if (IsSecure(clause, left) && IsSecure(clause, right)) secure = lappend(secure, clause);
  }
  return secure;
}

bool IsLimit(const IndexCondition& condition, const JoinIndex& index) {
  const Node* node = reinterpret_cast<const Node*>(condition.expression);
  return IsA(node, OpExpr) && get_op_opfamily_strategy(reinterpret_cast<const OpExpr*>(node)->opno, index.family[condition.column]) ==
                                  XTREE_DISTANCE_LIMIT_STRATEGY;
}

void FindWindows(PlannerInfo* root, PathSide* side) {
  ListCell* cell;
  side->windows = 0;
  foreach (cell, side->rel->baserestrictinfo) {
    auto* clause = lfirst_node(RestrictInfo, cell);
    IndexCondition* condition = &side->condition[side->windows];
    if (side->windows == INDEX_MAX_KEYS || !IsSecure(clause, side->rel)) continue;
    if (MatchCondition(root, side->index->info, clause, condition) && !IsLimit(*condition, *side->index)) side->windows++;
  }
}

List* ClausesOf(const TreeJoinPath& path) {
  List* clauses = NIL;
  for (int i = 0; i < path.matches; i++) clauses = lappend(clauses, path.match[i].clause);
  return clauses;
}

// Those that the trees never tell for certain.
List* UncertainClausesOf(const TreeJoinPath& path) {
  List* clauses = list_copy(path.clauses);
  for (int i = 0; i < path.matches; i++)
    if (path.match[i].certain) clauses = list_delete_ptr(clauses, path.match[i].clause);
  return clauses;
}

bool IsPlaceHolder(Node* node, void*) {
  return node != nullptr && (IsA(node, PlaceHolderVar) || pg::WalkExpression<IsPlaceHolder>(node, nullptr));
}

bool IsColumn(const Node* node) {
  while (IsA(node, ConvertRowtypeExpr)) node = reinterpret_cast<const Node*>(reinterpret_cast<const ConvertRowtypeExpr*>(node)->arg);
  return IsA(node, Var);
}

// Where right rows may be missing, all that is asked of the join is columns, which are then NULL: an expression that is to be computed below the join
// would not be.
bool MayMissRows(const RelOptInfo* join, const List* clauses) {
  ListCell* cell;
  foreach (cell, join->reltarget->exprs)
    if (!IsColumn(static_cast<const Node*>(lfirst(cell)))) return false;
  foreach (cell, clauses)
    if (IsPlaceHolder(reinterpret_cast<Node*>(lfirst_node(RestrictInfo, cell)->clause), nullptr)) return false;
  return true;
}

// How much of the work each process does, as the server has it.
double Processes(int workers) {
  const double leader = parallel_leader_participation ? 1 - 0.3 * workers : 0;
  return workers + std::max(leader, 0.0);
}

// `workers`: 0: of one process.
Path* MakePath(RelOptInfo* join, const TreeJoinPath& like, const JoinCost& cost, int workers) {
  auto* path = static_cast<TreeJoinPath*>(palloc(sizeof(TreeJoinPath)));
  *path = like;
  CustomPath& custom = path->path;
  const double processes = workers > 0 ? Processes(workers) : 1;
  custom.path.type = T_CustomPath;
  custom.path.pathtype = T_CustomScan;
  custom.path.parent = join;
  custom.path.pathtarget = join->reltarget;
  custom.path.parallel_aware = workers > 0;
  custom.path.parallel_safe = join->consider_parallel;
  custom.path.parallel_workers = workers;
  custom.path.rows = workers > 0 ? clamp_row_est(join->rows / processes) : join->rows;
  custom.path.startup_cost = cost.startup;
  custom.path.total_cost = std::max(cost.startup, cost.pages + cost.cpu / processes);
  custom.flags = CUSTOMPATH_SUPPORT_PROJECTION;
  custom.methods = TreeJoinPathMethods();
  return &custom.path;
}

void AddPath(PlannerInfo* root, RelOptInfo* join, JoinPathExtraData* extra, const TreeJoinPath& like, const JoinIndex* left,
             const JoinIndex* right) {
  TreeJoinPath made = like;
  made.side[0] = {left->info->rel, left, 0, {}};
  made.side[1] = {right->info->rel, right, 0, {}};
  made.matches = MatchJoin(root, *left, *right, SecureClauses(made.clauses, left->info->rel, right->info->rel), made.match);
  if (made.matches == 0) return;
  for (PathSide& side : made.side) FindWindows(root, &side);
  JoinCostSide costs[2];
  for (int i = 0; i < 2; i++) {
    PathSide& side = made.side[i];
    const IndexOptInfo& info = *side.index->info;
    costs[i] = {side.index, side.condition, side.windows, KeysSuffice(info, info.ncolumns, join, extra->restrictlist)};
  }
  const JoinCost cost = CostOfJoin(root, join, made.type, extra, costs[0], costs[1], ClausesOf(made), UncertainClausesOf(made));

  add_path(join, MakePath(join, made, cost, 0));
  const int workers = join->consider_parallel ? compute_parallel_worker(made.side[0].rel, made.side[0].rel->pages, left->info->pages,
                                                                        max_parallel_workers_per_gather)
                                              : 0;
  if (workers > 0) add_partial_path(join, MakePath(join, made, cost, workers));
}

// Each join comes both ways round, so that it comes with the left side first.
bool IsJoined(JoinType type) { return type == JOIN_INNER || type == JOIN_LEFT || type == JOIN_SEMI || type == JOIN_ANTI; }

void TryTreeJoin(PlannerInfo* root, RelOptInfo* join, const RelOptInfo* outer, const RelOptInfo* inner, JoinType type,
                 JoinPathExtraData* extra) {
  if (!settings.enable_tree_join || !enable_indexscan || !IsJoined(type) || !MayBeSide(root, outer) || !MayBeSide(root, inner)) return;
  if (extra->sjinfo->jointype != type || !bms_is_empty(join->lateral_relids) || HasPseudoconstant(extra->restrictlist)) return;
  if (IS_OUTER_JOIN(type) && !MayMissRows(join, extra->restrictlist)) return;
  TreeJoinPath like = {};
  like.type = type;
  DivideClauses(join, type, extra->restrictlist, &like.clauses, &like.filter);
  List* lefts = JoinIndexesOf(root, outer, like.clauses);
  List* rights = lefts != NIL ? JoinIndexesOf(root, inner, like.clauses) : NIL;
  ListCell *left, *right;
  foreach (left, lefts)
    foreach (right, rights)
      AddPath(root, join, extra, like, static_cast<const JoinIndex*>(lfirst(left)), static_cast<const JoinIndex*>(lfirst(right)));
}

void MakePaths(PlannerInfo* root, RelOptInfo* join, RelOptInfo* outer, RelOptInfo* inner, JoinType type, JoinPathExtraData* extra) {
  TryTreeJoin(root, join, outer, inner, type, extra);
  TryLookupJoin(root, join, outer, inner, type, extra);
  TryNearestJoin(root, join, outer, inner, type);
  if (next_hook != nullptr) next_hook(root, join, outer, inner, type, extra);
}

// The variables of the expressions, added to a target list that is flat.
List* ColumnsOf(List* columns, List* expressions) {
  constexpr int kFlags = PVC_RECURSE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS | PVC_RECURSE_PLACEHOLDERS;
  List* variables = pull_var_clause(reinterpret_cast<Node*>(expressions), kFlags);
  return add_to_flat_tlist(columns, variables);
}

// A column is in the scan's tuple once, as what is asked of the join has it: from PostgreSQL 16 on its Var says which outer joins may have made it
// NULL, and the server insists that all expressions of the node agree on that.
Node* UseColumns(Node* node, void* columns) {
  if (node == nullptr || !IsA(node, Var)) return node == nullptr ? nullptr : pg::MutateExpression<UseColumns>(node, columns);
  auto** list = static_cast<List**>(columns);
  if (const Node* known = FindSame(*list, node)) return CopyNode(known);
  *list = add_to_flat_tlist(*list, list_make1(node));
  return CopyNode(node);
}

Plan* PlanTreeJoin(PlannerInfo* root, RelOptInfo* join, CustomPath* custom, List* targets, List*, List*) {
  const auto* path = reinterpret_cast<const TreeJoinPath*>(custom);
  JoinPlan plan = {};
  List* expressions = list_make1(OrderedClauses(root, path->clauses));
  List* arguments[2] = {NIL, NIL};
  plan.type = path->type;
  plan.left_is_lower = path->side[0].rel->relid < path->side[1].rel->relid;
  plan.matches = path->matches;
  List* margins = NIL;
  for (int i = 0; i < path->matches; i++) {
    plan.match[i] = path->match[i];
    plan.has_margin[i] = path->match[i].margin != nullptr;
    if (plan.has_margin[i]) margins = lappend(margins, path->match[i].margin);
  }
  // Whatever is asked of the join, also where the plan above is going to say so itself.
  List* columns = ColumnsOf(ColumnsOf(NIL, join->reltarget->exprs), targets);
  for (int i = 0; i < 2; i++) {
    const PathSide& side = path->side[i];
    plan.side[i].index = side.index->info->indexoid;
    plan.side[i].windows = side.windows;
    for (int w = 0; w < side.windows; w++) plan.side[i].window[w] = KeyOf(side.condition[w], *side.index, &arguments[i]);
    expressions = lappend(expressions, OrderedClauses(root, side.rel->baserestrictinfo));
  }
  for (List* of_side : arguments) expressions = lappend(expressions, of_side);
  expressions = lappend(expressions, margins);
  expressions = lappend(expressions, OrderedClauses(root, path->filter));
  expressions = lappend(expressions, OrderedClauses(root, UncertainClausesOf(*path)));
  expressions = reinterpret_cast<List*>(UseColumns(reinterpret_cast<Node*>(expressions), &columns));

  auto* scan = makeNode(CustomScan);
  scan->scan.plan.targetlist = targets;
  scan->scan.scanrelid = 0;
  scan->flags = custom->flags;
  scan->custom_exprs = expressions;
  scan->custom_private = WriteJoinPlan(plan);
  scan->custom_scan_tlist = columns;
  scan->custom_relids = bms_copy(join->relids);
  scan->methods = TreeJoinScanMethods();
  return &scan->scan.plan;
}

}  // namespace

const CustomPathMethods* TreeJoinPathMethods() {
  static const CustomPathMethods methods = {kTreeJoinName, PlanTreeJoin, nullptr};
  return &methods;
}

void OfferTreeJoins() {
  RegisterTreeJoinScan();
  RegisterLookupScan();
  RegisterNearestScan();
  next_hook = set_join_pathlist_hook;
  set_join_pathlist_hook = MakePaths;
}

}  // namespace xtree
