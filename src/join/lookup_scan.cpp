// See lookup_scan.h.
//
// Pairs come in batches (lookup_batch.h). Inner rows are fetched one by one, each for all pairs that it is in; a row leaves as soon as a pair
// satisfies the clauses, and outer rows that found no partner leave when their batch has been looked up.
#include "join/lookup_scan.h"

#include "join/lookup_batch.h"
#include "join/lookup_explain.h"
#include "join/scan_parts.h"
#include "shmem/column_use.h"

extern "C" {
#include "access/genam.h"
#include "executor/executor.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace xtree {

namespace {

constexpr size_t kFirstRows = 32;
constexpr size_t kFirstPairs = 64;

LookupState* StateOf(CustomScanState* node) { return reinterpret_cast<LookupState*>(node); }

Node* CreateState(CustomScan* plan) {
  auto* state = new (palloc0(sizeof(LookupState))) LookupState{};
  state->custom.ss.ps.type = T_CustomScanState;
  state->custom.flags = plan->flags;
  state->custom.methods = LookupExecMethods();
  return reinterpret_cast<Node*>(state);
}

// Runs when the join's memory goes, at its end or at an abort.
void EndUse(void* argument) {
  auto* open = static_cast<OpenLookup*>(argument);
  if (open->inner != nullptr) open->inner->FinishUse();
}

List* ExpressionsOf(const LookupState* state, LookupExpressions which) {
  return static_cast<List*>(list_nth(reinterpret_cast<const CustomScan*>(state->custom.ss.ps.plan)->custom_exprs, which));
}

void OpenInner(LookupState* state, int eflags) {
  CustomScanState* node = &state->custom;
  const auto* scan = reinterpret_cast<const CustomScan*>(node->ss.ps.plan);
  int range = -1;
  for (int i = 0; i <= state->plan.inner_place; i++) range = bms_next_member(scan->custom_relids, range);
  state->open->inner = OpenInput(&node->ss, state->open->context, static_cast<Index>(range), state->plan.windows,
                                 ExpressionsOf(state, kLookupConditions), ExpressionsOf(state, kLookupWindowArguments), eflags);
}

void SetKeys(LookupState* state) {
  OpenLookup* open = state->open;
  const JoinPlanSide& lookup = state->plan.lookup;
  List* arguments = ExpressionsOf(state, kLookupArguments);
  open->keys = lookup.windows;
  open->key = static_cast<ScanKeyData*>(palloc(sizeof(ScanKeyData) * std::max(open->keys, 1)));
  open->argument = static_cast<ExprState**>(palloc0(sizeof(ExprState*) * std::max(open->keys, 1)));
  int next = 0;
  for (int i = 0; i < open->keys; i++) {
    const JoinWindowKey& key = lookup.window[i];
    open->asked |= AskedColumn(key.column);
    ScanKeyEntryInitialize(&open->key[i], key.flags, static_cast<AttrNumber>(key.column + 1), static_cast<StrategyNumber>(key.strategy),
                           key.subtype, key.collation, OidIsValid(key.operation) ? get_opcode(key.operation) : InvalidOid, 0);
    if (!(key.flags & SK_ISNULL)) open->argument[i] = ExecInitExpr(static_cast<Expr*>(list_nth(arguments, next++)), &state->custom.ss.ps);
  }
}

void OpenJoin(LookupState* state, int eflags) {
  ScanState* scan = &state->custom.ss;
  const MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "xtree lookups", ALLOCSET_DEFAULT_SIZES);
  const MemoryContext old = MemoryContextSwitchTo(context);
  auto* open = new (palloc(sizeof(OpenLookup))) OpenLookup{};
  open->context = context;
  open->batch = AllocSetContextCreate(context, "xtree lookups: outer rows", 0, 8 * 1024, 512 * 1024);
  open->made_rows = AllocSetContextCreate(context, "xtree lookups: inner rows", 0, 8 * 1024, 512 * 1024);
  open->row = AllocSetContextCreate(context, "xtree lookups: row", ALLOCSET_DEFAULT_SIZES);
  open->end_use = {EndUse, open, nullptr};
  MemoryContextRegisterResetCallback(context, &open->end_use);
  state->open = open;
  OpenInner(state, eflags);
  SetKeys(state);
  open->clauses = ExecInitQual(ExpressionsOf(state, kLookupClauses), &scan->ps);
  open->other_clauses = ExecInitQual(ExpressionsOf(state, kLookupOtherClauses), &scan->ps);
  open->filters = ExecInitQual(ExpressionsOf(state, kLookupFilters), &scan->ps);
  MemoryContextSwitchTo(old);
}

void Begin(CustomScanState* node, EState* estate, int eflags) {
  LookupState* state = StateOf(node);
  const auto* plan = reinterpret_cast<const CustomScan*>(node->ss.ps.plan);
  ReadLookupPlan(plan->custom_private, &state->plan);
  PlanState* outer = ExecInitNode(static_cast<Plan*>(linitial(plan->custom_plans)), estate, eflags);
  node->custom_ps = list_make1(outer);
  if (eflags & EXEC_FLAG_EXPLAIN_ONLY) return;
  OpenJoin(state, eflags);
  state->open->outer = outer;
}

void Start(LookupState* state) {
  OpenLookup* open = state->open;
  ScanState* scan = &state->custom.ss;
  const Snapshot snapshot = scan->ps.state->es_snapshot;
  if (!IsMVCCSnapshot(snapshot)) elog(ERROR, "a lookup join needs an MVCC snapshot");
  open->started = true;
  open->nothing = !open->inner->Start(scan->ps.ps_ExprContext, snapshot, open->asked);
  open->inner->CountScan();
  open->outer_ended = false;
  open->wanted = kFirstRows;
  open->wanted_pairs = kFirstPairs;
}

// The scan's tuple, projected, if what is asked of rows beyond the join holds.
TupleTableSlot* Filtered(LookupState* state) {
  ScanState* scan = &state->custom.ss;
  if (ExecQual(state->open->filters, scan->ps.ps_ExprContext)) return Projected(scan);
  state->open->counts.filtered++;
  return nullptr;
}

TupleTableSlot* BeginTuple(LookupState* state, KeptRow outer) {
  ScanState* scan = &state->custom.ss;
  TupleTableSlot* tuple = scan->ss_ScanTupleSlot;
  ResetExprContext(scan->ps.ps_ExprContext);
  ExecClearTuple(tuple);
  FillOuterRow(*state, outer, tuple);
  scan->ps.ps_ExprContext->ecxt_scantuple = tuple;
  return tuple;
}

// Is it a pair? Then the scan's tuple is of it.
bool Matches(LookupState* state, KeptRow outer, KeptRow inner, bool recheck) {
  TupleTableSlot* tuple = BeginTuple(state, outer);
  state->open->inner->Fill(inner, tuple);
  ExecStoreVirtualTuple(tuple);
  if (ExecQual(recheck ? state->open->clauses : state->open->other_clauses, state->custom.ss.ps.ps_ExprContext)) return true;
  state->open->counts.removed++;
  return false;
}

// The outer row with NULLs for the inner one. nullptr: it is not asked for.
TupleTableSlot* ReturnUnmatched(LookupState* state, KeptRow outer) {
  TupleTableSlot* tuple = BeginTuple(state, outer);
  for (int i = state->plan.outer_columns; i < tuple->tts_tupleDescriptor->natts; i++) {
    tuple->tts_values[i] = 0;
    tuple->tts_isnull[i] = true;
  }
  ExecStoreVirtualTuple(tuple);
  return Filtered(state);
}

// A pair's inner row; nullptr: it is not visible, or its conditions do not hold.
KeptRow InnerRow(LookupState* state, const LookupPair& pair) {
  OpenLookup* open = state->open;
  if (pair.made != nullptr) return pair.made;
  if (pair.tuple.Packed() != open->address) {
    MemoryContextReset(open->row);
    open->address = pair.tuple.Packed();
    open->inner_row = open->inner->Fetch(pair.tuple, state->custom.ss.ps.state->es_snapshot, &state->custom.ss, open->row);
    open->inner->Prefetch(open->order.data() + open->next, open->order.data() + open->order.size());
  }
  return open->inner_row;
}

// nullptr: no row leaves for this pair.
TupleTableSlot* ReturnPair(LookupState* state, const LookupPair& pair) {
  OpenLookup* open = state->open;
  const JoinType type = state->plan.type;
  uint8_t* matched = &open->matched[pair.row];
  if (*matched != 0 && (type == JOIN_SEMI || type == JOIN_ANTI)) return nullptr;
  const KeptRow inner = InnerRow(state, pair);
  if (inner == nullptr || !Matches(state, open->rows[pair.row], inner, pair.recheck)) return nullptr;
  *matched = 1;
  return type == JOIN_ANTI ? nullptr : Filtered(state);
}

// The next row of the batch at hand. nullptr: there is none any more.
TupleTableSlot* NextOfBatch(LookupState* state) {
  OpenLookup* open = state->open;
  do {
    while (open->next < open->order.size()) {
      const LookupPair& pair = open->pairs[open->order[open->next++] & 0xFFFF];
      if (TupleTableSlot* tuple = ReturnPair(state, pair)) return tuple;
      CHECK_FOR_INTERRUPTS();
    }
  } while (NextPairs(state));
  if (!IS_OUTER_JOIN(state->plan.type)) return nullptr;
  while (open->unmatched < open->rows.size()) {
    const size_t row = open->unmatched++;
    if (open->matched[row] != 0) continue;
    if (TupleTableSlot* tuple = ReturnUnmatched(state, open->rows[row])) return tuple;
    CHECK_FOR_INTERRUPTS();
  }
  return nullptr;
}

// The executor checks rows anew: the inner one is that which it has, if there is one, and the outer plan returns those that it has. nullptr: no more.
TupleTableSlot* NextRechecked(LookupState* state) {
  OpenLookup* open = state->open;
  const JoinType type = state->plan.type;
  while (!open->outer_ended) {
    TupleTableSlot* slot = ExecProcNode(open->outer);
    open->outer_ended = TupIsNull(slot);
    if (open->outer_ended) break;
    MemoryContextReset(open->batch);
    const KeptRow outer = KeepOuterRow(*state, slot, open->batch);
    TupleTableSlot* tuple = nullptr;
    if (open->inner_row != nullptr && Matches(state, outer, open->inner_row, true)) {
      if (type != JOIN_ANTI) tuple = Filtered(state);
    } else if (IS_OUTER_JOIN(type)) {
      tuple = ReturnUnmatched(state, outer);
    }
    if (tuple != nullptr) return tuple;
  }
  return nullptr;
}

// Does the executor have a say about the inner row? Then it is kept.
bool BeginRecheck(LookupState* state, EPQState* recheck) {
  OpenLookup* open = state->open;
  bool substituted;
  TupleTableSlot* row = open->inner->Substitute(recheck, &substituted);
  if (!substituted) return false;
  MemoryContextReset(open->row);
  open->rechecking = open->started = true;
  open->outer_ended = false;
  open->inner_row = row != nullptr ? open->inner->Keep(row, &state->custom.ss, open->row) : nullptr;
  return true;
}

TupleTableSlot* Next(CustomScanState* node) {
  LookupState* state = StateOf(node);
  OpenLookup* open = state->open;
  CHECK_FOR_INTERRUPTS();
  EPQState* recheck = node->ss.ps.state->es_epq_active;
  if (!open->started && (recheck == nullptr || !BeginRecheck(state, recheck))) Start(state);
  if (open->rechecking) {
    TupleTableSlot* tuple = NextRechecked(state);
    return tuple != nullptr ? tuple : Nothing(&node->ss);
  }
  do {
    if (TupleTableSlot* tuple = NextOfBatch(state)) return tuple;
  } while (NextBatch(state));
  return Nothing(&node->ss);
}

void ForgetBatch(OpenLookup* open) {
  open->rows.Clear();
  open->pairs.Clear();
  open->order.Clear();
  open->next = open->unmatched = 0;
  open->in_batch = open->started = open->rechecking = false;
}

void Rescan(CustomScanState* node) {
  OpenLookup* open = StateOf(node)->open;
  auto* outer = static_cast<PlanState*>(linitial(node->custom_ps));
  if (node->ss.ps.chgParam != nullptr) UpdateChangedParamSet(outer, node->ss.ps.chgParam);
  if (outer->chgParam == nullptr) ExecReScan(outer);
  ForgetBatch(open);
  open->inner->reader().Reset();
  ExecScanReScan(&node->ss);
}

void End(CustomScanState* node) {
  ExecEndNode(static_cast<PlanState*>(linitial(node->custom_ps)));
  OpenLookup* open = StateOf(node)->open;
  if (open == nullptr) return;
  open->inner->Close();
  const Relation index = open->inner->index();
  MemoryContextDelete(open->context);
  StateOf(node)->open = nullptr;
  index_close(index, NoLock);
}

// The outer plan hands out its own rows; what the processes share besides is what they have done.
Size EstimateShared(CustomScanState*, ParallelContext*) { return sizeof(SharedCounts<LookupCounts>); }

void InitializeShared(CustomScanState* node, ParallelContext*, void* shared) {
  StateOf(node)->open->shared = static_cast<SharedCounts<LookupCounts>*>(shared);
  StateOf(node)->open->shared->Initialize();
}

void ResetShared(CustomScanState*, ParallelContext*, void*) {}

void JoinShared(CustomScanState* node, shm_toc*, void* shared) {
  StateOf(node)->open->shared = static_cast<SharedCounts<LookupCounts>*>(shared);
}

// The shared memory may be gone when the plan is explained.
void Shutdown(CustomScanState* node) {
  OpenLookup* open = StateOf(node)->open;
  if (open == nullptr || open->shared == nullptr) return;
  open->shared->HandIn(open->Counts(), &open->handed_in);
  open->total = open->shared->Total();
}

void Explain(CustomScanState* node, List* ancestors, ExplainState* explain) { ExplainLookups(StateOf(node), ancestors, explain); }

}  // namespace

const CustomExecMethods* LookupExecMethods() {
  static const CustomExecMethods methods = [] {
    CustomExecMethods made = {};
    made.CustomName = kLookupJoinName;
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

const CustomScanMethods* LookupScanMethods() {
  static const CustomScanMethods methods = {kLookupJoinName, CreateState};
  return &methods;
}

void RegisterLookupScan() { RegisterCustomScanMethods(LookupScanMethods()); }

}  // namespace xtree
