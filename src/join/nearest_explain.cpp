// See nearest_explain.h. Reads the catalog for names.
#include "join/nearest_explain.h"

extern "C" {
#include "commands/explain.h"
#include "utils/lsyscache.h"
}

#include "pg/compat_explain.h"

namespace xtree {

namespace {

// Of a join that is run again, each time on average.
void ShowCount(const char* label, uint64_t count, const NearestCounts& counts, ExplainState* explain) {
  const double starts = std::max<double>(static_cast<double>(counts.starts), 1);
  ExplainPropertyFloat(label, nullptr, static_cast<double>(count) / starts, 0, explain);
}

}  // namespace

void ExplainNearest(NearestState* state, ExplainState* explain) {
  ExplainPropertyText("Inner Index", get_rel_name(state->plan.index), explain);
  if (!explain->analyze || state->custom.ss.ps.instrument == nullptr) return;
  // Whatever was left to the child is in the child's own lines.
  const OpenNearest* open = state->open;
  const NearestCounts counts = open != nullptr ? open->counts : NearestCounts{};
  ShowCount("Batches", counts.batches, counts, explain);
  ShowCount("Outer Rows", counts.rows, counts, explain);
  if (counts.singles > 0) ShowCount("Outer Rows Looked Up Singly", counts.singles, counts, explain);
  ShowCount("Nodes", open != nullptr ? open->nearest.work().nodes : 0, counts, explain);
  ShowCount("Inner Rows Fetched", open != nullptr ? open->side->fetched : 0, counts, explain);
}

}  // namespace xtree
