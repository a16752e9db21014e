// The model of an index of clusters that is to be built, or that has outgrown those which it has: from a sample of its table.
//
// For build.cpp, after build_dimensions.h and before the rows are read; and for VACUUM (am/vacuum_clusters.h). Reads the table as CREATE INDEX
// does, some of its blocks, spread evenly, and evaluates the index's expressions, as whoever the caller has made the user. May ereport.
#pragma once

#include "index/vector_models.h"

extern "C" {
#include "nodes/execnodes.h"
}

namespace xtree {

// In the current memory context. nullptr: no column of the index will be kept in clusters. `dimensions`: as FindDimensions filled them.
const NewModel* TrainForBuild(Relation heap, Relation index, IndexInfo* info, const uint16* dimensions);

// Likewise, of an index with so many rows, and clusters enough for as many as are expected; within so many kilobytes. nullptr: no row has a vector
// that clusters could be made from.
const NewModel* TrainForVacuum(Relation heap, Relation index, const IndexState& state, double rows, double expected_rows, int kilobytes);

}  // namespace xtree
