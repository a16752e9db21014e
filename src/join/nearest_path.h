// Offers the planner nearest joins: any outer rows with LATERAL (SELECT ... FROM table ORDER BY column <-> outer value LIMIT n), where the planner
// has made nested loops with an ordered scan of an xtree index inside.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// Called for every pair of relations that may be joined, as set_join_pathlist_hook is.
void TryNearestJoin(PlannerInfo* root, RelOptInfo* join, RelOptInfo* outer, RelOptInfo* inner, JoinType type);

}  // namespace xtree
