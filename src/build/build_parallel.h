// Parallel CREATE INDEX: workers and the leader scan the table together, build parts of the tree and write their pages;
// the leader builds the rest (core/bulk/bulk_parallel.h).
//
// For build.cpp. The leader holds the locks on table and index as for any build, and the workers, of its lock group,
// the same ones. All participants meet between the steps at a barrier that a worker joins when it has started: one that
// comes after the scan has nothing to do, and one that never comes is not waited for. An ERROR of anybody ends the
// statement, hence all of them.
#pragma once

#include "build/build_steps.h"

namespace xtree {

struct ParallelBuild;

// Enters parallel mode and starts the workers, as many as the server's planner finds worthwhile. nullptr: build
// serially.
ParallelBuild* BeginParallelBuild(Relation heap, Relation index, const IndexInfo* info, bool deferred, const uint16* dimensions,
                                  const NewModel* model);

// The leader's part. Throws.
IndexBuildResult BuildInParallel(Relation heap, IndexInfo* info, Build* build, MemoryContext memory, ParallelBuild* parallel);

// After success only: the abort of the transaction does the same.
void EndParallelBuild(ParallelBuild* parallel);

}  // namespace xtree
