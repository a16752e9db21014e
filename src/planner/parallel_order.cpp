// See parallel_order.h.
#include "planner/parallel_order.h"

#include "planner/planner_family.h"

extern "C" {
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
}

namespace xtree {

void DropUnsafeParallelOrders(PlannerInfo* root, RelOptInfo* rel) {
  ListCell* cell;
  foreach (cell, rel->partial_pathlist) {
    const auto* const path = static_cast<const Path*>(lfirst(cell));
    if (!IsA(path, IndexPath)) continue;
    const auto* const index = reinterpret_cast<const IndexPath*>(path);
    if (index->indexorderbys == NIL || !IsXtree(index->indexinfo) || is_parallel_safe(root, reinterpret_cast<Node*>(index->indexorderbys)))
      continue;
    rel->partial_pathlist = foreach_delete_current(rel->partial_pathlist, cell);
  }
}

}  // namespace xtree
