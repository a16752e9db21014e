// Differences between PostgreSQL's versions: the planner. See compat.h.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
#include "optimizer/pathnode.h"
#include "optimizer/plancat.h"
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

// Has `kLook` look at each table that is planned with and has indexes, when core knows them and before it makes paths: behind whoever had that done
// before. From 19 on there is one hook for all kinds of relations.
template <void (*kLook)(PlannerInfo* root, RelOptInfo* rel)>
class IndexListHook {
 public:
#if PG_VERSION_NUM >= 190000
  static void Install() { next_ = std::exchange(build_simple_rel_hook, Run); }

 private:
  static void Run(PlannerInfo* root, RelOptInfo* rel, RangeTblEntry* entry) {
    if (next_ != nullptr) next_(root, rel, entry);
    if (rel->indexlist != NIL) kLook(root, rel);
  }
  static inline build_simple_rel_hook_type next_ = nullptr;
#else
  static void Install() { next_ = std::exchange(get_relation_info_hook, Run); }

 private:
  static void Run(PlannerInfo* root, Oid relation, bool inherits, RelOptInfo* rel) {
    if (next_ != nullptr) next_(root, relation, inherits, rel);
    if (rel->indexlist != NIL) kLook(root, rel);
  }
  static inline get_relation_info_hook_type next_ = nullptr;
#endif
};

// Has the planner take any other path, whatever is disabled. From 18 on disabled nodes are counted before costs are compared.
inline void NeverPrefer([[maybe_unused]] Path* path) {
#if PG_VERSION_NUM >= 180000
  constexpr int kMoreThanAnyPlan = 1 << 16;
  path->disabled_nodes += kMoreThanAnyPlan;
#endif
}

}  // namespace pg
