// See nearest_batch.h.
#include "join/nearest_batch.h"

#include <boost/sort/pdqsort/pdqsort.hpp>

#include "index/key_box.h"
#include "join/nearest_order.h"
#include "join/scan_parts.h"
#include "testing/stop_point.h"

extern "C" {
#include "access/xact.h"
#include "executor/nodeIndexscan.h"
#include "miscadmin.h"
#include "storage/predicate.h"
}

namespace xtree {

namespace {

constexpr size_t kMostFound = 1 << 20;
constexpr size_t kAhead = 4;   // outer rows, which lie anywhere, are fetched into the processor's caches before their turn
constexpr size_t kGrowth = 4;  // of a batch beside the one before

ExprContext* Scratchpad(ExprContext* context) {
  ResetExprContext(context);
  return context;
}

// The arguments of all keys that are to be evaluated, in this context's memory.
void EvaluateKeys(const OpenNearest& open, ExprContext* values) {
  if (open.inner.runtime_count > 0) ExecIndexEvalRuntimeKeys(values, open.inner.runtime, open.inner.runtime_count);
}

// Makes what is searched for of the outer row, in memory that goes with the next one.
NearestQuery* MakeQuery(OpenNearest* open, const NearestOuter& outer) {
  GiveParameters(open->inner, outer.row, false);
  ExprContext* values = Scratchpad(open->query);
  EvaluateKeys(*open, values);
  const MemoryContext old = MemoryContextSwitchTo(values->ecxt_per_tuple_memory);
  auto* query = static_cast<NearestQuery*>(palloc(sizeof(NearestQuery)));
  query->key = *open->inner.order;
  OrderFromKey(open->inner.index, open->side->state(), &query->key, &query->order);
  SettleSlackWithin(open->tree, &query->order);
  MemoryContextSwitchTo(old);
  return query;
}

bool HasRoom(const OpenNearest& open) {
  const size_t rows = open.rows.size(), columns = static_cast<size_t>(open.inner_descriptor->natts);
  const size_t made = (sizeof(Datum) + sizeof(bool)) * columns + 2 * sizeof(void*);
  const size_t found = sizeof(NearestFound) + (open.inner.index_only ? 0 : sizeof(NearestFetch)) + made;
  const size_t taken = MemoryContextMemAllocated(open.batch, false) + open.origins.bytes();
  return taken + rows * (sizeof(NearestOuter) + static_cast<size_t>(open.candidates) * found) < work_mem * size_t{1024} &&
         (rows + 1) * static_cast<size_t>(open.candidates) <= kMostFound;
}

void TakeRows(NearestState* state) {
  OpenNearest* open = state->open;
  while (!open->outer_ended && open->rows.size() < open->wanted && (open->rows.empty() || HasRoom(*open))) {
    TupleTableSlot* slot = ExecProcNode(open->inner.outer);
    open->outer_ended = TupIsNull(slot);
    if (open->outer_ended) break;
    NearestOuter row = {};
    row.row = KeepRow(slot, open->outer_descriptor, open->outer_descriptor->natts, open->batch);
    row.single = open->one_by_one;
    open->rows.Append(open->side->reader(), row);
    if (!open->one_by_one) open->origins.Add(open->side->reader(), MakeQuery(open, row)->order.key, open->tree);
  }
}

// By the conditions of the outer row that the inner plan has at hand, or of all of them.
void ConstrainSearch(OpenNearest* open) {
  const NearestInner& inner = open->inner;
  const IndexState& index = open->side->state();
  ExprContext* values = Scratchpad(open->keys);
  EvaluateKeys(*open, values);
  const MemoryContext old = MemoryContextSwitchTo(values->ecxt_per_tuple_memory);
  ConstraintFromKeys(inner.index, index, inner.keys, inner.key_count, &open->constraint);
  LimitsFromKeys(inner.index, index, inner.keys, inner.key_count, &open->constraint, &open->limits);
  NarrowAlternatives(open->side->reader(), index.layout, true, &open->constraint);
  SettleLimits(open->side->reader(), index.layout, true, &open->limits, &open->constraint);
  MemoryContextSwitchTo(old);
}

// A row that the index alone returns, of an entry. nullptr: its conditions do not hold.
KeptRow KeepReturned(OpenNearest* open, bool recheck, DistanceRank* exact) {
  TupleTableSlot* row = ReturnRow(open->inner, recheck, exact);
  return row != nullptr ? KeepRow(row, open->inner_descriptor, open->inner_descriptor->natts, open->batch) : nullptr;
}

// False: the entry is not what it should be.
bool MakeFromEntry(NearestState* state, const NearestCandidate& candidate, NearestFound* found) {
  OpenNearest* open = state->open;
  const IndexState& index = open->side->state();
  ExprContext* values = Scratchpad(open->inner.scan->ps.ps_ExprContext);
  const MemoryContext old = MemoryContextSwitchTo(values->ecxt_per_tuple_memory);
  const bool filled = FillFromEntry(open->inner, index, open->include, NodeView(index.layout, candidate.page), candidate.slot);
  MemoryContextSwitchTo(old);
  if (!filled) return false;
  found->made = KeepReturned(open, candidate.recheck, nullptr);
  found->fetch = !candidate.known && found->made != nullptr;
  if (candidate.known) {
    open->side->reader().counts().tuples++;
    // As for a row that is fetched.
    const ItemPointerData address = ToItemPointer(candidate.tuple);
    PredicateLockPage(open->inner.scan->ss_currentRelation, ItemPointerGetBlockNumberNoCheck(&address),
                      state->custom.ss.ps.state->es_snapshot);
  }
  return true;
}

// Takes what was found for an outer row. False: the row is to be looked up singly.
bool TakeFound(NearestState* state, uint32_t number, size_t wanted) {
  OpenNearest* open = state->open;
  NearestOuter& outer = open->rows[number];
  const size_t count = open->nearest.count();
  const NearestCandidate* candidates = open->nearest.candidates();
  // A distance that cannot be computed is an ERROR where the row comes up: not where it merely may.
  if (count > static_cast<size_t>(open->limit) && candidates[count - 1].rank == kNanDistance) return false;
  outer.bound = count < wanted ? kNoDistance : candidates[count - 1].rank;
  for (size_t i = 0; i < count; i++) {
    NearestFound found = {candidates[i].rank, nullptr, number, candidates[i].tuple, candidates[i].recheck, true};
    if (open->inner.index_only && !MakeFromEntry(state, candidates[i], &found)) return false;
    open->found.Append(open->side->reader(), found);
  }
  outer.count = static_cast<uint32_t>(count);
  return true;
}

void SearchFor(NearestState* state, uint32_t number) {
  OpenNearest* open = state->open;
  NearestOuter& outer = open->rows[number];
  const OrderKey& order = MakeQuery(open, outer)->order;
  if (open->inner.keys_vary) {
    ConstrainSearch(open);
    open->nearest.Constrain(open->constraint);
  }
  outer.first = static_cast<uint32_t>(open->found.size());
  outer.lossy = order.order.recheck && !order.null_argument;
  // The index-only scan of a distance that is to be computed, or one that is no number of the usual type, is not for here.
  outer.single = outer.lossy && (open->inner.distance == nullptr || order.order.result != nullptr);
  if (outer.single) return;
  const size_t more = outer.lossy ? 4 + static_cast<size_t>(open->candidates) / 4 : 0;
  const size_t wanted = static_cast<size_t>(open->candidates) + more;
  // What distances and bounds palloc.
  const MemoryContext old = MemoryContextSwitchTo(Scratchpad(state->custom.ss.ps.ps_ExprContext)->ecxt_per_tuple_memory);
  const bool found = open->nearest.Find(open->side->reader(), order.key, wanted);
  MemoryContextSwitchTo(old);
  if (found && TakeFound(state, number, wanted)) return;
  open->found.Truncate(outer.first);
  outer.count = 0;
  outer.single = true;
}

void Search(NearestState* state) {
  OpenNearest* open = state->open;
  open->origins.Arrange(open->side->reader(), &open->sequence);
  const JoinInput input = open->side->Input(!TransactionStartedDuringRecovery(), false);
  if (!open->inner.keys_vary) ConstrainSearch(open);
  BatchNearest::Options options;
  options.ignore_killed = input.ignore_killed;
  if (open->inner.index_only) options.look = JoinInputSide::LookAtVisibility, options.context = open->side;
  open->nearest.Begin(*input.layout, open->constraint, options);
  for (size_t i = 0; i < open->sequence.size(); i++) {
    if (i + kAhead < open->sequence.size()) __builtin_prefetch(open->rows[open->sequence[i + kAhead]].row);
    if (i + 2 * kAhead < open->sequence.size()) __builtin_prefetch(&open->rows[open->sequence[i + 2 * kAhead]]);
    SearchFor(state, open->sequence[i]);
    CHECK_FOR_INTERRUPTS();
  }
}

void FetchFound(NearestState* state) {
  OpenNearest* open = state->open;
  const Snapshot snapshot = state->custom.ss.ps.state->es_snapshot;
  open->fetches.Clear();
  open->fetches.Reserve(open->side->reader(), open->found.size());
  for (uint32_t i = 0; i < open->found.size(); i++)
    if (open->found[i].fetch) open->fetches.AppendReserved({open->found[i].tuple.Packed(), i});
  boost::sort::pdqsort_branchless(open->fetches.data(), open->fetches.data() + open->fetches.size(),
                                  [](const NearestFetch& a, const NearestFetch& b) { return a.address < b.address; });
  TupleTableSlot* row = open->inner.index_only ? nullptr : open->inner.scan->ss_ScanTupleSlot;
  uint64_t address = 0;  // no row's
  bool visible = false;
  for (size_t i = 0; i < open->fetches.size(); i++) {
    NearestFound& found = open->found[open->fetches[i].number];
    if (open->fetches[i].address != address) visible = open->side->Find(found.tuple, snapshot, row);
    address = open->fetches[i].address;
    if (!visible) {
      found.made = nullptr;
    } else if (!open->inner.index_only) {
      const NearestOuter& outer = open->rows[found.outer];
      ResetExprContext(open->inner.scan->ps.ps_ExprContext);
      GiveParameters(open->inner, outer.row, false);
      found.made = KeepReturned(open, found.recheck, outer.lossy ? &found.rank : nullptr);
    }
    CHECK_FOR_INTERRUPTS();
  }
  if (row != nullptr) ExecClearTuple(row);
  open->side->LetGo();
}

// Of an outer row, those that are rows, the nearest first. Are they all that it may have?
bool Suffices(OpenNearest* open, NearestOuter* outer) {
  NearestFound* begin = open->found.data() + outer->first;
  NearestFound* end = std::remove_if(begin, begin + outer->count, [](const NearestFound& found) { return found.made == nullptr; });
  if (outer->lossy) std::stable_sort(begin, end, [](const NearestFound& a, const NearestFound& b) { return a.rank < b.rank; });
  outer->count = static_cast<uint32_t>(std::min<std::ptrdiff_t>(end - begin, open->limit));
  if (outer->bound == kNoDistance) return true;
  return outer->count == static_cast<uint32_t>(open->limit) && (!outer->lossy || begin[outer->count - 1].rank <= outer->bound);
}

// Where candidates were too few, there are more the next time; where that is of no use, none are looked for.
void Learn(OpenNearest* open, size_t singles) {
  const size_t rows = open->rows.size();
  if (singles * 20 > rows) open->candidates = std::min(open->candidates + std::max(open->candidates / 2, 2), kMostCandidates);
  open->one_by_one = rows > 1000 && singles * 2 > rows;
}

void SettleRows(OpenNearest* open) {
  size_t singles = 0;
  for (size_t i = 0; i < open->rows.size(); i++) {
    NearestOuter* outer = &open->rows[i];
    outer->single = outer->single || !Suffices(open, outer);
    singles += outer->single;
  }
  open->counts.singles += singles;
  if (!open->one_by_one) Learn(open, singles);
}

}  // namespace

bool NextBatch(NearestState* state) {
  OpenNearest* open = state->open;
  MemoryContextReset(open->batch);
  open->rows.Clear();
  open->origins.Clear();
  open->found.Clear();
  open->row = 0;
  open->begun = false;
  TakeRows(state);
  XTREE_SCAN_STOP_POINT("nearest-batch");
  if (open->rows.empty()) return false;
  if (!open->one_by_one) Search(state);
  FetchFound(state);
  SettleRows(open);
  open->wanted = std::min(open->wanted * kGrowth, kMostFound);
  open->counts.batches++;
  open->counts.rows += open->rows.size();
  return true;
}

}  // namespace xtree
