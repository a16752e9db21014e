// Batches of pairs of rows.
//
// Pairs of addresses are taken from the walk until there is a batch of them. The rows of the left table are fetched in the order of the heap,
// each once, and kept, and then those of the right one, as far as the left row is there. Pairs of two kept rows are returned if all join
// clauses hold. In joins that go by left leaves (left_rows.h) the left rows of the batch are fetched by themselves; where one partner is all that
// matters, pairs are tested here, and of those only as many as it takes to find one. The first batch is small, for those who want few rows; later
// ones are as large as work_mem allows, since then rows share more pages.
#pragma once

#include "join/join_state.h"

namespace xtree {

inline constexpr size_t kFirstBatch = 64;

// The next batch: in open->pairs and open->rows, from open->next on, pairs that are to be tested, and then what NextLeftRow says. False: there is
// none.
bool NextBatch(TreeJoinState* state);

}  // namespace xtree
