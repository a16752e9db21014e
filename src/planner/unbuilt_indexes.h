// Indexes that a query cannot use, because they are not built, or were built after its snapshot was taken.
//
// The planner is not told of them: no path may use one, whatever is disabled. (A price would not do: from PostgreSQL 18 on, a path of any
// price beats one that is disabled.) What it would have used one for is found out all the same: once it has made a table's paths, it is
// asked to make those of the withheld indexes, which are thrown away; xtreecostestimate, asked for their price, notes the demand.
#pragma once

#include "index/index_state.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// Called once, when the library is loaded, after OfferPlannerFamilies and OfferLimitPaths: that is before the first index of a session is
// planned with.
void WithholdUnbuiltIndexes();

// Is the index one that the query cannot use? If it is built, the plan is to be made anew with the next snapshot; if not, an invalidation
// sees to that.
bool IsUnusable(PlannerInfo* root, const IndexState& state);

// May the index be unbuilt, so that its meta page is to be looked at? As its options and its pg_class row tell, which cost nothing.
bool MayBeUnbuilt(Relation index);

}  // namespace xtree
