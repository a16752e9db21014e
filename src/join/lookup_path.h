// Offers the planner lookup joins: any outer rows with a table that has an xtree index, where the planner has made a path of that index whose
// conditions take the outer row's values, for a nested loop.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// Called for every pair of relations that may be joined, as set_join_pathlist_hook is.
void TryLookupJoin(PlannerInfo* root, RelOptInfo* join, RelOptInfo* outer, RelOptInfo* inner, JoinType type, JoinPathExtraData* extra);

}  // namespace xtree
