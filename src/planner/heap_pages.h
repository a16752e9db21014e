// Heap pages that an index scan reads, told to the planner as the correlation of index and table.
//
// Used by cost.cpp. Pure computation from the meta page's statistics and the planner's.
#pragma once

#include "index/index_state.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// What the server's formula takes for pages between those read at random and those read in sequence (cost_index: its square is the share of the
// latter), so that it comes to what the scan reads. `selectivity`: of the table's rows, those that the scan returns; `leaves`: that it visits.
// `state`: nullptr of an index that does not exist.
double CorrelationWithTable(PlannerInfo* root, const IndexPath* path, const IndexState* state, double loop_count, double selectivity,
                            double leaves);

}  // namespace xtree
