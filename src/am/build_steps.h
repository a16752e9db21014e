// Steps of CREATE INDEX that serial and parallel builds have in common: the scan of the table, and the end.
//
// For build.cpp and build_parallel.cpp. Functions throw PgError.
#pragma once

#include "am/index_state.h"
#include "core/bulk/bulk_load.h"
#include "storage/build_writer.h"

extern "C" {
#include "access/amapi.h"
#include "access/tableam.h"
#include "access/tupdesc.h"
#include "nodes/execnodes.h"
}

namespace xtree {

// Plain data.
struct Build {
  Relation index;
  const IndexState* state;
  TupleDesc include;
  MemoryContext row;  // reset after every row
  BulkLoader* loader;
};

// In the current memory context; `row` becomes a child of `memory`. `dimensions`: see build_dimensions.h.
Build PrepareBuild(Relation index, const uint16* dimensions, MemoryContext memory);

// Scans the table into the loader. `scan`: this process's share of a parallel scan, or nullptr. Returns how many rows
// were seen.
double AddRows(Relation heap, IndexInfo* info, Build* build, TableScanDesc scan, bool progress);

// The meta page, and what makes the index durable.
void FinishIndex(const IndexState& state, const BulkStatistics& statistics, BuildWriter* writer);

}  // namespace xtree
