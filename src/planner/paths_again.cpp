// See paths_again.h.
#include "planner/paths_again.h"

#include "pg/compat_planner.h"
#include "planner/heap_work.h"
#include "planner/planner_family.h"

extern "C" {
#include "optimizer/cost.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
}

namespace xtree {

namespace {

// The indexes of a path, and of what it consists of.
void CollectIndexes(const Path* path, List** indexes) {
  ListCell* cell;
  switch (nodeTag(path)) {
    case T_IndexPath:
      *indexes = list_append_unique_ptr(*indexes, reinterpret_cast<const IndexPath*>(path)->indexinfo);
      break;
    case T_BitmapHeapPath:
      CollectIndexes(reinterpret_cast<const BitmapHeapPath*>(path)->bitmapqual, indexes);
      break;
    case T_BitmapAndPath:
      foreach (cell, reinterpret_cast<const BitmapAndPath*>(path)->bitmapquals) CollectIndexes(static_cast<Path*>(lfirst(cell)), indexes);
      break;
    case T_BitmapOrPath:
      foreach (cell, reinterpret_cast<const BitmapOrPath*>(path)->bitmapquals) CollectIndexes(static_cast<Path*>(lfirst(cell)), indexes);
      break;
    default:
      break;
  }
}

// The indexes that paths are worth making with again: of a great number of trees those that the first paths did not prefer are as bad as the others.
List* IndexesToAsk(const RelOptInfo* rel) {
  constexpr int kMany = 16;
  List *used = NIL, *others = NIL;
  ListCell* cell;
  foreach (cell, rel->indexlist)
    if (!IsXtree(lfirst_node(IndexOptInfo, cell))) others = lappend(others, lfirst(cell));
  if (list_length(rel->indexlist) - list_length(others) <= kMany) return rel->indexlist;
  foreach (cell, rel->pathlist) CollectIndexes(static_cast<Path*>(lfirst(cell)), &used);
  return list_concat_unique_ptr(others, used);
}

// The server multiplies the selectivities of bitmaps that it intersects. No fewer rows are in all of them than all conditions leave. (Of paths that
// depend on other tables only the server knows how often they are run.)
bool IsTooSelective(const RelOptInfo* rel, const Path* path) {
  if (!IsA(path, BitmapHeapPath) || path->param_info != nullptr || rel->tuples <= 0) return false;
  const Path* bitmap = reinterpret_cast<const BitmapHeapPath*>(path)->bitmapqual;
  return IsA(bitmap, BitmapAndPath) && reinterpret_cast<const BitmapAndPath*>(bitmap)->bitmapselectivity * rel->tuples < rel->rows;
}

// Takes such paths out of the list.
List* TakeTooSelective(const RelOptInfo* rel, List** paths) {
  List* taken = NIL;
  ListCell* cell;
  foreach (cell, *paths) {
    auto* path = static_cast<Path*>(lfirst(cell));
    if (!IsTooSelective(rel, path)) continue;
    taken = lappend(taken, path);
    *paths = foreach_delete_current(*paths, cell);
  }
  return taken;
}

void CorrectBitmap(PlannerInfo* root, RelOptInfo* rel, Path* path) {
  auto* heap = reinterpret_cast<BitmapHeapPath*>(path);
  reinterpret_cast<BitmapAndPath*>(heap->bitmapqual)->bitmapselectivity = std::min(rel->rows / rel->tuples, 1.0);
  cost_bitmap_heap_scan(path, root, rel, nullptr, heap->bitmapqual, 1);
}

void MakeIndexPaths(PlannerInfo* root, RelOptInfo* rel, List* indexes) {
  rel->indexlist = indexes;
  if (indexes != NIL) create_index_paths(root, rel);
}

// Then paths may win that were given up for these: of other indexes, and of each of theirs alone.
void CorrectBitmaps(PlannerInfo* root, RelOptInfo* rel) {
  List* const all = rel->indexlist;
  List *const whole = TakeTooSelective(rel, &rel->pathlist), *const partial = TakeTooSelective(rel, &rel->partial_pathlist);
  if (whole == NIL && partial == NIL) return;
  List* used = NIL;
  ListCell* cell;
  foreach (cell, whole) CollectIndexes(static_cast<Path*>(lfirst(cell)), &used);
  MakeIndexPaths(root, rel, list_difference_ptr(all, used));
  foreach (cell, used) MakeIndexPaths(root, rel, list_make1(lfirst(cell)));
  rel->indexlist = all;
  foreach (cell, whole) {
    CorrectBitmap(root, rel, static_cast<Path*>(lfirst(cell)));
    add_path(rel, static_cast<Path*>(lfirst(cell)));
  }
  foreach (cell, partial) {
    CorrectBitmap(root, rel, static_cast<Path*>(lfirst(cell)));
    add_partial_path(rel, static_cast<Path*>(lfirst(cell)));
  }
}

}  // namespace

void MakePathsWith(PlannerInfo* root, RelOptInfo* rel, List* some_indexes) {
  List* const indexes = rel->indexlist;
  rel->indexlist = some_indexes;
  rel->pathlist = rel->partial_pathlist = NIL;
  pg::MakePlainPaths(root, rel);
  CorrectBitmaps(root, rel);
  rel->indexlist = indexes;
}

void MakePathsAgain(PlannerInfo* root, RelOptInfo* rel) {
  List *const before = rel->pathlist, *const partial_before = rel->partial_pathlist;
  ForgetHeapWork(root);
  MakePathsWith(root, rel, IndexesToAsk(rel));
  ListCell* cell;
  foreach (cell, before)
    if (IsA(lfirst(cell), CustomPath)) add_path(rel, static_cast<Path*>(lfirst(cell)));
  foreach (cell, partial_before)
    if (IsA(lfirst(cell), CustomPath)) add_partial_path(rel, static_cast<Path*>(lfirst(cell)));
}

}  // namespace xtree
