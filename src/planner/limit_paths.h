// Cut-offs by distance as index conditions: `column <-> origin < limit`, as the planner finds it in a query.
//
// The planner cannot match such a comparison to an index: its operator is that of numbers, and knows of no column. So once it has made
// a table's paths, it is asked to make them again, with every such comparison replaced by a call that has a planner support function,
// and that one gives the index condition `column @<= ROW(distance, origin, limit)`. Thus a cut-off takes part in whatever the planner
// does with conditions: together with others, with an order, in bitmaps and their AND and OR, for the inner side of joins. The
// condition is weaker than the comparison, which stays as a filter; so answers are exact at the edge, whatever rounds how.
#pragma once

#include "planner/scan_estimate.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// Called once, when the library is loaded: that is before paths of an xtree index are made.
void OfferLimitPaths();

// What a table with these paths gets more, if it may have any. Called with the indexes of its list.
void AddLimitPaths(PlannerInfo* root, RelOptInfo* rel, const RangeTblEntry* entry);
bool MayHaveIndexPaths(RelOptInfo* rel, const RangeTblEntry* entry);

// The condition of the index that a comparison with a distance is. False: it is none.
bool LimitConditionOf(PlannerInfo* root, IndexOptInfo* info, const RestrictInfo* clause, IndexCondition* out);

// Is the condition of the index a cut-off?
bool IsLimitClause(const IndexClause* clause);

}  // namespace xtree
