// What an index scan keeps between its calls. Plain data in the scan's own memory context: PostgreSQL may longjmp at any call.
#pragma once

#include "index/index_state.h"
#include "am/cluster_order.h"
#include "am/index_only.h"
#include "am/limit_keys.h"
#include "am/parallel_scan.h"
#include "core/scan/nearest_scan.h"
#include "core/scan/window_scan.h"
#include "registry/mapped_reader.h"

extern "C" {
#include "access/relscan.h"
}

namespace xtree {

struct TreeScan {
  TreeScan(Relation relation, const IndexState* state, MemoryContext memory)
      : context(memory), index(state), reader(relation, state->layout, memory) {}
  BufferReader& buffers() { return reader.buffers(); }

  MemoryContext context;                // of the scan: the reader's memory
  MemoryContext key_context = nullptr;  // of the current keys, reset by each rescan
  MemoryContext row_context = nullptr;  // of the row that was returned last, or of the leaf's rows
  const IndexState* index;
  MappedReader reader;
  IndexUse use = {};                   // of the registry, from the first start to the end of the scan
  MemoryContextCallback end_use = {};  // ends it also where an ERROR ends the scan
  Constraint constraint;
  LimitKeys limits = {};
  bool started = false;  // the scan over the tree has begun

  ParallelTeam team;  // of a parallel scan

  WindowScan window;
  LeafBatch batch;
  int next = 0;                        // of the batch
  IndexTupleForm* returned = nullptr;  // of an index-only scan, from its first row on
  int killed_count = 0;
  uint16_t killed[kMaxEntriesPerPage];  // slots of the batch whose rows the executor found dead to everybody

  bool nearest_order = false;  // ORDER BY operators were given
  int order_count = 0;
  OrderKey* order = nullptr;
  NearestScan nearest;
  NearestRow row;
  ClusterOrder* clusters = nullptr;  // ORDER BY a vector that is kept in clusters: instead of `nearest`
  ClusterOrder* cluster_memory = nullptr;
  const ClusterModels* models = nullptr;
  uint64_t distance_rechecks = 0;  // rows whose distance the executor was asked to compute
  bool row_returned = false;       // `row` is what the executor's verdict (kill_prior_tuple) is about
};
static_assert(std::is_trivially_destructible_v<TreeScan>);

}  // namespace xtree
