// See join_explain.h. Reads the catalog for names.
#include "join/join_explain.h"

extern "C" {
#include "commands/explain.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
}

#include "pg/compat_explain.h"

namespace xtree {

namespace {

constexpr const char* kSides[] = {"Left", "Right"};

void ShowConditions(const char* label, List* conditions, TreeJoinState* state, List* ancestors, ExplainState* explain) {
  if (conditions == NIL) return;
  List* context = set_deparse_context_plan(explain->deparse_cxt, state->custom.ss.ps.plan, ancestors);
  ExplainPropertyText(label, deparse_expression(reinterpret_cast<Node*>(make_ands_explicit(conditions)), context, true, false), explain);
}

void ShowCount(const char* label, uint64_t count, double loops, ExplainState* explain) {
  ExplainPropertyFloat(label, nullptr, static_cast<double>(count) / loops, 0, explain);
}

void ShowWork(const TreeJoinState& state, ExplainState* explain) {
  const Instrumentation* instrument = state.custom.ss.ps.instrument;
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

const char* NameOf(JoinType type) {
  switch (type) {
    case JOIN_LEFT:
      return "Left";
    case JOIN_SEMI:
      return "Semi";
    case JOIN_ANTI:
      return "Anti";
    default:
      return "Inner";
  }
}

}  // namespace

void ExplainTreeJoin(TreeJoinState* state, List* ancestors, ExplainState* explain) {
  const auto* scan = reinterpret_cast<const CustomScan*>(state->custom.ss.ps.plan);
  // As the server has it: its text names only what is no inner join.
  if (state->plan.type != JOIN_INNER || explain->format != EXPLAIN_FORMAT_TEXT)
    ExplainPropertyText("Join Type", NameOf(state->plan.type), explain);
  ShowConditions("Join Cond", static_cast<List*>(list_nth(scan->custom_exprs, kJoinClauses)), state, ancestors, explain);
  ShowConditions("Filter", static_cast<List*>(list_nth(scan->custom_exprs, kJoinFilter)), state, ancestors, explain);
  for (int i = 0; i < 2; i++) {
    ExplainPropertyText(psprintf("%s Index", kSides[i]), get_rel_name(state->plan.side[i].index), explain);
    ShowConditions(psprintf("%s Filter", kSides[i]), static_cast<List*>(list_nth(scan->custom_exprs, kTableConditions + i)), state,
                   ancestors, explain);
  }
  if (explain->analyze && state->open != nullptr && state->custom.ss.ps.instrument != nullptr) ShowWork(*state, explain);
}

}  // namespace xtree
