// See other_paths.h. Runs in the planner: palloc and ereport as they come.
#include "planner/other_paths.h"

#include <algorithm>

#include "planner/clause_match.h"
#include "planner/heap_pages.h"
#include "planner/heap_work.h"
#include "planner/planner_family.h"
#include "planner/scan_estimate.h"

extern "C" {
#include "catalog/pg_am_d.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "utils/spccache.h"
}

namespace xtree {

namespace {

// What a path takes more than it says.
struct More {
  double selectivity;  // as it is
  Cost index;
  Cost heap;  // of a plain scan
};

// The path's conditions as those of one of our indexes, all of them. False: it has not all.
bool MatchAll(PlannerInfo* root, IndexOptInfo* info, const IndexPath* path, IndexCondition* condition, int* count) {
  *count = 0;
  ListCell* cell;
  foreach (cell, path->indexclauses) {
    const IndexClause* clause = lfirst_node(IndexClause, cell);
    if (*count == INDEX_MAX_KEYS || clause->lossy || !MatchCondition(root, info, clause->rinfo, &condition[*count])) return false;
    if (!SaysAll(info, condition[(*count)++])) return false;
  }
  return *count > 0;
}

// GiST and SP-GiST cut space as we do.
bool HasSuchLeaves(const IndexOptInfo* other, const IndexOptInfo* ours) {
  return (other->relam == GIST_AM_OID || other->relam == SPGIST_AM_OID) && other->nkeycolumns == ours->nkeycolumns;
}

// One condition has an estimate of its own, which GiST was told too.
ScanEstimate AskFor(PlannerInfo* root, const RelOptInfo* rel, const IndexPath* path, bool* leaves) {
  constexpr BlockNumber kSmall = 16;
  if (rel->pages <= kSmall || !MayEstimate(root)) return {};
  ListCell* cell;
  foreach (cell, rel->indexlist) {
    auto* info = lfirst_node(IndexOptInfo, cell);
    if (!IsWholeXtree(info)) continue;
    *leaves = HasSuchLeaves(path->indexinfo, info);
    IndexCondition condition[INDEX_MAX_KEYS];
    int count;
    if ((list_length(path->indexclauses) > 1 || *leaves) && MatchAll(root, info, path, condition, &count))
      return EstimateScan(root, info, condition, count);
  }
  return {};
}

bool IsOther(const Path* path) {
  return IsA(path, IndexPath) && !IsXtree(reinterpret_cast<const IndexPath*>(path)->indexinfo) && path->param_info == nullptr &&
         reinterpret_cast<const IndexPath*>(path)->indexorderbys == NIL;
}

More MoreOf(PlannerInfo* root, const RelOptInfo* rel, const IndexPath* path) {
  const IndexOptInfo* info = path->indexinfo;
  More more = {path->indexselectivity, 0, 0};
  bool leaves;
  const ScanEstimate estimate = AskFor(root, rel, path, &leaves);
  if (!estimate.known) return more;
  double random, ignored;
  get_tablespace_page_costs(info->reltablespace, &random, &ignored);
  if (list_length(path->indexclauses) > 1) more.selectivity = std::max(more.selectivity, std::min(estimate.share, 1.0));
  const double rows = more.selectivity * rel->tuples, before = path->indexselectivity * rel->tuples;
  const double share = leaves ? std::max(estimate.leaves, more.selectivity) : more.selectivity;
  more.index = std::max(share - path->indexselectivity, 0.0) * info->pages * random + (rows - before) * cpu_index_tuple_cost;
  const auto fetched = [&](double count) { return index_pages_fetched(count, rel->pages, info->pages, root); };
  get_tablespace_page_costs(rel->reltablespace, &random, &ignored);
  more.heap = (fetched(rows) - fetched(before)) * random + (rows - before) * cpu_tuple_cost;
  return more;
}

double SelectivityOf(const Path* bitmap) {
  Cost ignored;
  Selectivity selectivity;
  cost_bitmap_tree_node(const_cast<Path*>(bitmap), &ignored, &selectivity);
  return selectivity;
}

bool IsOurs(const Path* bitmap) { return IsA(bitmap, IndexPath) && IsXtree(reinterpret_cast<const IndexPath*>(bitmap)->indexinfo); }

Cost BitmapMore(const RelOptInfo* rel, const Path* bitmap) { return CostOfBitmapPages(rel, SelectivityOf(bitmap) * rel->tuples); }

void AddBitmap(PlannerInfo* root, RelOptInfo* rel, Path* bitmap) {
  BitmapHeapPath* path = create_bitmap_heap_path(root, rel, bitmap, PATH_REQ_OUTER(bitmap), 1, 0);
  path->path.total_cost += BitmapMore(rel, bitmap);
  add_path(rel, &path->path);
}

}  // namespace

void AddBitmapOfMany(PlannerInfo* root, RelOptInfo* rel, Path* path) {
  if (path->param_info != nullptr)
    add_path(rel, path);
  else
    AddBitmap(root, rel, reinterpret_cast<BitmapHeapPath*>(path)->bitmapqual);
}

bool OtherIsTooCheap(PlannerInfo* root, RelOptInfo* rel, const Path* path) {
  if (IsOther(path)) {
    const More more = MoreOf(root, rel, reinterpret_cast<const IndexPath*>(path));
    return MattersToPlanner(more.index + more.heap, path->total_cost);
  }
  if (!IsA(path, BitmapHeapPath) || path->param_info != nullptr) return false;
  const Path* bitmap = reinterpret_cast<const BitmapHeapPath*>(path)->bitmapqual;
  if (IsOurs(bitmap)) return false;
  Cost sum = BitmapMore(rel, bitmap);
  if (IsOther(bitmap)) {
    const More more = MoreOf(root, rel, reinterpret_cast<const IndexPath*>(bitmap));
    sum += more.index + more.heap;
  }
  return MattersToPlanner(sum, path->total_cost);
}

// An index's path is one object, whether it is in the list, part of a bitmap or both; what is not in the list may be no path by itself. Bitmaps
// are made anew of all that are corrected.
void CorrectOthers(PlannerInfo* root, RelOptInfo* rel) {
  List *const before = rel->pathlist, *plain = NIL, *indexes = NIL;
  rel->pathlist = NIL;
  ListCell* cell;
  foreach (cell, before) {
    auto* path = static_cast<Path*>(lfirst(cell));
    Path* bitmap = IsA(path, BitmapHeapPath) && path->param_info == nullptr ? reinterpret_cast<BitmapHeapPath*>(path)->bitmapqual : nullptr;
    if (IsOther(path)) {
      plain = lappend(plain, path);
      indexes = list_append_unique_ptr(indexes, path);
    } else if (bitmap != nullptr && IsOther(bitmap)) {
      indexes = list_append_unique_ptr(indexes, bitmap);
    } else if (bitmap != nullptr && !IsOurs(bitmap)) {
      AddBitmap(root, rel, bitmap);
    } else {
      add_path(rel, path);
    }
  }
  foreach (cell, indexes) {
    auto* path = static_cast<IndexPath*>(lfirst(cell));
    const More more = MoreOf(root, rel, path);
    path->indexselectivity = more.selectivity;
    path->indextotalcost += more.index;
    path->path.total_cost += more.index + more.heap;
    if (path->indexinfo->amhasgetbitmap) AddBitmap(root, rel, &path->path);
  }
  foreach (cell, plain) add_path(rel, static_cast<Path*>(lfirst(cell)));
}

}  // namespace xtree
