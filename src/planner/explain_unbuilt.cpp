// See explain_unbuilt.h.
#include "planner/explain_unbuilt.h"

#include "build/build_estimate.h"
#include "core/page_store.h"
#include "index/index_access.h"
#include "pg/compat_explain.h"
#include "pg/settings.h"
#include "pg/subtransaction.h"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
}

namespace xtree {

namespace {

ExplainOneQuery_hook_type next_explain_hook;
const Query* explained;  // nullptr: none

void Explain(Query* query, int options, IntoClause* into, ExplainState* state, const char* text, ParamListInfo parameters,
             QueryEnvironment* environment) {
  const Query* const before = explained;
  explained = settings.explain_unbuilt && !state->analyze && into == nullptr ? query : nullptr;
  PG_TRY();
  { (next_explain_hook != nullptr ? next_explain_hook : pg::ExplainQuery)(query, options, into, state, text, parameters, environment); }
  PG_FINALLY();
  { explained = before; }
  PG_END_TRY();
}

struct Supposition {
  const IndexOptInfo* info;
  BuildEstimate estimate;
};

// Expressions of the index are its owner's code.
void EstimateIndex(void* argument) {
  auto* supposition = static_cast<Supposition*>(argument);
  const Relation index = index_open(supposition->info->indexoid, NoLock);
  const Relation heap = table_open(index->rd_index->indrelid, NoLock);
  const OwnerContext owner = SwitchToOwner(heap);
  IndexInfo* build = BuildIndexInfo(index);
  build->ii_Concurrent = true;  // rows that a snapshot sees
  supposition->estimate = EstimateIndexBuild(heap, {index, build});
  SwitchBack(owner);
  table_close(heap, NoLock);
  index_close(index, NoLock);
}

}  // namespace

void ExplainUnbuiltIndexes() { next_explain_hook = std::exchange(ExplainOneQuery_hook, Explain); }

bool IsExplainedAsBuilt(const PlannerInfo* root) {
  if (explained == nullptr || IsInParallelMode()) return false;
  while (root->parent_root != nullptr) root = root->parent_root;
  return root->parse == explained;
}

bool SupposeBuilt(IndexOptInfo* info) {
  Supposition supposition = {info, {}};
  if (RunInSubtransaction(EstimateIndex, &supposition) != nullptr) return false;
  const BuildEstimate& estimate = supposition.estimate;
  info->pages = static_cast<BlockNumber>(std::min<double>(estimate.bytes / BLCKSZ, MaxBlockNumber));
  info->tuples = estimate.rows;
  info->tree_height = estimate.height - 1;
  info->hypothetical = true;
  return true;
}

}  // namespace xtree
