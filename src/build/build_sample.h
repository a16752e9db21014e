// Types that choose the number of dimensions of an index to be built by a sample of the table (XtreeTypeRoutine.choose_dimensions).
//
// For build_dimensions.cpp. Reads the table as CREATE INDEX does, but at most a few hundred of its blocks, spread evenly: one row of each,
// because neighbours are alike; of a smaller table all, and more rows. The rows are the same in each run over the same table. May ereport.
#pragma once

#include "index/index_state.h"

extern "C" {
#include "nodes/execnodes.h"
}

namespace xtree {

// Fills `dimensions` of the key columns that such a type has the choice for and that are 0; they stay 0 where no row has a value. Never more
// than an index may have in all.
void SampleDimensions(Relation heap, Relation index, IndexInfo* info, const ColumnState* column, uint16* dimensions);

}  // namespace xtree
