// EXPLAIN of a nearest join.
#pragma once

#include "join/nearest_state.h"

namespace xtree {

void ExplainNearest(NearestState* state, ExplainState* explain);

}  // namespace xtree
