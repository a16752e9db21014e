// Batches of outer rows, and the rows nearest to them.
//
// Rows are searched for along a curve, and fetched in the order of the heap, as many as work_mem allows; the first batch is small, for those who want
// few rows. Of each outer row so many candidates are looked for as are probably needed. Where too few of them are visible and satisfy the conditions,
// where bounds of distances do not tell which are the nearest, and where a search would take too many pages, the inner plan is run for this row, from
// the beginning (NearestOuter.single).
#pragma once

#include "join/nearest_state.h"

namespace xtree {

// Takes outer rows and finds the nearest rows of each, those that leave first; of each outer row at least as many as it has. False: there are none.
bool NextBatch(NearestState* state);

}  // namespace xtree
