// Steps of CREATE INDEX that serial and parallel builds have in common: the scan of the table, and the end.
//
// For build.cpp, build_parallel.cpp and src/deferred. Functions throw PgError unless they say otherwise.
#pragma once

#include "index/vector_coder.h"
#include "core/bulk/bulk_load.h"
#include "core/bulk/distinct_count.h"
#include "storage/build_writer.h"

extern "C" {
#include "access/amapi.h"
#include "access/tableam.h"
#include "access/tupdesc.h"
#include "nodes/execnodes.h"
}

namespace xtree {

// What a build has made.
struct BuiltTree {
  BulkStatistics statistics;
  uint64_t rows;
  uint64_t distinct_keys;  // estimated
  ColumnEncoding encoding[kMaxColumns];
  VectorFacts vectors;
};

// Plain data.
struct Build {
  Relation index;
  IndexState* state;
  TupleDesc include;
  MemoryContext row;  // reset after every row
  BulkLoader* loader;
  bool deferred;          // the meta page exists, says that the index is not built, and stays as it is
  DistinctCount* keys;    // of the rows that this process has seen
  BuiltTree* built;       // filled in at the end
  const NewModel* model;  // nullptr: no column is kept in clusters
  VectorCoder* coder;     // likewise
};

// In the current memory context; `row` becomes a child of `memory`. `dimensions`: see build_dimensions.h; `model`: see vector_training.h.
Build PrepareBuild(Relation index, const uint16* dimensions, const NewModel* model, MemoryContext memory);

// Scans the table and writes the tree; in parallel where that is worthwhile. Ereports.
IndexBuildResult BuildTree(Relation heap, Relation index, IndexInfo* info, bool deferred, BuiltTree* built);

// Scans the table into the loader. `scan`: this process's share of a parallel scan, or nullptr. Returns how many rows
// were seen.
double AddRows(Relation heap, IndexInfo* info, Build* build, TableScanDesc scan, bool progress);

// The meta page, unless it is left to the caller, and what makes the index durable.
void FinishIndex(Build* build, const BulkStatistics& statistics, BuildWriter* writer);

}  // namespace xtree
