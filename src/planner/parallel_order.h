// Parallel scans that workers could not run. The server looks whether conditions are safe for them, but not at what an index orders by, because none
// of its own that scan in parallel orders by a distance.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// Takes partial paths away that order by an expression that is not parallel-safe, as a parameter of an outer query level is not. REQUIRES: nothing
// has been made of the partial paths yet (set_rel_pathlist_hook).
void DropUnsafeParallelOrders(PlannerInfo* root, RelOptInfo* rel);

}  // namespace xtree
