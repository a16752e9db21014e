// Rows of the left table in outer, semi and anti joins.
//
// The walk goes from left leaf to left leaf (JoinGoal), and all of a leaf's rows are in left_rows, with a mark once they have a partner that
// satisfies all of the join's clauses. A row without one is known to have none when all pairs of its leaf were looked at. A batch may end in the
// middle of a leaf: then its rows go on into the next batch with their marks; what was kept of them is fetched again if need be.
#pragma once

#include "join/join_state.h"

namespace xtree {

// A leaf begins: its rows are the last ones.
void BeginLeaf(TreeJoinState* state);
// All pairs of the leaf at hand were found.
void EndLeaf(OpenJoin* open);
// A new batch begins with the rows of the leaf at hand.
void CarryLeaf(TreeJoinState* state);

// The row of an entry of the leaf at hand, which a pair has. nullptr: the pair is of no use.
LeftRow* LeftRowOfPair(TreeJoinState* state, uint32_t entry);

// Returns the next row that is returned by itself once the batch's pairs are done: in left and anti joins those without a partner, in a semi join
// those with one. False: that was the last one.
bool NextLeftRow(TreeJoinState* state, KeptRow* left, KeptRow* right);

}  // namespace xtree
