// Paths of other access methods' indexes beside ours, by what a tree knows.
//
// Beside an xtree index a table may have a B-tree over some of its columns, or GiST over the same. Their costs go by the product of the conditions'
// selectivities, GiST's moreover by leaves that hold nothing but what is asked for; ours go by what the tree says. Compared like that, who knows
// less looks cheaper. So where a tree can answer for their conditions, they get the same rows, and GiST no fewer of its leaves; and bitmaps cost
// what those of ours do. Only paths that depend on no other table.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// Is this path of the list, not one of ours, taken for cheaper than it is, so that it matters?
bool OtherIsTooCheap(PlannerInfo* root, RelOptInfo* rel, const Path* path);

// Paths of other access methods that were just made for the table.
void CorrectOthers(PlannerInfo* root, RelOptInfo* rel);

// A bitmap of several indexes, whosever they are, with what its pages take.
void AddBitmapOfMany(PlannerInfo* root, RelOptInfo* rel, Path* path);

}  // namespace xtree
