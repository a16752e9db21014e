// See join_side.h.
#include "join/join_side.h"

#include "am/scan_keys.h"
#include "deferred/build_state.h"
#include "index/key_box.h"
#include "index/payload.h"
#include "shmem/column_use.h"

extern "C" {
#include "access/visibilitymap.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "optimizer/cost.h"
#include "pgstat.h"
#include "storage/predicate.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace xtree {

namespace {

constexpr int kMostKeptDimensions = 8;

// The index's column over this one of the table, if values can be made of it.
int IndexColumnOf(const FormData_pg_index& index, const IndexState& state, AttrNumber attribute) {
  for (int i = 0; attribute > 0 && i < index.indnatts; i++)
    if (index.indkey.values[i] == attribute && (i >= index.indnkeyatts || state.column[i].routine->exact)) return i;
  return -1;
}

}  // namespace

void JoinInputSide::SetColumns(List* tuple, TupleDesc descriptor) {
  column_ = static_cast<JoinColumn*>(palloc(sizeof(JoinColumn) * std::max(list_length(tuple), 1)));
  for (int place = 0; place < list_length(tuple); place++) {
    const auto* variable = reinterpret_cast<const Var*>(static_cast<TargetEntry*>(list_nth(tuple, place))->expr);
    if (!IsA(variable, Var) || variable->varno != static_cast<int>(range_)) continue;
    const FormData_pg_attribute* attribute = TupleDescAttr(descriptor, place);
    column_[columns_++] = {variable->varattno, place, IndexColumnOf(*index_->rd_index, *state_, variable->varattno), attribute->attlen,
                           attribute->attbyval};
    last_attribute_ = std::max<int>(last_attribute_, variable->varattno);
  }
  // As for an index-only scan (am/index_only.cpp).
  keys_suffice_ = enable_indexonlyscan && !RecoveryInProgress() && state_->layout.dimensions <= kMostKeptDimensions &&
                  std::all_of(column_, column_ + columns_, [](const JoinColumn& column) { return column.index_column >= 0; });
  needs_include_ = keys_suffice_ && std::any_of(column_, column_ + columns_,
                                                [&](const JoinColumn& column) { return column.index_column >= state_->layout.columns; });
  if (needs_include_) include_ = IncludeDescriptor(index_);
}

void JoinInputSide::SetWindows(const JoinPlanSide& plan, List* arguments, PlanState* parent) {
  windows_ = plan.windows;
  auto* keys = static_cast<JoinWindowKey*>(palloc(sizeof(JoinWindowKey) * std::max(windows_, 1)));
  std::copy_n(plan.window, windows_, keys);
  window_ = keys;
  argument_ = static_cast<ExprState**>(palloc0(sizeof(ExprState*) * std::max(windows_, 1)));
  int next = 0;
  for (int i = 0; i < windows_; i++)
    if (!(window_[i].flags & SK_ISNULL)) argument_[i] = ExecInitExpr(static_cast<Expr*>(list_nth(arguments, next++)), parent);
  key_context_ = AllocSetContextCreate(context_, "xtree join keys", ALLOCSET_SMALL_SIZES);
}

void JoinInputSide::EvaluateKeys(ExprContext* values) {
  MemoryContextReset(key_context_);
  const MemoryContext old = MemoryContextSwitchTo(key_context_);
  auto* keys = static_cast<ScanKeyData*>(palloc(sizeof(ScanKeyData) * std::max(windows_, 1)));
  for (int i = 0; i < windows_; i++) {
    const JoinWindowKey& window = window_[i];
    bool null = false;
    const Datum argument = argument_[i] != nullptr ? ExecEvalExpr(argument_[i], values, &null) : Datum{0};
    ScanKeyEntryInitialize(&keys[i], window.flags | (null ? SK_ISNULL : 0), static_cast<AttrNumber>(window.column + 1),
                           static_cast<StrategyNumber>(window.strategy), window.subtype, window.collation,
                           OidIsValid(window.operation) ? get_opcode(window.operation) : InvalidOid, argument);
  }
  ConstraintFromKeys(index_, *state_, keys, windows_, &constraint_);
  MemoryContextSwitchTo(old);
}

bool JoinInputSide::Start(ExprContext* values, Snapshot snapshot, uint64_t join_columns) {
  RequireUsable(index_, *state_, snapshot);
  // An index whose first row has not come holds none that the snapshot sees. Whoever inserts it puts it into the root.
  if (state_->undecided) {
    PredicateLockPage(index_, kRootBlock, snapshot);
    return false;
  }
  EvaluateKeys(values);
  StartUse(index_, state_->load_options, !IsolationIsSerializable(), &use_, &reader_);
  uint64_t asked = join_columns;
  for (int i = 0; i < windows_; i++) asked |= AskedColumn(window_[i].column);
  reader_.counts().asked |= asked | (keys_suffice_ ? kAskedForValues : 0);
  reader_.buffers().SetPredicateSnapshot(snapshot);
  const MemoryContext old = MemoryContextSwitchTo(key_context_);
  NarrowAlternatives(reader_, state_->layout, true, &constraint_);
  MemoryContextSwitchTo(old);
  if (fetch_ == nullptr) {
    const MemoryContext memory = MemoryContextSwitchTo(context_);
    fetch_ = pg::BeginTableFetch(table_);
    MemoryContextSwitchTo(memory);
  }
  MakeSlot();
  return true;
}

void JoinInputSide::MakeSlot() {
  if (slot_ != nullptr) return;
  const MemoryContext old = MemoryContextSwitchTo(context_);
  slot_ = table_slot_create(table_, nullptr);
  MemoryContextSwitchTo(old);
}

void JoinInputSide::CountScan() {
  pgstat_count_index_scan(index_);
  reader_.counts().scans++;
}

void JoinInputSide::LetGo() {
  prefetched_ = InvalidBlockNumber;
  if (fetch_ != nullptr) table_index_fetch_reset(fetch_);
  if (slot_ != nullptr) ExecClearTuple(slot_);
  if (BufferIsValid(visibility_)) ReleaseBuffer(std::exchange(visibility_, InvalidBuffer));
}

void JoinInputSide::Close() {
  reader_.Reset();
  if (BufferIsValid(visibility_)) ReleaseBuffer(std::exchange(visibility_, InvalidBuffer));
  if (fetch_ != nullptr) table_index_fetch_end(fetch_);
  if (slot_ != nullptr) ExecDropSingleTupleTableSlot(slot_);
  fetch_ = nullptr;
  slot_ = nullptr;
}

// The side's columns of the scan's tuple, which stay as long as the row does.
void JoinInputSide::Load(TupleTableSlot* row, TupleTableSlot* tuple) {
  if (last_attribute_ > 0) slot_getsomeattrs(row, last_attribute_);
  for (int i = 0; i < columns_; i++) {
    const JoinColumn& column = column_[i];
    Datum* value = &tuple->tts_values[column.place];
    bool* null = &tuple->tts_isnull[column.place];
    if (column.attribute > 0) {
      *value = row->tts_values[column.attribute - 1];
      *null = row->tts_isnull[column.attribute - 1];
    } else if (column.attribute < 0) {
      *value = slot_getsysattr(row, column.attribute, null);
    } else {
      *value = ExecFetchSlotHeapTupleDatum(row);
      *null = false;
    }
  }
}

KeptRow JoinInputSide::Keep(TupleTableSlot* row, ScanState* scan, MemoryContext memory) {
  TupleTableSlot* tuple = scan->ss_ScanTupleSlot;
  ExprContext* values = scan->ps.ps_ExprContext;
  ResetExprContext(values);
  ExecClearTuple(tuple);
  const MemoryContext old = MemoryContextSwitchTo(values->ecxt_per_tuple_memory);
  Load(row, tuple);
  MemoryContextSwitchTo(old);
  return KeepLoaded(scan, memory);
}

// The scan's tuple has the columns of this side.
KeptRow JoinInputSide::KeepLoaded(ScanState* scan, MemoryContext memory) {
  TupleTableSlot* tuple = scan->ss_ScanTupleSlot;
  ExprContext* values = scan->ps.ps_ExprContext;
  ExecStoreVirtualTuple(tuple);
  values->ecxt_scantuple = tuple;
  if (conditions_ != nullptr && !ExecQual(conditions_, values)) {
    removed_by_conditions++;
    return nullptr;
  }
  const MemoryContext old = MemoryContextSwitchTo(memory);
  auto* value = static_cast<Datum*>(palloc((sizeof(Datum) + sizeof(bool)) * std::max(columns_, 1)));
  auto* null = reinterpret_cast<bool*>(value + columns_);
  for (int i = 0; i < columns_; i++) {
    const JoinColumn& column = column_[i];
    null[i] = tuple->tts_isnull[column.place];
    value[i] = null[i] ? Datum{0} : datumCopy(tuple->tts_values[column.place], column.by_value, column.length);
  }
  MemoryContextSwitchTo(old);
  return value;
}

// All rows of the page are visible to everybody, as long as the leaf has the entry: VACUUM removes entries before it lets go of addresses.
void JoinInputSide::LookAtVisibility(void* side, const TupleId* tuples, size_t count, uint8_t* known) {
  auto* self = static_cast<JoinInputSide*>(side);
  for (size_t i = 0; i < count; i++) {
    const ItemPointerData address = ToItemPointer(tuples[i]);
    known[i] = self->IsVisibleToAll(ItemPointerGetBlockNumberNoCheck(&address));
  }
}

// As VM_ALL_VISIBLE, but for calls: a batch asks for every row of a leaf. (A page of the map has two bits for each page of the table, as in
// access/heap/visibilitymap.c.)
bool JoinInputSide::IsVisibleToAll(BlockNumber block) {
  constexpr BlockNumber kBlocksPerByte = 8 / BITS_PER_HEAPBLOCK;
  constexpr BlockNumber kBlocksPerPage = (BLCKSZ - MAXALIGN(SizeOfPageHeaderData)) * kBlocksPerByte;
  const BlockNumber map_page = block / kBlocksPerPage;
  if (!BufferIsValid(visibility_) || visibility_page_ != map_page) {
    const bool visible = VM_ALL_VISIBLE(table_, block, &visibility_);
    visibility_page_ = map_page;
    return visible;
  }
  const auto* map = reinterpret_cast<const uint8_t*>(PageGetContents(BufferGetPage(visibility_)));
  const uint8_t byte = map[block % kBlocksPerPage / kBlocksPerByte];
  return (byte >> (block % kBlocksPerByte * BITS_PER_HEAPBLOCK)) & VISIBILITYMAP_ALL_VISIBLE;
}

KeptRow JoinInputSide::Make(const Box& key, Payload payload, TupleId row, Snapshot snapshot, ScanState* scan, MemoryContext memory) {
  if (needs_include_) {
    if (payload.length > 0) payload = IncludePart(*state_, key.marks, payload);
    if (payload.length < sizeof(IndexTupleData) || payload.bytes == nullptr)
      return Fetch(row, snapshot, scan, memory);  // not kept, or damage
  }
  Datum values[INDEX_MAX_KEYS];
  bool nulls[INDEX_MAX_KEYS];
  TupleTableSlot* tuple = scan->ss_ScanTupleSlot;
  ResetExprContext(scan->ps.ps_ExprContext);
  ExecClearTuple(tuple);
  const MemoryContext old = MemoryContextSwitchTo(scan->ps.ps_ExprContext->ecxt_per_tuple_memory);
  if (needs_include_) DeformPayload(include_, payload.bytes, payload.length, values, nulls);
  const int keys = state_->layout.columns;
  for (int i = 0; i < columns_; i++) {
    const JoinColumn& column = column_[i];
    Datum* value = &tuple->tts_values[column.place];
    bool* null = &tuple->tts_isnull[column.place];
    if (column.index_column < keys)
      *value = ReconstructKey(*state_, column.index_column, key, null);
    else
      *value = values[column.index_column - keys], *null = nulls[column.index_column - keys];
  }
  MemoryContextSwitchTo(old);
  reader_.counts().tuples++;
  // As for a row that is fetched.
  const ItemPointerData address = ToItemPointer(row);
  PredicateLockPage(table_, ItemPointerGetBlockNumberNoCheck(&address), snapshot);
  return KeepLoaded(scan, memory);
}

bool JoinInputSide::Find(TupleId tuple, Snapshot snapshot, TupleTableSlot* row) {
  if (tuple.offset == 0 || tuple.offset > MaxHeapTuplesPerPage)
    ereport(ERROR, errcode(ERRCODE_INDEX_CORRUPTED), errmsg("index \"%s\" names no row of the table", RelationGetRelationName(index_)),
            errhint("Please REINDEX it."));
  ItemPointerData address = ToItemPointer(tuple);
  bool again = false, all_dead = false;
  fetched++;
  reader_.counts().tuples++;
  if (!table_index_fetch_tuple(fetch_, &address, snapshot, row != nullptr ? row : slot_, &again, &all_dead)) return false;
  pgstat_count_heap_fetch(index_);
  return true;
}

KeptRow JoinInputSide::Fetch(TupleId tuple, Snapshot snapshot, ScanState* scan, MemoryContext memory) {
  return Find(tuple, snapshot, nullptr) ? Keep(slot_, scan, memory) : nullptr;
}

void JoinInputSide::Prefetch(const uint64_t* next, const uint64_t* end) {
  constexpr int kOffsetShift = 16, kBlockShift = 32;
  if (next == end || *next >> kBlockShift == prefetched_ || TTS_EMPTY(slot_) || !TTS_IS_BUFFERTUPLE(slot_)) return;
  const Buffer buffer = reinterpret_cast<const BufferHeapTupleTableSlot*>(slot_)->buffer;
  if (!BufferIsValid(buffer) || BufferGetBlockNumber(buffer) != *next >> kBlockShift) return;
  prefetched_ = BufferGetBlockNumber(buffer);
  const char* page = BufferGetPage(buffer);
  // Line pointers may change meanwhile, since nothing is locked: then what is asked for is of no use.
  const auto pointer_of = [page](uint64_t row) {
    const auto offset = static_cast<OffsetNumber>(row >> kOffsetShift);
    return reinterpret_cast<const ItemIdData*>(page + SizeOfPageHeaderData) + (offset - 1) % MaxHeapTuplesPerPage;
  };
  const uint64_t* last = std::find_if(next, end, [this](uint64_t row) { return row >> kBlockShift != prefetched_; });
  for (const uint64_t* row = next; row < last; row++) __builtin_prefetch(pointer_of(*row));
  for (const uint64_t* row = next; row < last; row++) __builtin_prefetch(page + ItemIdGetOffset(pointer_of(*row)) % BLCKSZ);
}

TupleTableSlot* JoinInputSide::Substitute(EPQState* recheck, bool* substituted) {
  const Index i = range_ - 1;
  // Done from the beginning is a table whose rows are not to be seen: of several that are updated, all others.
  *substituted = recheck->relsubs_slot[i] != nullptr || recheck->relsubs_rowmark[i] != nullptr || recheck->relsubs_done[i];
  if (!*substituted || recheck->relsubs_done[i]) return nullptr;
  recheck->relsubs_done[i] = true;
  TupleTableSlot* row = recheck->relsubs_slot[i];
  if (row == nullptr) {
    MakeSlot();
    row = slot_;
    if (!EvalPlanQualFetchRowMark(recheck, range_, row)) return nullptr;
  }
  return TupIsNull(row) ? nullptr : row;
}

}  // namespace xtree
