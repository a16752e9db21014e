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
