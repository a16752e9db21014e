// xtree.explain_unbuilt: EXPLAIN shows the plan that there would be if deferred indexes were built. A deferred index costs nothing, so this is what
// tells what it would be worth. (HypoPG takes B-tree, hash, BRIN and bloom alone.)
//
// Such a plan is never run: it is made for an EXPLAIN without ANALYZE, which plans its query for itself, explains the plan and forgets it. Plans
// that are kept (EXPLAIN EXECUTE) do not come here, and what else is planned meanwhile, by functions that the planner calls, is another query.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// Called once, when the library is loaded.
void ExplainUnbuiltIndexes();

// Is the query that is planned, or that it is a part of, one to be explained with them?
bool IsExplainedAsBuilt(const PlannerInfo* root);

// Describes the index as xtree_estimate would: hypothetical, to the planner. False: it could not be estimated.
bool SupposeBuilt(IndexOptInfo* info);

}  // namespace xtree
