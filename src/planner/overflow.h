// Plans that might end in an ERROR where the query without the index does not: of rows that the keys do not decide, the executor computes
// operators and distances before it looks at the other conditions, and some of them overflow (XtreeTypeRoutine.argument_may_overflow and
// values_may_overflow).
//
// For cost.cpp. Reads the root where such values are asked for. No WAL.
#pragma once

#include "index/index_state.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// May the path's conditions overflow, or the distances by which it orders, while the query has others? Only what the planner knows of their
// arguments is looked at, and what is in the index now: a plan that is kept may meet other ones.
bool MayOverflow(PlannerInfo* root, const IndexPath* path, const IndexState& state);

}  // namespace xtree
