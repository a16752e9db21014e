// Differences between PostgreSQL's versions: the planner. See compat.h.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
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

// As whom a table of the query is read.
inline Oid UserOf([[maybe_unused]] const RangeTblEntry* entry, [[maybe_unused]] const RelOptInfo* table) {
#if PG_VERSION_NUM >= 160000
  return OidIsValid(table->userid) ? table->userid : GetUserId();
#else
  return OidIsValid(entry->checkAsUser) ? entry->checkAsUser : GetUserId();
#endif
}

// Tree walkers: their callbacks have another type from 16 on.
template <bool (*kWalker)(Node*, void*)>
bool WalkExpression(Node* node, void* context) {
#if PG_VERSION_NUM >= 160000
  return expression_tree_walker(node, kWalker, context);
#else
  return expression_tree_walker(node, reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(kWalker)), context);
#endif
}
template <Node* (*kMutator)(Node*, void*)>
Node* MutateExpression(Node* node, void* context) {
#if PG_VERSION_NUM >= 160000
  return expression_tree_mutator(node, kMutator, context);
#else
  return expression_tree_mutator(node, reinterpret_cast<Node* (*)()>(reinterpret_cast<void (*)()>(kMutator)), context);
#endif
}

// The server's own paths of a table that is scanned as a whole. From 18 on a scan by TID may be the only one.
inline void MakePlainPaths(PlannerInfo* root, RelOptInfo* rel) {
#if PG_VERSION_NUM >= 180000
  if (create_tidscan_paths(root, rel)) return;
#endif
  add_path(rel, create_seqscan_path(root, rel, rel->lateral_relids, 0));
  if (rel->consider_parallel && rel->lateral_relids == nullptr) {
    const int workers = compute_parallel_worker(rel, rel->pages, -1, max_parallel_workers_per_gather);
    if (workers > 0) add_partial_path(rel, create_seqscan_path(root, rel, nullptr, workers));
  }
  create_index_paths(root, rel);
#if PG_VERSION_NUM < 180000
  create_tidscan_paths(root, rel);
#endif
}

// Has the planner take any other path, whatever is disabled. From 18 on disabled nodes are counted before costs are compared.
inline void NeverPrefer([[maybe_unused]] Path* path) {
#if PG_VERSION_NUM >= 180000
  constexpr int kMoreThanAnyPlan = 1 << 16;
  path->disabled_nodes += kMoreThanAnyPlan;
#endif
}

// A path made of another one has its disabled nodes. Before 18 they are in its costs.
inline void TakeDisabledNodes([[maybe_unused]] Path* path, [[maybe_unused]] const Path* from) {
#if PG_VERSION_NUM >= 180000
  path->disabled_nodes += from->disabled_nodes;
#endif
}

}  // namespace pg
