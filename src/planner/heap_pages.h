// Heap pages that an index scan reads, told to the planner as the correlation of index and table, and what that has no room for (heap_work.h).
//
// Used by cost.cpp. Pure computation from the meta page's statistics and the planner's.
#pragma once

#include "index/index_state.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

struct HeapReads {
  // What the server's formula takes for pages between those read at random and those read in sequence (cost_index: its square is the share of the
  // latter), so that it comes to what a plain scan takes.
  double correlation;
  Cost beyond;  // what that takes more than the formula has room for
  Cost bitmap;  // what a bitmap takes more than the formula says
};

// `selectivity`: of the table's rows, those that the scan returns; `leaves`: that it visits. `state`: nullptr of an index that does not exist.
HeapReads HeapReadsOf(PlannerInfo* root, const IndexPath* path, const IndexState* state, double loop_count, double selectivity,
                      double leaves);

// What the pages of a bitmap with so many rows, wherever they are, take more than the server says.
Cost CostOfBitmapPages(const RelOptInfo* table, double rows);

}  // namespace xtree
