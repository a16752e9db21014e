// See nearest_path.h. Runs in the planner: palloc and ereport as they come; the catalog is only read.
//
// The path wraps one of the server's own, a nested loop, which becomes its child with all that the server makes of it. Here is only seen whether it
// is one whose inner side the tree can be asked for, and worth it: the executor's part looks at the plan itself, and where that is another
// it runs the nested loop.
#include "join/nearest_path.h"

#include "join/join_clauses.h"
#include "join/nearest_plan.h"
#include "join/nearest_scan.h"
#include "join/path_parts.h"
#include "pg/compat_planner.h"
#include "pg/settings.h"
#include "planner/planner_family.h"

extern "C" {
#include "nodes/makefuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
}

#include <cmath>

namespace xtree {

namespace {

// Measured, of what a nested loop does for each outer row inside, where rows are fetched and where they are not; and how many operators the join
// costs besides.
constexpr double kShareOfScan = 0.75;
constexpr double kShareOfIndexOnlyScan = 0.95;
constexpr double kStartOperators = 400;
constexpr double kFewRows = 100;   // whose searches share too little to gain anything
constexpr double kFirstRows = 32;  // that are looked up before the first row leaves
constexpr int kAssumedLimit = 10;

struct NearestPath {
  CustomPath path;
  NearestPlan plan;
};

// The scan for one outer row. nullptr: the subquery is another.
struct InnerPath {
  const SubqueryScanPath* subquery;
  const IndexPath* scan;
  int limit;
};

// A constant or a parameter of the statement: the same for all outer rows. 0: another.
int LimitOf(const LimitPath* path) {
  if (path->limitOption != LIMIT_OPTION_COUNT || path->limitOffset != nullptr || path->limitCount == nullptr) return 0;
  if (IsA(path->limitCount, Param)) return reinterpret_cast<const Param*>(path->limitCount)->paramkind == PARAM_EXTERN ? kAssumedLimit : 0;
  if (!IsA(path->limitCount, Const)) return 0;
  const auto* count = reinterpret_cast<const Const*>(path->limitCount);
  const int64 value = count->constisnull ? 0 : DatumGetInt64(count->constvalue);
  return value > 0 && value <= kMostNearest ? static_cast<int>(value) : 0;
}

// Projections that the scan itself does.
const Path* WithoutProjection(const Path* path) {
  while (IsA(path, ProjectionPath) && reinterpret_cast<const ProjectionPath*>(path)->dummypp)
    path = reinterpret_cast<const ProjectionPath*>(path)->subpath;
  return path;
}

bool FindInnerPath(const Path* path, InnerPath* out) {
  // Whether outer rows are alike is of no use to a batch.
  if (IsA(path, MemoizePath)) path = reinterpret_cast<const MemoizePath*>(path)->subpath;
  if (!IsA(path, SubqueryScanPath)) return false;
  // Conditions after the limit.
  if (path->param_info != nullptr && path->param_info->ppi_clauses != NIL) return false;
  out->subquery = reinterpret_cast<const SubqueryScanPath*>(path);
  const Path* limit = WithoutProjection(out->subquery->subpath);
  if (!IsA(limit, LimitPath)) return false;
  out->limit = LimitOf(reinterpret_cast<const LimitPath*>(limit));
  const Path* scan = WithoutProjection(reinterpret_cast<const LimitPath*>(limit)->subpath);
  if (out->limit == 0 || !IsA(scan, IndexPath) || scan->parallel_aware) return false;
  out->scan = reinterpret_cast<const IndexPath*>(scan);
  return IsXtree(out->scan->indexinfo) && list_length(out->scan->indexorderbys) == 1;
}

// Conditions that the keys do not answer remove some of the nearest rows. 0: too many.
int CandidatesFor(const InnerPath& inner) {
  const IndexPath& scan = *inner.scan;
  const double found = scan.indexselectivity * std::max(scan.indexinfo->tuples, 1.0);
  const double kept = found > 0 ? std::min(scan.path.rows / found, 1.0) : 1;
  if (kept > 0.999) return 1000;
  const double candidates = inner.limit * 1.3 / kept + 2;
  return candidates <= kMostCandidates ? static_cast<int>(std::ceil(candidates * 1000 / inner.limit)) : 0;
}

bool MayBeInner(const RelOptInfo* outer, const RelOptInfo* inner) {
  return inner->reloptkind == RELOPT_BASEREL && inner->rtekind == RTE_SUBQUERY && inner->subroot != nullptr &&
         inner->baserestrictinfo == NIL && !bms_is_empty(inner->lateral_relids) && bms_overlap(inner->lateral_relids, outer->relids);
}

void AddPath(RelOptInfo* join, const NestPath* nested, const InnerPath& inner, const NearestPlan& plan) {
  // The server may free its own, once there is a better one.
  auto* child = static_cast<NestPath*>(palloc(sizeof(NestPath)));
  *child = *nested;
  const auto* scan = reinterpret_cast<const Path*>(inner.subquery);
  child->jpath.innerjoinpath = const_cast<Path*>(scan);
  const Path& loop = child->jpath.path;
  const Path& outer = *child->jpath.outerjoinpath;
  auto* path = static_cast<NearestPath*>(palloc0(sizeof(NearestPath)));
  path->plan = plan;
  CustomPath& custom = path->path;
  custom.path.type = T_CustomPath;
  custom.path.pathtype = T_CustomScan;
  custom.path.parent = join;
  custom.path.pathtarget = join->reltarget;
  custom.path.parallel_safe = loop.parallel_safe;
  custom.path.rows = loop.rows;
  custom.path.pathkeys = loop.pathkeys;
  const double rows = std::max(outer.rows, 1.0);
  const Cost inside = rows * scan->total_cost;
  const Cost start = kStartOperators * cpu_operator_cost;
  // A loop that is disabled, or remembers what it found for others alike, is no measure.
  const Cost other = rows * scan->rows * cpu_tuple_cost + loop.rows * join->reltarget->cost.per_tuple;
  const double share = inner.scan->path.pathtype == T_IndexOnlyScan ? kShareOfIndexOnlyScan : kShareOfScan;
  const Cost run = (rows < kFewRows ? 1.1 : share) * inside + other;
  custom.path.startup_cost = outer.startup_cost + start + std::min(kFirstRows / rows, 1.0) * run;
  custom.path.total_cost = outer.total_cost + start + run;
  pg::TakeDisabledNodes(&custom.path, &outer);
  custom.flags = CUSTOMPATH_SUPPORT_PROJECTION;
  custom.custom_paths = list_make1(child);
  custom.methods = NearestPathMethods();
  add_path(join, &custom.path);
}

Plan* PlanNearest(PlannerInfo*, RelOptInfo* join, CustomPath* custom, List* targets, List*, List* plans) {
  const auto* child = static_cast<const Plan*>(linitial(plans));
  auto* scan = makeNode(CustomScan);
  scan->scan.plan.targetlist = targets;
  scan->scan.scanrelid = 0;
  scan->flags = custom->flags;
  scan->custom_plans = plans;
  scan->custom_private = WriteNearestPlan(reinterpret_cast<const NearestPath*>(custom)->plan);
  scan->custom_scan_tlist = reinterpret_cast<List*>(CopyNode(reinterpret_cast<const Node*>(child->targetlist)));
  scan->custom_relids = bms_copy(join->relids);
  scan->methods = NearestScanMethods();
  return &scan->scan.plan;
}

}  // namespace

void TryNearestJoin(PlannerInfo* root, RelOptInfo* join, RelOptInfo* outer, RelOptInfo* inner, JoinType type) {
  if (!settings.enable_lookup_join || !enable_indexscan || (type != JOIN_INNER && type != JOIN_LEFT)) return;
  if (!MayBeInner(outer, inner)) return;
  const RangeTblEntry* entry = root->simple_rte_array[inner->relid];
  // How often they are called, and in what order, may show; and what runs a plan of its own is not understood.
  if (entry->subquery->hasSubLinks || contain_volatile_functions(reinterpret_cast<Node*>(entry->subquery))) return;
  ListCell* cell;
  foreach (cell, list_copy(join->pathlist)) {
    auto* nested = static_cast<NestPath*>(lfirst(cell));
    InnerPath found;
    if (!IsA(nested, NestPath) || nested->jpath.jointype != type || nested->jpath.outerjoinpath->parent != outer ||
        nested->jpath.innerjoinpath->parent != inner || nested->jpath.path.param_info != nullptr ||
        !FindInnerPath(nested->jpath.innerjoinpath, &found))
      continue;
    const JoinIndex* index = LookAtIndex(inner->subroot, found.scan->indexinfo);
    const int candidates = CandidatesFor(found);
    if (index == nullptr || index->state->vectors.dimensions != 0 || candidates == 0) continue;
    AddPath(join, nested, found, {found.scan->indexinfo->indexoid, candidates});
  }
}

const CustomPathMethods* NearestPathMethods() {
  static const CustomPathMethods methods = {kNearestJoinName, PlanNearest, nullptr};
  return &methods;
}

}  // namespace xtree
