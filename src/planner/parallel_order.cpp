// See parallel_order.h.
#include "planner/parallel_order.h"

#include "planner/cluster_cost.h"
#include "planner/planner_family.h"

extern "C" {
#include "access/genam.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
}

namespace xtree {

namespace {

// One process would do all of it.
bool IsOverClusters(const IndexPath* path) {
  if (path->indexinfo->hypothetical) return false;
  const Relation index = index_open(path->indexinfo->indexoid, NoLock);
  const bool over = OrdersByClusters(path, *GetIndexState(index, MetaUse::kNone));
  index_close(index, NoLock);
  return over;
}

}  // namespace

void DropUnsafeParallelOrders(PlannerInfo* root, RelOptInfo* rel) {
  ListCell* cell;
  foreach (cell, rel->partial_pathlist) {
    const auto* const path = static_cast<const Path*>(lfirst(cell));
    if (!IsA(path, IndexPath)) continue;
    const auto* const index = reinterpret_cast<const IndexPath*>(path);
    if (index->indexorderbys == NIL || !IsXtree(index->indexinfo)) continue;
    if (is_parallel_safe(root, reinterpret_cast<Node*>(index->indexorderbys)) && !IsOverClusters(index)) continue;
    rel->partial_pathlist = foreach_delete_current(rel->partial_pathlist, cell);
  }
}

}  // namespace xtree
