// See unbuilt_indexes.h.
#include "planner/unbuilt_indexes.h"

#include "planner/explain_unbuilt.h"
#include "planner/limit_paths.h"
#include "planner/planner_family.h"
#include "planner/planner_notes.h"
#include "deferred/build_state.h"
#include "pg/compat_planner.h"

extern "C" {
#include "access/genam.h"
#include "optimizer/paths.h"
#include "utils/snapmgr.h"
}

namespace xtree {

namespace {

set_rel_pathlist_hook_type next_paths_hook;

struct Withheld {
  List* indexes;  // of IndexOptInfo
};
using WithheldFrom = PlannerNotes<RelOptInfo, Withheld>;

// An index that does not exist (a planner's extension asks what it would be worth) counts as built.
bool IsToBeWithheld(PlannerInfo* root, const IndexOptInfo* info) {
  if (!IsXtree(info) || info->hypothetical) return false;
  const Relation index = index_open(info->indexoid, NoLock);
  const bool unusable = MayBeUnbuilt(index) && IsUnusable(root, *GetIndexState(index, MetaUse::kPlan));
  index_close(index, NoLock);
  return unusable;
}

// Not where it is built, and only too new for this query.
bool IsSupposedBuilt(PlannerInfo* root, IndexOptInfo* info) {
  if (!IsExplainedAsBuilt(root)) return false;
  const Relation index = index_open(info->indexoid, NoLock);
  const bool unbuilt = GetIndexState(index, MetaUse::kPlan)->build_state != MetaBuildState::kBuilt;
  index_close(index, NoLock);
  return unbuilt && SupposeBuilt(info);
}

void LookAtIndexes(PlannerInfo* root, RelOptInfo* rel) {
  List* unusable = NIL;
  ListCell* cell;
  foreach (cell, rel->indexlist)
    if (IsToBeWithheld(root, lfirst_node(IndexOptInfo, cell)) && !IsSupposedBuilt(root, lfirst_node(IndexOptInfo, cell)))
      unusable = lappend(unusable, lfirst(cell));
  if (unusable == NIL) return;
  rel->indexlist = list_difference_ptr(rel->indexlist, unusable);
  WithheldFrom::Of(rel)->indexes = unusable;
}

// The paths are made of a table that has none, because those that it has could be freed for them.
void MakePathsInVain(PlannerInfo* root, RelOptInfo* rel, RangeTblEntry* entry, List* indexes) {
  List *const indexlist = rel->indexlist, *const pathlist = rel->pathlist, *const partial = rel->partial_pathlist;
  rel->indexlist = indexes;
  rel->pathlist = rel->partial_pathlist = NIL;
  check_index_predicates(root, rel);
  create_index_paths(root, rel);
  AddLimitPaths(root, rel, entry);
  rel->indexlist = indexlist;
  rel->pathlist = pathlist;
  rel->partial_pathlist = partial;
}

void MakePaths(PlannerInfo* root, RelOptInfo* rel, Index relid, RangeTblEntry* entry) {
  const Withheld* withheld = WithheldFrom::Find(rel);
  if (withheld != nullptr && MayHaveIndexPaths(rel, entry)) MakePathsInVain(root, rel, entry, withheld->indexes);
  if (next_paths_hook != nullptr) next_paths_hook(root, rel, relid, entry);
}

}  // namespace

void WithholdUnbuiltIndexes() {
  pg::IndexListHook<LookAtIndexes>::Install();
  next_paths_hook = set_rel_pathlist_hook;
  set_rel_pathlist_hook = MakePaths;
}

bool IsUnusable(PlannerInfo* root, const IndexState& state) {
  if (UsableFrom(state, TransactionXmin)) return false;
  if (state.build_state == MetaBuildState::kBuilt) root->glob->transientPlan = true;
  return true;
}

bool MayBeUnbuilt(Relation index) {
  constexpr int kLeastPages = 2;  // of a built one: meta page and root
  return BuildReloptionOf(index) == BuildReloption::kDeferred || index->rd_rel->relpages < kLeastPages;
}

}  // namespace xtree
