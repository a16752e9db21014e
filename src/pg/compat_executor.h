// Differences between PostgreSQL's versions: the executor's hooks, and what it counts for EXPLAIN and pg_stat_statements. See compat.h.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "executor/execdesc.h"
#include "executor/instrument.h"
#include "nodes/execnodes.h"
}

// ExecutorRun's hook: from 18 on without `once`.
#if PG_VERSION_NUM >= 180000
#define XTREE_RUN_ONCE_PARAMETER
#define XTREE_RUN_ONCE
#else
#define XTREE_RUN_ONCE_PARAMETER , bool run_once
#define XTREE_RUN_ONCE , run_once
#endif

namespace pg {

// Work for a query's uppermost node, outside of ExecutorRun: counted as if it were within. From 19 on the query's counts are not of a node's type.
#if PG_VERSION_NUM >= 190000
inline void StartCounting(const QueryDesc* query) {
  if (query->query_instr != nullptr) InstrStart(query->query_instr);
  if (query->planstate->instrument != nullptr) InstrStartNode(query->planstate->instrument);
}
inline void StopCounting(const QueryDesc* query) {
  if (query->planstate->instrument != nullptr) InstrStopNode(query->planstate->instrument, 0);
  if (query->query_instr != nullptr) InstrStop(query->query_instr);
}
#else
inline void StartCounting(const QueryDesc* query) {
  if (query->totaltime != nullptr) InstrStartNode(query->totaltime);
  if (query->planstate->instrument != nullptr) InstrStartNode(query->planstate->instrument);
}
inline void StopCounting(const QueryDesc* query) {
  if (query->planstate->instrument != nullptr) InstrStopNode(query->planstate->instrument, 0);
  if (query->totaltime != nullptr) InstrStopNode(query->totaltime, 0);
}
#endif

}  // namespace pg
