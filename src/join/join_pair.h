// A pair of rows as the scan's tuple, and the conditions on it; and rows that are made of what the walk found.
#pragma once

#include "join/join_state.h"

namespace xtree {

// The row of an entry of the leaf at hand of which the walk knows all that matters (JoinInputSide::Make), in the batch's memory.
KeptRow MakeFromEntry(TreeJoinState* state, JoinSide side, uint32_t entry, TupleId tuple);

// Makes the pair the scan's tuple. Do all of the join's clauses hold? `certain`: those do that the trees may tell for certain.
bool JoinClausesHold(TreeJoinState* state, KeptRow left, KeptRow right, bool certain);

// The pair as the scan returns it; of an outer join the right row may be missing (nullptr). nullptr: its filter removes it.
TupleTableSlot* ReturnPair(TreeJoinState* state, KeptRow left, KeptRow right);

// The pair that JoinClausesHold was asked of last.
TupleTableSlot* ReturnTested(TreeJoinState* state);

}  // namespace xtree
