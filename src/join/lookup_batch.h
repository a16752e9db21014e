// Batches of outer rows, and the pairs that they make with rows of the inner table.
//
// The first batch is small, for those who want few rows; later ones take as many rows as work_mem allows, since then their lookups share more pages
// of the tree and of the table. A batch's pairs come some at a time, in the order of the inner table's heap.
#pragma once

#include "join/lookup_state.h"

namespace xtree {

// The row as it is kept: the first columns of the scan's tuple.
KeptRow KeepOuterRow(const LookupState& state, TupleTableSlot* row, MemoryContext memory);
// Begins the scan's tuple with a kept outer row.
void FillOuterRow(const LookupState& state, KeptRow row, TupleTableSlot* tuple);

// Takes outer rows, and begins to look them up. False: there are none.
bool NextBatch(LookupState* state);

// The batch's next pairs, in open->pairs and open->order. False: it has no more.
bool NextPairs(LookupState* state);

}  // namespace xtree
