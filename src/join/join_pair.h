// A pair of rows as the scan's tuple, and the conditions on it.
#pragma once

#include "join/join_state.h"

namespace xtree {

// Makes the pair the scan's tuple. Do all of the join's clauses hold?
bool JoinClausesHold(TreeJoinState* state, KeptRow left, KeptRow right);

// The pair as the scan returns it; of an outer join the right row may be missing (nullptr). nullptr: its filter removes it.
TupleTableSlot* ReturnPair(TreeJoinState* state, KeptRow left, KeptRow right);

// The pair that JoinClausesHold was asked of last.
TupleTableSlot* ReturnTested(TreeJoinState* state);

}  // namespace xtree
