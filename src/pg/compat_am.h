// Differences between PostgreSQL's versions: the access method's routine and what scans report. See compat.h.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "access/amapi.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "fmgr.h"
}

// The library's magic block. From 18 on it has a name in it, for pg_get_loaded_modules().
#if PG_VERSION_NUM >= 180000
#define XTREE_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "xtree", .version = nullptr)
#else
#define XTREE_MODULE_MAGIC PG_MODULE_MAGIC
#endif

namespace pg {

// The fields of IndexAmRoutine that not every version has. `kEqualStrategy`: the strategy of a family's operator that is equality for B-tree
// too; InvalidStrategy: it has none. `kTreeHeight`: the number of levels above the leaves; -1: not known.
template <StrategyNumber (*kEqualStrategy)(Oid family), int (*kTreeHeight)(Relation index)>
void SetFieldsOfVersion([[maybe_unused]] IndexAmRoutine* am) {
#if PG_VERSION_NUM >= 160000
  am->amsummarizing = false;  // an entry points to one row, so no update of an indexed column is HOT
#endif
#if PG_VERSION_NUM >= 170000
  am->amcanbuildparallel = true;  // core plans the workers, see PlannedBuildWorkers
  am->aminsertcleanup = nullptr;  // what a statement keeps for its insertions goes with its memory
#endif
#if PG_VERSION_NUM >= 180000
  // Nothing is derived from a family's operators but what the planner finds for each alone: families of geometry have an `=` that compares areas.
  am->amcanhash = false;
  am->amconsistentequality = false;
  am->amconsistentordering = false;
  am->amgettreeheight = kTreeHeight;
  // So that logical replication finds rows by the index where REPLICA IDENTITY is FULL.
  am->amtranslatestrategy = [](StrategyNumber strategy, Oid family) {
    return strategy != InvalidStrategy && strategy == kEqualStrategy(family) ? COMPARE_EQ : COMPARE_INVALID;
  };
  am->amtranslatecmptype = [](CompareType type, Oid family) {
    return type == COMPARE_EQ ? kEqualStrategy(family) : StrategyNumber{InvalidStrategy};
  };
#endif
}

// What a handler returns of a routine that stays as it is: from 19 on the server keeps the address, before that it frees a copy.
inline const IndexAmRoutine* Handed(const IndexAmRoutine& routine) {
#if PG_VERSION_NUM >= 190000
  return &routine;
#else
  auto* copy = makeNode(IndexAmRoutine);
  *copy = routine;
  return copy;
#endif
}

// The access method's part of the shared memory of a parallel scan.
inline void* SharedPartOf(ParallelIndexScanDesc scan) {
#if PG_VERSION_NUM >= 180000
  return OffsetToPointer(scan, scan->ps_offset_am);
#else
  return OffsetToPointer(scan, scan->ps_offset);
#endif
}

// amestimateparallelscan: without arguments, then with the numbers of keys (17), then with the index too (18). Of no use to an access method that
// needs as much for any scan.
template <Size (*kBytes)()>
void SetParallelScanBytes(IndexAmRoutine* am) {
  am->amestimateparallelscan = [](auto...) { return kBytes(); };
}

// What the planner hears of the index's height (IndexOptInfo.tree_height); -1: nothing.
inline int PlannedTreeHeight([[maybe_unused]] Relation index) {
#if PG_VERSION_NUM >= 180000
  return index->rd_indam->amgettreeheight(index);
#else
  return -1;
#endif
}

// Rows of a table by their addresses, as an index scan fetches them.
inline IndexFetchTableData* BeginTableFetch(Relation table) {
#if PG_VERSION_NUM >= 190000
  return table_index_fetch_begin(table, 0);
#else
  return table_index_fetch_begin(table);
#endif
}

// Core counts scans; from 18 on EXPLAIN shows how often one searched the index, too.
inline void CountSearch([[maybe_unused]] IndexScanDesc scan) {
#if PG_VERSION_NUM >= 180000
  if (scan->instrument != nullptr) scan->instrument->nsearches++;
#endif
}

}  // namespace pg
