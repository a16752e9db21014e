// See nearest_scan.h.
#include "join/nearest_scan.h"

#include "am/scan_keys.h"
#include "deferred/build_state.h"
#include "join/nearest_batch.h"
#include "join/nearest_explain.h"
#include "join/scan_parts.h"
#include "shmem/column_use.h"

extern "C" {
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"
}

namespace xtree {

namespace {

constexpr size_t kFirstRows = 32;

NearestState* StateOf(CustomScanState* node) { return reinterpret_cast<NearestState*>(node); }

Node* CreateState(CustomScan* plan) {
  auto* state = new (palloc0(sizeof(NearestState))) NearestState{};
  state->custom.ss.ps.type = T_CustomScanState;
  state->custom.flags = plan->flags;
  state->custom.methods = NearestExecMethods();
  return reinterpret_cast<Node*>(state);
}

PlanState* ChildOf(CustomScanState* node) { return static_cast<PlanState*>(linitial(node->custom_ps)); }

// Runs when the join's memory goes, at its end or at an abort.
void EndUse(void* argument) {
  auto* open = static_cast<OpenNearest*>(argument);
  if (open->side != nullptr) open->side->FinishUse();
}

// The index and its table are open in the child.
void OpenSide(OpenNearest* open, PlanState* parent) {
  const NearestInner& inner = open->inner;
  IndexState* index_state = CopyIndexState(inner.index, MetaUse::kRequired);
  RequireBuilt(inner.index, index_state);
  const Index range = reinterpret_cast<const Scan*>(inner.scan->ps.plan)->scanrelid;
  open->side =
      new (palloc(sizeof(JoinInputSide))) JoinInputSide(inner.scan->ss_currentRelation, inner.index, index_state, range, open->context);
  open->side->SetWindows({inner.index->rd_id, 0, {}}, NIL, parent);
  if (inner.wants_include) open->include = IncludeDescriptor(inner.index);
  for (int i = 0; i < inner.key_count; i++) open->asked |= AskedColumn(inner.keys[i].sk_attno - 1);
  open->asked |= AskedColumn(inner.order->sk_attno - 1) | (inner.index_only ? kAskedForValues : 0);
}

// The loop's own expressions, of tuples that are not its children's.
void OpenExpressions(OpenNearest* open, CustomScanState* node) {
  PlanState* parent = &node->ss.ps;
  const auto* plan = reinterpret_cast<const NestLoop*>(open->inner.loop->js.ps.plan);
  open->outer_descriptor = ExecGetResultType(open->inner.outer);
  open->inner_descriptor = ExecGetResultType(open->inner.top);
  open->outer_slot = ExecInitExtraTupleSlot(parent->state, open->outer_descriptor, &TTSOpsVirtual);
  open->inner_slot = ExecInitExtraTupleSlot(parent->state, open->inner_descriptor, &TTSOpsVirtual);
  open->clauses = ExecInitQual(plan->join.joinqual, parent);
  open->filters = ExecInitQual(plan->join.plan.qual, parent);
  open->projection =
      ExecBuildProjectionInfo(plan->join.plan.targetlist, parent->ps_ExprContext, node->ss.ss_ScanTupleSlot, parent, nullptr);
}

void OpenJoin(NearestState* state, const NearestInner& inner) {
  CustomScanState* node = &state->custom;
  EState* estate = node->ss.ps.state;
  ExprContext* query = CreateExprContext(estate);
  ExprContext* keys = CreateExprContext(estate);
  const MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "xtree nearest", ALLOCSET_DEFAULT_SIZES);
  const MemoryContext old = MemoryContextSwitchTo(context);
  auto* open = new (palloc(sizeof(OpenNearest))) OpenNearest{};
  open->context = context;
  open->batch = AllocSetContextCreate(context, "xtree nearest: rows", 0, 8 * 1024, 512 * 1024);
  open->query = query;
  open->keys = keys;
  open->inner = inner;
  open->end_use = {EndUse, open, nullptr};
  MemoryContextRegisterResetCallback(context, &open->end_use);
  OpenSide(open, &node->ss.ps);
  MemoryContextSwitchTo(old);
  OpenExpressions(open, node);
  state->open = open;
}

void Begin(CustomScanState* node, EState* estate, int eflags) {
  NearestState* state = StateOf(node);
  const auto* plan = reinterpret_cast<const CustomScan*>(node->ss.ps.plan);
  state->plan = ReadNearestPlan(plan->custom_private);
  node->custom_ps = list_make1(ExecInitNode(static_cast<Plan*>(linitial(plan->custom_plans)), estate, eflags));
  if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) || estate->es_epq_active != nullptr) return;
  NearestInner inner = {};
  if (UnderstandInner(ChildOf(node), &inner)) OpenJoin(state, inner);
}

// Is it for the join, this time?
bool MayStart(NearestState* state) {
  OpenNearest* open = state->open;
  ScanState* scan = &state->custom.ss;
  const Snapshot snapshot = scan->ps.state->es_snapshot;
  if (!IsMVCCSnapshot(snapshot)) return false;
  open->limit = LimitOf(open->inner);
  return open->limit > 0 && open->side->Start(scan->ps.ps_ExprContext, snapshot, open->asked);
}

void Start(NearestState* state) {
  OpenNearest* open = state->open;
  open->started = true;
  open->by_child = !MayStart(state);
  open->counts.starts++;
  if (open->by_child) return;
  open->side->CountScan();
  BoundsOfTree(open->side->reader(), open->side->state().layout, &open->tree);
  const int64 candidates = (int64{open->limit} * state->plan.candidates + 999) / 1000;
  open->candidates = static_cast<int>(std::min<int64>(candidates, kMostCandidates));
  open->outer_ended = open->one_by_one = false;
  open->wanted = kFirstRows;
}

// The next row that the inner side has for the outer row at hand. nullptr: none.
TupleTableSlot* NextInner(OpenNearest* open, const NearestOuter& outer) {
  if (outer.single) {
    TupleTableSlot* row = ExecProcNode(open->inner.top);
    return TupIsNull(row) ? nullptr : row;
  }
  if (open->next == outer.count) return nullptr;
  ExecClearTuple(open->inner_slot);
  FillFrom(open->found[outer.first + open->next++].made, open->inner_descriptor->natts, open->inner_slot);
  return ExecStoreVirtualTuple(open->inner_slot);
}

void BeginRow(OpenNearest* open, const NearestOuter& outer) {
  open->begun = true;
  open->matched = open->ended = false;
  open->next = 0;
  ExecClearTuple(open->outer_slot);
  FillFrom(outer.row, open->outer_descriptor->natts, open->outer_slot);
  ExecStoreVirtualTuple(open->outer_slot);
  if (!outer.single) return;
  GiveParameters(open->inner, outer.row, true);
  ExecReScan(open->inner.top);
}

// The rows at hand, as the node returns them. nullptr: they are not asked for.
TupleTableSlot* Joined(NearestState* state) {
  ScanState* scan = &state->custom.ss;
  ExprContext* values = scan->ps.ps_ExprContext;
  if (!ExecQual(state->open->filters, values)) return nullptr;
  values->ecxt_scantuple = ExecProject(state->open->projection);
  return Projected(scan);
}

// The next row of the outer row at hand; as the server's nested loop does it. nullptr: there is none any more.
TupleTableSlot* NextOfRow(NearestState* state) {
  OpenNearest* open = state->open;
  ExprContext* values = state->custom.ss.ps.ps_ExprContext;
  const NearestOuter& outer = open->rows[open->row];
  const JoinState& loop = open->inner.loop->js;
  if (!open->begun) BeginRow(open, outer);
  values->ecxt_outertuple = open->outer_slot;
  while (!open->ended && (!open->matched || !loop.single_match)) {
    CHECK_FOR_INTERRUPTS();
    TupleTableSlot* inner = NextInner(open, outer);
    open->ended = inner == nullptr;
    if (open->ended) break;
    ResetExprContext(values);
    values->ecxt_innertuple = inner;
    if (!ExecQual(open->clauses, values)) continue;
    open->matched = true;
    if (TupleTableSlot* tuple = Joined(state)) return tuple;
  }
  if (open->matched || loop.jointype != JOIN_LEFT) return nullptr;
  open->matched = true;
  ResetExprContext(values);
  values->ecxt_innertuple = open->inner.loop->nl_NullInnerTupleSlot;
  return Joined(state);
}

TupleTableSlot* NextOfChild(CustomScanState* node) {
  TupleTableSlot* tuple = ExecProcNode(ChildOf(node));
  if (TupIsNull(tuple)) return Nothing(&node->ss);
  if (node->ss.ps.ps_ProjInfo == nullptr) return tuple;
  ResetExprContext(node->ss.ps.ps_ExprContext);
  node->ss.ps.ps_ExprContext->ecxt_scantuple = tuple;
  return ExecProject(node->ss.ps.ps_ProjInfo);
}

TupleTableSlot* Next(CustomScanState* node) {
  NearestState* state = StateOf(node);
  OpenNearest* open = state->open;
  if (open == nullptr) return NextOfChild(node);
  if (!open->started) Start(state);
  if (open->by_child) return NextOfChild(node);
  do {
    while (open->row < open->rows.size()) {
      if (TupleTableSlot* tuple = NextOfRow(state)) return tuple;
      open->row++;
      open->begun = false;
    }
  } while (NextBatch(state));
  return Nothing(&node->ss);
}

void Rescan(CustomScanState* node) {
  OpenNearest* open = StateOf(node)->open;
  if (node->ss.ps.chgParam != nullptr) UpdateChangedParamSet(ChildOf(node), node->ss.ps.chgParam);
  ExecReScan(ChildOf(node));
  if (open != nullptr) {
    open->rows.Clear();
    open->row = 0;
    open->started = false;
    open->side->reader().Reset();
  }
  ExecScanReScan(&node->ss);
}

// Before the child, which has the relations open.
void End(CustomScanState* node) {
  if (OpenNearest* open = StateOf(node)->open) {
    open->side->Close();
    MemoryContextDelete(open->context);
    StateOf(node)->open = nullptr;
  }
  ExecEndNode(ChildOf(node));
}

void Explain(CustomScanState* node, List*, ExplainState* explain) { ExplainNearest(StateOf(node), explain); }

}  // namespace

const CustomExecMethods* NearestExecMethods() {
  static const CustomExecMethods methods = [] {
    CustomExecMethods made = {};
    made.CustomName = kNearestJoinName;
    made.BeginCustomScan = Begin;
    made.ExecCustomScan = Next;
    made.EndCustomScan = End;
    made.ReScanCustomScan = Rescan;
    made.ExplainCustomScan = Explain;
    return made;
  }();
  return &methods;
}

const CustomScanMethods* NearestScanMethods() {
  static const CustomScanMethods methods = {kNearestJoinName, CreateState};
  return &methods;
}

void RegisterNearestScan() { RegisterCustomScanMethods(NearestScanMethods()); }

}  // namespace xtree
