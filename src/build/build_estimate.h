// What an index would be like if it were built: from a sample of the table's rows, of which a tree is built in memory by the build's own code.
//
// For functions/estimate_function.cpp. Nothing is written, and nothing is left. May ereport.
#pragma once

#include "build/sketched_index.h"

namespace xtree {

struct BuildEstimate {
  double rows;        // that the index would have
  double sampled;     // of them, looked at
  double bytes;       // of its file
  int height;         // levels
  double memory;      // maintenance_work_mem with which the build by one process needs no files
  double seconds[2];  // that it takes, at least and at most
};

// REQUIRES: a lock on the table.
BuildEstimate EstimateIndexBuild(Relation heap, const SketchedIndex& sketch);

// Both, one after the other.
void AddEstimate(const BuildEstimate& more, BuildEstimate* all);

}  // namespace xtree
