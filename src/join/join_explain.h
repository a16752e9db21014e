// EXPLAIN of a tree join.
#pragma once

#include "join/join_state.h"

namespace xtree {

void ExplainTreeJoin(TreeJoinState* state, List* ancestors, ExplainState* explain);

}  // namespace xtree
