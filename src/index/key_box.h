// The box of a row, from its values, and back.
#pragma once

#include "index/vector_coder.h"

namespace xtree {

// The box of an index tuple's key columns. Calls the types' callbacks, which may ereport (errors name column and row): only where no
// C++ object is alive. `coder`: of an index of clusters; then it has the code of the row's vector, if there is one.
void FormBox(Relation index, const IndexState& state, VectorCoder* coder, ItemPointer row, const Datum* values, const bool* isnull,
             Box* box);

// The value of a column whose keys are exact, from an entry's box.
Datum ReconstructKey(const IndexState& state, int column, const Box& box, bool* isnull);

}  // namespace xtree
