// See join_scan.h.
//
// Pairs of addresses are taken from the walk until there is a batch of them. The rows of the left table are fetched in the order of the heap,
// each once, and kept, and then those of the right one, as far as the left row is there. Pairs of two kept rows are returned if all join
// clauses hold. The first batch is small, for those who want few rows; later ones are as large as work_mem allows, since then rows share
// more pages.
#include "join/join_scan.h"

#include <boost/sort/pdqsort/pdqsort.hpp>

#include "join/join_explain.h"
#include "join/join_state.h"
#include "deferred/build_state.h"
#include "shmem/column_use.h"
#include "testing/stop_point.h"

extern "C" {
#include "access/genam.h"
#include "access/xlog.h"
#include "executor/executor.h"
#include "utils/snapmgr.h"
}

namespace xtree {

namespace {

constexpr size_t kFirstBatch = 64;
constexpr size_t kMostPairs = 1 << 16;

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

JoinInputSide* OpenSide(TreeJoinState* state, int number, Index range, int eflags) {
  CustomScanState* node = &state->custom;
  const auto* scan = reinterpret_cast<const CustomScan*>(node->ss.ps.plan);
  const JoinPlanSide& plan = state->plan.side[number];
  const Relation table = ExecOpenScanRelation(node->ss.ps.state, range, eflags);
  const Relation index = index_open(plan.index, AccessShareLock);
  IndexState* index_state = CopyIndexState(index, MetaUse::kRequired);
  RequireBuilt(index, index_state);
  auto* side = new (palloc(sizeof(JoinInputSide))) JoinInputSide(table, index, index_state, range, state->open->context);
  side->SetColumns(scan->custom_scan_tlist, node->ss.ss_ScanTupleSlot->tts_tupleDescriptor);
  side->SetConditions(static_cast<List*>(list_nth(scan->custom_exprs, kTableConditions + number)), &node->ss.ps);
  side->SetWindows(plan, static_cast<List*>(list_nth(scan->custom_exprs, kWindowArguments + number)), &node->ss.ps);
  return side;
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

// A clause of which the trees say nothing (any more) is left to the rows.
void SetClauses(TreeJoinState* state) {
  OpenJoin* open = state->open;
  for (int i = 0; i < state->plan.matches; i++) {
    const JoinMatch& match = state->plan.match[i];
    const XtreeColumn& value = open->side[1]->state().column[match.right_column].column;
    const XtreeColumn& argument = open->side[0]->state().column[match.left_column].column;
    XtreeJoin join;
    open->asked[0] |= AskedColumn(match.left_column);
    open->asked[1] |= AskedColumn(match.right_column);
    if (!RelationOfColumns(value, match.strategy, argument, &join)) continue;
    open->clause[open->clauses++] = {
        match.left_column,         match.right_column, std::min({int{join.dimensions}, int{value.dimensions}, int{argument.dimensions}}),
        RelationOf(join.relation), join.empties,       join.reach};
  }
}

void Begin(CustomScanState* node, EState*, int eflags) {
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
  const int lower = bms_next_member(scan->custom_relids, -1), upper = bms_next_member(scan->custom_relids, lower);
  for (int i = 0; i < 2; i++) {
    const bool is_lower = (i == 0) == state->plan.left_is_lower;
    open->side[i] = OpenSide(state, i, static_cast<Index>(is_lower ? lower : upper), eflags);
  }
  open->join_clauses = ExecInitQual(static_cast<List*>(list_nth(scan->custom_exprs, kJoinClauses)), &node->ss.ps);
  SetClauses(state);
  MemoryContextSwitchTo(old);
}

void Start(TreeJoinState* state) {
  OpenJoin* open = state->open;
  ScanState* scan = &state->custom.ss;
  const Snapshot snapshot = scan->ps.state->es_snapshot;
  if (!IsMVCCSnapshot(snapshot)) elog(ERROR, "a tree join needs an MVCC snapshot");
  open->started = true;
  open->ended = false;
  for (int i = 0; i < 2; i++) open->ended |= !open->side[i]->Start(scan->ps.ps_ExprContext, snapshot, open->asked[i]);
  if (open->ended) return;
  // As an index scan has it: what is dead to all here may be seen by queries of a standby.
  const bool ignore_killed = !TransactionStartedDuringRecovery();
  open->join.Begin(open->side[0]->Input(ignore_killed), open->side[1]->Input(ignore_killed), open->clause, open->clauses);
  open->taken = 0;
  open->wanted = kFirstBatch;
}

// Takes pairs from the walk. False: there are none.
bool TakePairs(OpenJoin* open) {
  open->pairs.Clear();
  PageReader& memory = open->side[0]->reader();
  while (open->pairs.size() < open->wanted) {
    if (open->taken == open->join.count()) {
      open->taken = 0;
      if (!open->join.Step(open->side[0]->reader(), open->side[1]->reader())) break;
    }
    const JoinedRows* rows = open->join.rows() + open->taken;
    const size_t count = std::min(open->join.count() - open->taken, open->wanted - open->pairs.size());
    open->pairs.Reserve(memory, open->pairs.size() + count);
    for (size_t i = 0; i < count; i++) open->pairs.AppendReserved(rows[i]);
    open->taken += count;
  }
  return !open->pairs.empty();
}

// Fetches each row once, in the order of the heap: of all pairs, or (number 1) of those whose left row is there. Returns how many pairs have it.
size_t FetchRows(TreeJoinState* state, int number) {
  OpenJoin* open = state->open;
  ScanState* scan = &state->custom.ss;
  const Snapshot snapshot = scan->ps.state->es_snapshot;
  PageReader& memory = open->side[0]->reader();
  const size_t count = open->pairs.size();
  open->order.Clear();
  open->order.Reserve(memory, count);
  open->rows[number].Clear();
  open->rows[number].Reserve(memory, count);
  static_assert(kMostPairs <= size_t{1} << 16, "a pair's number is in the lower 16 bits");
  for (size_t i = 0; i < count; i++) {
    open->rows[number].AppendReserved(nullptr);
    if (number == 1 && open->rows[0][i] == nullptr) continue;
    const TupleId tuple = number == 0 ? open->pairs[i].left : open->pairs[i].right;
    open->order.AppendReserved(tuple.Packed() << 16 | i);
  }
  boost::sort::pdqsort_branchless(open->order.data(), open->order.data() + open->order.size());
  uint64_t last = 0;  // no address
  KeptRow row = nullptr;
  size_t found = 0;
  for (size_t i = 0; i < open->order.size(); i++) {
    const uint64_t address = open->order[i] >> 16;
    if (address != last) row = open->side[number]->Fetch(TupleId::FromPacked(address), snapshot, scan, open->batch);
    last = address;
    open->rows[number][open->order[i] & 0xFFFF] = row;
    found += row != nullptr;
  }
  open->side[number]->LetGo();
  return found;
}

// Batches grow as long as there is memory for their rows.
void ChooseSize(OpenJoin* open) {
  const size_t memory = MemoryContextMemAllocated(open->batch, false), most = work_mem * size_t{1024};
  if (memory < most / 2)
    open->wanted = std::min(open->wanted * 2, kMostPairs);
  else if (memory > most)
    open->wanted = std::max(open->wanted / 2, kFirstBatch);
}

bool NextBatch(TreeJoinState* state) {
  OpenJoin* open = state->open;
  open->next = 0;
  for (;;) {
    MemoryContextReset(open->batch);
    XTREE_SCAN_STOP_POINT("join-batch");
    if (open->ended || !TakePairs(open)) {
      open->ended = true;
      open->pairs.Clear();
      return false;
    }
    const bool some = FetchRows(state, 0) > 0 && FetchRows(state, 1) > 0;
    ChooseSize(open);
    if (some) return true;
  }
}

// The scan's tuple of a pair, projected, if all join clauses hold.
TupleTableSlot* Return(TreeJoinState* state, KeptRow left, KeptRow right) {
  ScanState* scan = &state->custom.ss;
  ExprContext* values = scan->ps.ps_ExprContext;
  TupleTableSlot* tuple = scan->ss_ScanTupleSlot;
  ResetExprContext(values);
  ExecClearTuple(tuple);
  state->open->side[0]->Fill(left, tuple);
  state->open->side[1]->Fill(right, tuple);
  ExecStoreVirtualTuple(tuple);
  values->ecxt_scantuple = tuple;
  if (!ExecQual(state->open->join_clauses, values)) {
    InstrCountFiltered1(&scan->ps, 1);
    return nullptr;
  }
  return scan->ps.ps_ProjInfo != nullptr ? ExecProject(scan->ps.ps_ProjInfo) : tuple;
}

TupleTableSlot* Nothing(ScanState* scan) {
  return scan->ps.ps_ProjInfo != nullptr ? ExecClearTuple(scan->ps.ps_ResultTupleSlot) : ExecClearTuple(scan->ss_ScanTupleSlot);
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
  if (row[0] == nullptr || row[1] == nullptr) return Nothing(scan);
  MemoryContextReset(open->batch);
  KeptRow kept[2];
  for (int i = 0; i < 2; i++) {
    kept[i] = open->side[i]->Keep(row[i], scan, open->batch);
    if (kept[i] == nullptr) return Nothing(scan);
  }
  TupleTableSlot* tuple = Return(state, kept[0], kept[1]);
  return tuple != nullptr ? tuple : Nothing(scan);
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
    if (open->next == open->pairs.size() && !NextBatch(state)) return Nothing(&node->ss);
    const KeptRow left = open->rows[0][open->next], right = open->rows[1][open->next];
    open->next++;
    if (left == nullptr || right == nullptr) continue;
    if (TupleTableSlot* tuple = Return(state, left, right)) return tuple;
    CHECK_FOR_INTERRUPTS();
  }
}

void Rescan(CustomScanState* node) {
  OpenJoin* open = StateOf(node)->open;
  open->started = false;
  open->next = 0;
  open->pairs.Clear();
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
