// See join_scan.h.
//
// Pairs come in batches (join_batch.h), and are returned as they satisfy the join's clauses; of outer, semi and anti joins left rows (left_rows.h).
#include "join/join_scan.h"

#include <cmath>
#include <limits>

#include "join/join_batch.h"
#include "join/join_explain.h"
#include "join/join_pair.h"
#include "join/join_state.h"
#include "join/left_rows.h"
#include "join/scan_parts.h"
#include "shmem/column_use.h"

extern "C" {
#include "access/genam.h"
#include "access/xlog.h"
#include "executor/executor.h"
#include "utils/snapmgr.h"
}

namespace xtree {

namespace {

constexpr size_t kAhead = 8;  // rows that the processor's caches are told of before they are returned

TreeJoinState* StateOf(CustomScanState* node) { return reinterpret_cast<TreeJoinState*>(node); }

Node* CreateState(CustomScan* plan) {
  auto* state = new (palloc0(sizeof(TreeJoinState))) TreeJoinState{};
  state->custom.ss.ps.type = T_CustomScanState;
  state->custom.flags = plan->flags;
  state->custom.methods = TreeJoinExecMethods();
  return reinterpret_cast<Node*>(state);
}

// Runs when the join's memory goes, at its end or at an abort.
void EndUses(void* argument) {
  for (JoinInputSide* side : static_cast<OpenJoin*>(argument)->side)
    if (side != nullptr) side->FinishUse();
}

JoinRelation RelationOf(XtreeRelation relation) {
  switch (relation) {
    case XTREE_MEETS:
      return JoinRelation::kMeets;
    case XTREE_CONTAINS:
      return JoinRelation::kContains;
    case XTREE_WITHIN:
      return JoinRelation::kWithin;
    case XTREE_SAME:
      break;
  }
  return JoinRelation::kSame;
}

// A clause of which the trees say nothing (any more) is left to the rows. False: they do not tell all for certain that the plan takes them to.
bool SetClauses(TreeJoinState* state, const List* margins) {
  OpenJoin* open = state->open;
  int next_margin = 0, terms = 0;
  bool as_certain = true;
  for (int i = 0; i < state->plan.matches; i++) {
    const JoinMatch& match = state->plan.match[i];
    const XtreeColumn& value = open->side[1]->state().column[match.right_column].column;
    const XtreeColumn& argument = open->side[0]->state().column[match.left_column].column;
    XtreeJoin join;
    open->asked[0] |= AskedColumn(match.left_column);
    open->asked[1] |= AskedColumn(match.right_column);
    const auto* margin = state->plan.has_margin[i] ? static_cast<Expr*>(list_nth(margins, next_margin++)) : nullptr;
    if (!RelationOfMatch(match, argument, value, &join)) {
      as_certain &= !match.certain;
      continue;
    }
    const int dimensions = std::min({int{join.dimensions}, int{value.dimensions}, int{argument.dimensions}});
    open->margin[open->clauses] = margin != nullptr ? ExecInitExpr(const_cast<Expr*>(margin), &state->custom.ss.ps) : nullptr;
    terms += dimensions;
    as_certain &= !match.certain || (join.certain && terms <= kMaxJoinTerms);
    JoinClause& clause = open->clause[open->clauses++];
    clause = {match.left_column, match.right_column, dimensions, RelationOf(join.relation), join.empties, join.reach};
    clause.certain = match.certain;
  }
  return as_certain;
}

// False: no distance is within a margin.
bool EvaluateMargins(TreeJoinState* state) {
  OpenJoin* open = state->open;
  for (int i = 0; i < open->clauses; i++) {
    if (open->margin[i] == nullptr) continue;
    bool null;
    const double margin = DatumGetFloat8(ExecEvalExpr(open->margin[i], state->custom.ss.ps.ps_ExprContext, &null));
    if (null) return false;
    // All distances are at most NaN, for the comparison. At no distance are the two zeros.
    open->clause[i].margin =
        std::isnan(margin) ? std::numeric_limits<double>::infinity() : std::max(margin, std::numeric_limits<double>::denorm_min());
  }
  return true;
}

// The two tables, in the order of their numbers. From PostgreSQL 16 on the node's set may name the outer join too.
void FindTables(const CustomScan* scan, EState* estate, Index* tables) {
  int found = 0;
  for (int i = -1; (i = bms_next_member(scan->custom_relids, i)) >= 0 && found < 2;)
    if (exec_rt_fetch(static_cast<Index>(i), estate)->rtekind == RTE_RELATION) tables[found++] = static_cast<Index>(i);
  if (found < 2) elog(ERROR, "a tree join has not two tables");
}

void Begin(CustomScanState* node, EState* estate, int eflags) {
  TreeJoinState* state = StateOf(node);
  const auto* scan = reinterpret_cast<const CustomScan*>(node->ss.ps.plan);
  ReadJoinPlan(scan->custom_private, &state->plan);
  if (eflags & EXEC_FLAG_EXPLAIN_ONLY) return;
  const MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "xtree join", ALLOCSET_DEFAULT_SIZES);
  const MemoryContext old = MemoryContextSwitchTo(context);
  auto* open = new (palloc(sizeof(OpenJoin))) OpenJoin{};
  open->context = context;
  open->batch = AllocSetContextCreate(context, "xtree join rows", 64 * 1024, 64 * 1024, ALLOCSET_DEFAULT_MAXSIZE);
  state->open = open;
  open->end_uses = {EndUses, open, nullptr};
  MemoryContextRegisterResetCallback(context, &open->end_uses);
  Index tables[2];
  FindTables(scan, estate, tables);
  for (int i = 0; i < 2; i++) {
    const bool is_lower = (i == 0) == state->plan.left_is_lower;
    open->side[i] = OpenInput(&node->ss, context, tables[is_lower ? 0 : 1], state->plan.side[i],
                              static_cast<List*>(list_nth(scan->custom_exprs, kTableConditions + i)),
                              static_cast<List*>(list_nth(scan->custom_exprs, kWindowArguments + i)), eflags);
  }
  open->join_clauses = ExecInitQual(static_cast<List*>(list_nth(scan->custom_exprs, kJoinClauses)), &node->ss.ps);
  open->filter = ExecInitQual(static_cast<List*>(list_nth(scan->custom_exprs, kJoinFilter)), &node->ss.ps);
  const bool as_certain = SetClauses(state, static_cast<List*>(list_nth(scan->custom_exprs, kMargins)));
  open->uncertain_clauses =
      as_certain ? ExecInitQual(static_cast<List*>(list_nth(scan->custom_exprs, kUncertainClauses)), &node->ss.ps) : open->join_clauses;
  MemoryContextSwitchTo(old);
}

void CountScans(void* open) {
  for (JoinInputSide* side : static_cast<OpenJoin*>(open)->side) side->CountScan();
}

void Start(TreeJoinState* state) {
  OpenJoin* open = state->open;
  ScanState* scan = &state->custom.ss;
  const Snapshot snapshot = scan->ps.state->es_snapshot;
  if (!IsMVCCSnapshot(snapshot)) elog(ERROR, "a tree join needs an MVCC snapshot");
  open->started = true;
  bool some[2];
  for (int i = 0; i < 2; i++) some[i] = open->side[i]->Start(scan->ps.ps_ExprContext, snapshot, open->asked[i]);
  some[1] &= EvaluateMargins(state);
  open->ended = !some[0] || (!some[1] && !state->all_left());
  ScanTeam* team = nullptr;
  if (open->shared != nullptr) {
    open->team.Attach(PoolOf(open->shared), false, CountScans, open);
    team = &open->team;
  } else {
    CountScans(open);
  }
  if (open->ended) return;
  // As an index scan has it: what is dead to all here may be seen by queries of a standby.
  const bool ignore_killed = !TransactionStartedDuringRecovery();
  const JoinGoal goal = state->all_left() ? JoinGoal::kAllLeft : state->by_leaf() ? JoinGoal::kPairsByLeaf : JoinGoal::kPairs;
  open->join.Begin(open->side[0]->Input(ignore_killed, false), open->side[1]->Input(ignore_killed, !some[1]), open->clause, open->clauses,
                   team, goal);
  open->taken = 0;
  open->wanted = kFirstBatch;
}

// The executor checks a pair anew: the rows are those that it has. *substituted: it has.
TupleTableSlot* Recheck(TreeJoinState* state, EPQState* recheck, bool* substituted) {
  OpenJoin* open = state->open;
  ScanState* scan = &state->custom.ss;
  TupleTableSlot* row[2];
  bool has[2];
  for (int i = 0; i < 2; i++) row[i] = open->side[i]->Substitute(recheck, &has[i]);
  *substituted = has[0] || has[1];
  if (!*substituted) return nullptr;
  if (has[0] != has[1]) elog(ERROR, "a tree join is checked anew for one of its tables only");
  MemoryContextReset(open->batch);
  KeptRow kept[2];
  for (int i = 0; i < 2; i++) kept[i] = row[i] != nullptr ? open->side[i]->Keep(row[i], scan, open->batch) : nullptr;
  if (kept[0] == nullptr) return Nothing(scan);
  const bool pair = kept[1] != nullptr && JoinClausesHold(state, kept[0], kept[1], false);
  if (pair ? state->plan.type == JOIN_ANTI : !state->all_left()) return Nothing(scan);
  TupleTableSlot* tuple = ReturnPair(state, kept[0], pair ? kept[1] : nullptr);
  return tuple != nullptr ? tuple : Nothing(scan);
}

// Of the batch's pairs. nullptr: there are no more.
TupleTableSlot* NextPair(TreeJoinState* state) {
  OpenJoin* open = state->open;
  while (open->next < open->pairs.size()) {
    const size_t i = open->next++;
    const KeptRow left = open->rows[0][i], right = open->rows[1][i];
    if (i + kAhead < open->pairs.size()) {
      __builtin_prefetch(open->rows[0][i + kAhead]);
      __builtin_prefetch(open->rows[1][i + kAhead]);
    }
    if (left == nullptr || right == nullptr) continue;
    CHECK_FOR_INTERRUPTS();
    if (!JoinClausesHold(state, left, right, open->pairs[i].certain)) continue;
    if (state->by_leaf()) open->left_rows[open->pairs[i].left_entry].matched = true;
    if (TupleTableSlot* tuple = ReturnTested(state)) return tuple;
  }
  return nullptr;
}

TupleTableSlot* Next(CustomScanState* node) {
  TreeJoinState* state = StateOf(node);
  OpenJoin* open = state->open;
  CHECK_FOR_INTERRUPTS();
  if (EPQState* recheck = node->ss.ps.state->es_epq_active) {
    bool substituted;
    TupleTableSlot* tuple = Recheck(state, recheck, &substituted);
    if (substituted) return tuple;
  }
  if (!open->started) Start(state);
  for (;;) {
    if (TupleTableSlot* tuple = NextPair(state)) return tuple;
    KeptRow left, right;
    while (NextLeftRow(state, &left, &right)) {
      CHECK_FOR_INTERRUPTS();
      if (TupleTableSlot* tuple = ReturnPair(state, left, right)) return tuple;
    }
    if (!NextBatch(state)) return Nothing(&node->ss);
  }
}

void Rescan(CustomScanState* node) {
  OpenJoin* open = StateOf(node)->open;
  open->started = false;
  open->next = open->next_left = open->left_done = 0;
  open->pairs.Clear();
  open->left_rows.Clear();
  for (JoinInputSide* side : open->side) side->reader().Reset();
  ExecScanReScan(&node->ss);
}

void End(CustomScanState* node) {
  OpenJoin* open = StateOf(node)->open;
  if (open == nullptr) return;
  for (JoinInputSide* side : open->side) side->Close();
  const Relation indexes[] = {open->side[0]->index(), open->side[1]->index()};
  MemoryContextDelete(open->context);
  StateOf(node)->open = nullptr;
  for (const Relation index : indexes) index_close(index, NoLock);
}

Size EstimateShared(CustomScanState*, ParallelContext*) { return SharedJoinBytes(); }

void InitializeShared(CustomScanState* node, ParallelContext*, void* shared) {
  InitializeSharedJoin(static_cast<SharedJoin*>(shared));
  StateOf(node)->open->shared = static_cast<SharedJoin*>(shared);
}

void ResetShared(CustomScanState*, ParallelContext*, void* shared) { ResetSharedJoin(static_cast<SharedJoin*>(shared)); }

void JoinShared(CustomScanState* node, shm_toc*, void* shared) { StateOf(node)->open->shared = static_cast<SharedJoin*>(shared); }

// The shared memory may be gone when the plan is explained.
void Shutdown(CustomScanState* node) {
  OpenJoin* open = StateOf(node)->open;
  if (open == nullptr || open->shared == nullptr) return;
  CountsOf(open->shared)->HandIn(open->Counts(), &open->handed_in);
  open->total = CountsOf(open->shared)->Total();
}

void Explain(CustomScanState* node, List* ancestors, ExplainState* explain) { ExplainTreeJoin(StateOf(node), ancestors, explain); }

}  // namespace

const CustomExecMethods* TreeJoinExecMethods() {
  static const CustomExecMethods methods = [] {
    CustomExecMethods made = {};
    made.CustomName = kTreeJoinName;
    made.BeginCustomScan = Begin;
    made.ExecCustomScan = Next;
    made.EndCustomScan = End;
    made.ReScanCustomScan = Rescan;
    made.ExplainCustomScan = Explain;
    made.EstimateDSMCustomScan = EstimateShared;
    made.InitializeDSMCustomScan = InitializeShared;
    made.ReInitializeDSMCustomScan = ResetShared;
    made.InitializeWorkerCustomScan = JoinShared;
    made.ShutdownCustomScan = Shutdown;
    return made;
  }();
  return &methods;
}

const CustomScanMethods* TreeJoinScanMethods() {
  static const CustomScanMethods methods = {kTreeJoinName, CreateState};
  return &methods;
}

void RegisterTreeJoinScan() { RegisterCustomScanMethods(TreeJoinScanMethods()); }

}  // namespace xtree
