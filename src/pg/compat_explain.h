// Differences between PostgreSQL's versions: options of EXPLAIN. See compat.h. From 18 on an extension may add some, and print of each node of
// a plan what it knows; XTREE_EXPLAIN_OPTION is defined where it may. Before, the files that do so (am/explain*.cpp) are empty.
#pragma once

#include "pg/postgres_api.h"

#if PG_VERSION_NUM >= 180000
#define XTREE_EXPLAIN_OPTION

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "commands/defrem.h"
#include "commands/explain.h"
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
}

namespace pg {

// An option that is on, off, or merely named. From 19 on a setting may name options too, whose values are checked.
inline void AddBooleanExplainOption(const char* name, ExplainOptionHandler handler) {
#if PG_VERSION_NUM >= 190000
  RegisterExtensionExplainOption(name, handler, GUCCheckBooleanExplainOption);
#else
  RegisterExtensionExplainOption(name, handler);
#endif
}

}  // namespace pg
#endif

extern "C" {
#include "commands/explain.h"
#include "executor/instrument.h"
#include "tcop/tcopprot.h"
}

namespace pg {

// What EXPLAIN does with a query where no hook does it: plans and explains it. From 17 on core's own function can be called.
inline void ExplainQuery(Query* query, int options, IntoClause* into, ExplainState* state, const char* text, ParamListInfo parameters,
                         QueryEnvironment* environment) {
#if PG_VERSION_NUM >= 170000
  standard_ExplainOneQuery(query, options, into, state, text, parameters, environment);
#else
  const BufferUsage before = pgBufferUsage;
  instr_time begin, duration;
  INSTR_TIME_SET_CURRENT(begin);
  PlannedStmt* plan = pg_plan_query(query, text, options, parameters);
  INSTR_TIME_SET_CURRENT(duration);
  INSTR_TIME_SUBTRACT(duration, begin);
  BufferUsage used = {};
  BufferUsageAccumDiff(&used, &pgBufferUsage, &before);
  ExplainOnePlan(plan, into, state, text, parameters, environment, &duration, state->buffers ? &used : nullptr);
#endif
}

}  // namespace pg
