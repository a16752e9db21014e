// The box of a row, from its values.
#pragma once

#include "index/index_state.h"

namespace xtree {

// The box of an index tuple's key columns. Calls the types' callbacks, which may ereport (errors name column and row): only where no
// C++ object is alive.
void FormBox(Relation index, const IndexState& state, ItemPointer row, const Datum* values, const bool* isnull, Box* box);

}  // namespace xtree
