// See lookup_explain.h. Reads the catalog for names.
#include "join/lookup_explain.h"

#include "join/scan_parts.h"

extern "C" {
#include "commands/explain.h"
#include "utils/lsyscache.h"
}

#include "pg/compat_explain.h"

namespace xtree {

namespace {

// Of this process alone; of a join that is run again, each time on average.
void ShowCount(const char* label, uint64_t count, const LookupCounts& counts, ExplainState* explain) {
  const double starts = std::max<double>(static_cast<double>(counts.starts), 1);
  ExplainPropertyFloat(label, nullptr, static_cast<double>(count) / starts, 0, explain);
}

void ShowWork(const OpenLookup& open, ExplainState* explain) {
  const LookupCounts& counts = open.counts;
  ShowCount("Batches", counts.batches, counts, explain);
  ShowCount("Nodes", open.lookup.work().nodes, counts, explain);
  ShowCount("Pairs", open.lookup.work().matches, counts, explain);
  if (counts.removed > 0) ShowCount("Rows Removed by Join Cond", counts.removed, counts, explain);
  if (counts.filtered > 0) ShowCount("Rows Removed by Filter", counts.filtered, counts, explain);
  ShowCount("Inner Rows Fetched", open.inner->fetched, counts, explain);
  if (open.inner->removed_by_conditions > 0) ShowCount("Inner Rows Removed by Filter", open.inner->removed_by_conditions, counts, explain);
}

}  // namespace

void ExplainLookups(LookupState* state, List* ancestors, ExplainState* explain) {
  ExplainPropertyText("Join Type", JoinTypeName(state->plan.type), explain);
  ShowConditions("Join Cond", kLookupClauses, state->custom.ss, ancestors, explain);
  ShowConditions("Filter", kLookupFilters, state->custom.ss, ancestors, explain);
  ExplainPropertyText("Inner Index", get_rel_name(state->plan.lookup.index), explain);
  ShowConditions("Index Cond", kLookupIndexConditions, state->custom.ss, ancestors, explain);
  ShowConditions("Inner Filter", kLookupConditions, state->custom.ss, ancestors, explain);
  if (explain->analyze && state->open != nullptr && state->custom.ss.ps.instrument != nullptr) ShowWork(*state->open, explain);
}

}  // namespace xtree
