// Differences between PostgreSQL's versions: the planner. See compat.h.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
#include "utils/selfuncs.h"
}

namespace pg {

// How many elements an array probably has. From 17 on statistics are asked too.
inline double ArrayLength([[maybe_unused]] PlannerInfo* root, Node* array) {
#if PG_VERSION_NUM >= 170000
  return estimate_array_length(root, array);
#else
  return estimate_array_length(array);
#endif
}

// Has the planner take any other path, whatever is disabled. From 18 on disabled nodes are counted before costs are compared.
inline void NeverPrefer([[maybe_unused]] Path* path) {
#if PG_VERSION_NUM >= 180000
  constexpr int kMoreThanAnyPlan = 1 << 16;
  path->disabled_nodes += kMoreThanAnyPlan;
#endif
}

}  // namespace pg
