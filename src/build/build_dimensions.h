// How many dimensions the columns of an index to be built have, where the rows decide.
//
// For build.cpp; before anything else looks at the state of the new index. Reads the table as CREATE INDEX does, from
// its start to the first row with a value in each such column, or a sample of it where the type chooses by that. May ereport.
#pragma once

#include "index/index_state.h"

extern "C" {
#include "nodes/execnodes.h"
}

namespace xtree {

// Fills `dimensions` of all key columns; 0 where the type or parameters say it, or no row has a value.
void FindDimensions(Relation heap, Relation index, IndexInfo* info, uint16* dimensions);

}  // namespace xtree
