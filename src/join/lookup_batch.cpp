// See lookup_batch.h.
#include "join/lookup_batch.h"

#include <boost/sort/pdqsort/pdqsort.hpp>

#include "am/scan_keys.h"
#include "join/scan_parts.h"
#include "testing/stop_point.h"

extern "C" {
#include "access/xlog.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
}

namespace xtree {

namespace {

constexpr size_t kMostRows = 1 << 20;
constexpr size_t kGrowth = 4;  // of a batch beside the one before
constexpr size_t kMostPairs = 1 << 16;

TupleDesc Descriptor(const LookupState& state) { return state.custom.ss.ss_ScanTupleSlot->tts_tupleDescriptor; }

// The constraint of the outer row that the scan's tuple begins with. What it points to goes to the current memory context.
void MakeConstraint(LookupState* state, Constraint* constraint) {
  OpenLookup* open = state->open;
  ExprContext* values = state->custom.ss.ps.ps_ExprContext;
  const Relation index = open->inner->index();
  const IndexState& index_state = open->inner->state();
  // Cut-offs point to their keys.
  const bool limits = state->plan.limits > 0;
  auto* keys = limits ? static_cast<ScanKeyData*>(palloc(sizeof(ScanKeyData) * open->keys)) : open->key;
  if (limits) std::copy_n(open->key, open->keys, keys);
  for (int i = 0; i < open->keys; i++) {
    if (open->argument[i] == nullptr) continue;
    bool null;
    keys[i].sk_argument = ExecEvalExpr(open->argument[i], values, &null);
    keys[i].sk_flags = null ? keys[i].sk_flags | SK_ISNULL : keys[i].sk_flags & ~SK_ISNULL;
  }
  ExtendConstraint(index, index_state, *open->inner->Input(false, false).constraint, keys, open->keys, constraint);
  LimitKeys limit_keys = {};
  if (limits) LimitsFromKeys(index, index_state, keys, open->keys, constraint, &limit_keys);
  NarrowAlternatives(open->inner->reader(), index_state.layout, true, constraint);
  if (limits) SettleLimits(open->inner->reader(), index_state.layout, true, &limit_keys, constraint);
}

void LookUp(LookupState* state, KeptRow row) {
  OpenLookup* open = state->open;
  ScanState* scan = &state->custom.ss;
  ResetExprContext(scan->ps.ps_ExprContext);
  ExecClearTuple(scan->ss_ScanTupleSlot);
  FillOuterRow(*state, row, scan->ss_ScanTupleSlot);
  ExecStoreVirtualTuple(scan->ss_ScanTupleSlot);
  scan->ps.ps_ExprContext->ecxt_scantuple = scan->ss_ScanTupleSlot;
  Constraint constraint;
  // Of most operators nothing is left to be kept.
  if (!open->keeps) {
    MemoryContextReset(open->row);
    const MemoryContext old = MemoryContextSwitchTo(open->row);
    MakeConstraint(state, &constraint);
    MemoryContextSwitchTo(old);
    open->keeps = constraint.any_of_count > 0 || constraint.limit_count > 0;
  }
  if (open->keeps) {
    const MemoryContext old = MemoryContextSwitchTo(open->batch);
    MakeConstraint(state, &constraint);
    MemoryContextSwitchTo(old);
  }
  open->lookup.Add(open->inner->reader(), constraint);
}

bool HasRoom(const OpenLookup& open) {
  return MemoryContextMemAllocated(open.batch, false) + open.lookup.bytes() < work_mem * size_t{1024};
}

// The row of an entry of the leaf, made once for all pairs that it is in. nullptr: its conditions do not hold.
KeptRow MakeRow(LookupState* state, size_t number) {
  OpenLookup* open = state->open;
  const LookupMatch& match = open->lookup.matches()[number];
  while (open->entries.size() <= match.slot) open->entries.Append(open->inner->reader(), {nullptr, false});
  MadeRow& entry = open->entries[match.slot];
  if (!entry.made) {
    Box key;
    open->lookup.GetKey(number, &key);
    entry = {open->inner->Make(key, {nullptr, 0}, match.tuple, state->custom.ss.ps.state->es_snapshot, &state->custom.ss, open->made_rows),
             true};
  }
  return entry.row;
}

void AddPair(LookupState* state, size_t number) {
  OpenLookup* open = state->open;
  const LookupMatch& match = open->lookup.matches()[number];
  if (state->plan.type == JOIN_SEMI && open->matched[match.lookup]) return;
  LookupPair pair = {match.lookup, match.recheck, match.tuple, nullptr};
  if (match.known) {
    pair.made = MakeRow(state, number);
    if (pair.made == nullptr) return;
  }
  open->pairs.Append(open->inner->reader(), pair);
}

// Takes matches from the walk. False: there are none.
bool TakePairs(LookupState* state) {
  OpenLookup* open = state->open;
  open->pairs.Clear();
  open->entries.Clear();
  MemoryContextReset(open->made_rows);
  while (open->pairs.size() < open->wanted_pairs && MemoryContextMemAllocated(open->made_rows, false) <= work_mem * size_t{1024}) {
    if (open->taken == open->lookup.count()) {
      open->taken = 0;
      open->entries.Clear();
      CHECK_FOR_INTERRUPTS();
      if (!open->lookup.Step(open->inner->reader())) break;
    }
    AddPair(state, open->taken++);
  }
  return !open->pairs.empty();
}

// By the addresses of rows, and first those that need not be fetched.
void OrderPairs(OpenLookup* open) {
  static_assert(kMostPairs <= size_t{1} << 16, "a pair's number is in the lower 16 bits");
  open->order.Clear();
  open->order.Reserve(open->inner->reader(), open->pairs.size());
  for (size_t i = 0; i < open->pairs.size(); i++) {
    const LookupPair& pair = open->pairs[i];
    open->order.AppendReserved((pair.made != nullptr ? 0 : pair.tuple.Packed() << 16) | i);
  }
  boost::sort::pdqsort_branchless(open->order.data(), open->order.data() + open->order.size());
}

}  // namespace

KeptRow KeepOuterRow(const LookupState& state, TupleTableSlot* row, MemoryContext memory) {
  return KeepRow(row, Descriptor(state), state.plan.outer_columns, memory);
}

void FillOuterRow(const LookupState& state, KeptRow row, TupleTableSlot* tuple) { FillFrom(row, state.plan.outer_columns, tuple); }

bool NextBatch(LookupState* state) {
  OpenLookup* open = state->open;
  MemoryContextReset(open->batch);
  open->rows.Clear();
  open->matched.Clear();
  open->unmatched = open->taken = 0;
  const JoinInput input = open->inner->Input(!TransactionStartedDuringRecovery(), false);
  // Payloads are not kept.
  const auto look = open->inner->needs_include() ? nullptr : input.look;
  if (!open->nothing) open->lookup.Begin(*input.layout, {input.ignore_killed, look, input.context});
  while (!open->outer_ended && open->rows.size() < open->wanted && (open->rows.empty() || HasRoom(*open))) {
    TupleTableSlot* slot = ExecProcNode(open->outer);
    open->outer_ended = TupIsNull(slot);
    if (open->outer_ended) break;
    const KeptRow row = KeepOuterRow(*state, slot, open->batch);
    open->rows.Append(open->inner->reader(), row);
    open->matched.Append(open->inner->reader(), 0);
    if (!open->nothing) LookUp(state, row);
  }
  XTREE_SCAN_STOP_POINT("lookup-batch");
  open->wanted = std::min(open->wanted * kGrowth, kMostRows);
  open->in_batch = !open->nothing;
  open->counts.batches += !open->rows.empty();
  return !open->rows.empty();
}

bool NextPairs(LookupState* state) {
  OpenLookup* open = state->open;
  if (!open->nothing) open->inner->LetGo();
  open->next = 0;
  open->address = 0;  // no row's
  open->inner_row = nullptr;
  open->order.Clear();
  if (open->in_batch && TakePairs(state)) {
    OrderPairs(open);
    open->wanted_pairs = std::min(open->wanted_pairs * 2, kMostPairs);
    return true;
  }
  open->in_batch = false;
  return false;
}

}  // namespace xtree
