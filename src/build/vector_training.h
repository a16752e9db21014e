// The model of an index of clusters that is to be built: from a sample of its table.
//
// For build.cpp, after build_dimensions.h and before the rows are read. Reads the table as CREATE INDEX does, some of its blocks, spread evenly.
// May ereport.
#pragma once

#include "index/vector_models.h"

extern "C" {
#include "nodes/execnodes.h"
}

namespace xtree {

// In the current memory context. nullptr: no column of the index will be kept in clusters. `dimensions`: as FindDimensions filled them.
const NewModel* TrainForBuild(Relation heap, Relation index, IndexInfo* info, const uint16* dimensions);

}  // namespace xtree
