// See join_explain.h. Reads the catalog for names.
#include "join/join_explain.h"

#include "join/scan_parts.h"

extern "C" {
#include "commands/explain.h"
#include "executor/instrument.h"
#include "utils/lsyscache.h"
}

#include "pg/compat_explain.h"

namespace xtree {

namespace {

constexpr const char* kSides[] = {"Left", "Right"};

void ShowCount(const char* label, uint64_t count, double loops, ExplainState* explain) {
  ExplainPropertyFloat(label, nullptr, static_cast<double>(count) / loops, 0, explain);
}

void ShowWork(const TreeJoinState& state, ExplainState* explain) {
  const auto* instrument = state.custom.ss.ps.instrument;
  const double loops = std::max(instrument->nloops, 1.0);
  // A parallel join's are known once it has ended, of all participants.
  const JoinCounts counts = state.open->total.work.left_nodes > 0 ? state.open->total : state.open->Counts();
  const JoinWork& work = counts.work;
  ShowCount("Node Pairs", work.node_pairs, loops, explain);
  ShowCount("Left Nodes", work.left_nodes, loops, explain);
  ShowCount("Right Nodes", work.right_nodes, loops, explain);
  ShowCount("Pairs", work.pairs, loops, explain);
  if (instrument->nfiltered1 > 0) ShowCount("Rows Removed by Join Cond", static_cast<uint64_t>(instrument->nfiltered1), loops, explain);
  if (instrument->nfiltered2 > 0) ShowCount("Rows Removed by Filter", static_cast<uint64_t>(instrument->nfiltered2), loops, explain);
  for (int i = 0; i < 2; i++) {
    ShowCount(psprintf("%s Rows Fetched", kSides[i]), counts.fetched[i], loops, explain);
    if (counts.removed[i] > 0) ShowCount(psprintf("%s Rows Removed by Filter", kSides[i]), counts.removed[i], loops, explain);
  }
}

}  // namespace

void ExplainTreeJoin(TreeJoinState* state, List* ancestors, ExplainState* explain) {
  // As the server has it: its text names only what is no inner join.
  if (state->plan.type != JOIN_INNER || explain->format != EXPLAIN_FORMAT_TEXT)
    ExplainPropertyText("Join Type", JoinTypeName(state->plan.type), explain);
  ShowConditions("Join Cond", kJoinClauses, state->custom.ss, ancestors, explain);
  ShowConditions("Filter", kJoinFilter, state->custom.ss, ancestors, explain);
  for (int i = 0; i < 2; i++) {
    ExplainPropertyText(psprintf("%s Index", kSides[i]), get_rel_name(state->plan.side[i].index), explain);
    ShowConditions(psprintf("%s Filter", kSides[i]), kTableConditions + i, state->custom.ss, ancestors, explain);
  }
  if (explain->analyze && state->open != nullptr && state->custom.ss.ps.instrument != nullptr) ShowWork(*state, explain);
}

}  // namespace xtree
