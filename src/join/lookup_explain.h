// EXPLAIN of a lookup join.
#pragma once

#include "join/lookup_state.h"

namespace xtree {

void ExplainLookups(LookupState* state, List* ancestors, ExplainState* explain);

}  // namespace xtree
