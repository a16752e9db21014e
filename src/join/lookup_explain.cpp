// See lookup_explain.h. Reads the catalog for names.
#include "join/lookup_explain.h"

#include "join/scan_parts.h"

extern "C" {
#include "commands/explain.h"
#include "executor/instrument.h"
#include "utils/lsyscache.h"
}

#include "pg/compat_explain.h"

namespace xtree {

namespace {

void ShowCount(const char* label, uint64_t count, double loops, ExplainState* explain) {
  ExplainPropertyFloat(label, nullptr, static_cast<double>(count) / loops, 0, explain);
}

// Of all processes, per loop.
void ShowWork(const OpenLookup& open, double loops, ExplainState* explain) {
  loops = std::max(loops, 1.0);
  const LookupCounts counts = open.total.batches > 0 ? open.total : open.Counts();
  ShowCount("Batches", counts.batches, loops, explain);
  ShowCount("Nodes", counts.nodes, loops, explain);
  ShowCount("Pairs", counts.pairs, loops, explain);
  if (counts.removed > 0) ShowCount("Rows Removed by Join Cond", counts.removed, loops, explain);
  if (counts.filtered > 0) ShowCount("Rows Removed by Filter", counts.filtered, loops, explain);
  ShowCount("Inner Rows Fetched", counts.fetched, loops, explain);
  if (counts.fetched_wrong > 0) ShowCount("Inner Rows Removed by Filter", counts.fetched_wrong, loops, explain);
}

}  // namespace

void ExplainLookups(LookupState* state, List* ancestors, ExplainState* explain) {
  ExplainPropertyText("Join Type", JoinTypeName(state->plan.type), explain);
  ShowConditions("Join Cond", kLookupClauses, state->custom.ss, ancestors, explain);
  ShowConditions("Filter", kLookupFilters, state->custom.ss, ancestors, explain);
  ExplainPropertyText("Inner Index", get_rel_name(state->plan.lookup.index), explain);
  ShowConditions("Index Cond", kLookupIndexConditions, state->custom.ss, ancestors, explain);
  ShowConditions("Inner Filter", kLookupConditions, state->custom.ss, ancestors, explain);
  const auto* instrument = state->custom.ss.ps.instrument;
  if (explain->analyze && state->open != nullptr && instrument != nullptr) ShowWork(*state->open, instrument->nloops, explain);
}

}  // namespace xtree
