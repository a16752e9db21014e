// The first row of an index whose number of dimensions was left to it.
//
// For insert.cpp. Locks the meta page, then the root; both change in one WAL record. Decided is decided, also where the row's
// transaction aborts.
#pragma once

#include "index/index_state.h"

namespace xtree {

// Ereports for a row without a value in such a column. Afterwards GetIndexState(index, true) knows the dimensions, this row's or those
// of one that came first.
void DecideDimensions(Relation index, Relation heap, const IndexState& undecided, const Datum* values, const bool* isnull);

}  // namespace xtree
