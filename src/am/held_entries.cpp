// See held_entries.h. What is held lives in a memory context below that of the whole transaction: a subtransaction's abort does not take it away.
#include "am/held_entries.h"

#include "am/held_batch.h"
#include "pg/compat_executor.h"
#include "pg/guard.h"
#include "storage/buffer_store.h"

extern "C" {
#include "access/genam.h"
#include "access/parallel.h"
#include "access/table.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/memutils.h"
#include "utils/rel.h"
}

namespace xtree {

bool entries_are_held;

namespace {

// Whoever asks for the rows after each few of them (triggers, functions) gets no batches, which then cost more than they save.
constexpr int kSmallBatch = 8;
constexpr int kSmallBatches = 4;

// A statement that may hold entries, or one that may not, within one that may.
struct Frame {
  bool may_hold;
  int level;          // of the (sub)transaction that its rows are of
  int small_batches;  // that others have asked for
};

ExecutorStart_hook_type next_start_hook;
ExecutorRun_hook_type next_run_hook;
ExecutorFinish_hook_type next_finish_hook;
ProcessUtility_hook_type next_utility_hook;

Frame frame;
MemoryContext memory;  // of what is held; nullptr: nothing is
HeldIndex* held;
int held_level;
uint64_t epoch = 1;  // raised when what was held is gone
bool inserting;

void Forget() {
  held = nullptr;
  entries_are_held = false;
  epoch++;
  if (memory != nullptr) MemoryContextDelete(std::exchange(memory, nullptr));
}

// The table is locked until the transaction ends, so the index is still there.
void InsertEntries(HeldIndex* entries) {
  const Relation index = index_open(entries->index, RowExclusiveLock);
  const Relation heap = table_open(index->rd_index->indrelid, NoLock);
  Guarded(index, [&] {
    HeldBatch batch(entries);
    BufferStore store(index, heap, *entries->layout);
    TreeWriter(store, *entries->layout, entries->options).Insert(&batch);
  });
  table_close(heap, NoLock);
  index_close(index, NoLock);
}

void InsertHeldEntries() {
  if (inserting) return;
  inserting = true;
  PG_TRY();
  {
    for (HeldIndex* index = held; index != nullptr; index = index->next) InsertEntries(index);
  }
  PG_FINALLY();
  { inserting = false; }
  PG_END_TRY();
  Forget();
}

size_t HeldCount() {
  size_t count = 0;
  for (const HeldIndex* index = held; index != nullptr; index = index->next) count += index->count;
  return count;
}

// Somebody else's statement begins within the frame.
void BeforeOthers() {
  if (!entries_are_held || inserting) return;
  if (HeldCount() < kSmallBatch && ++frame.small_batches == kSmallBatches) frame.may_hold = false;
  InsertHeldEntries();
}

bool InsertsManyRows(const QueryDesc* query) {
  const PlannedStmt* statement = query->plannedstmt;
  if (query->operation != CMD_INSERT || statement->hasModifyingCTE || !IsA(statement->planTree, ModifyTable)) return false;
  const auto* insert = reinterpret_cast<const ModifyTable*>(statement->planTree);
  const Plan* rows = outerPlan(&insert->plan);
  return insert->onConflictAction == ONCONFLICT_NONE && rows != nullptr && !IsA(rows, Result);
}

bool CopiesRows(const PlannedStmt* statement) {
  if (!IsA(statement->utilityStmt, CopyStmt)) return false;
  const auto* copy = reinterpret_cast<const CopyStmt*>(statement->utilityStmt);
  return copy->is_from && copy->relation != nullptr;
}

void InsertAtEnd(const QueryDesc* query) {
  if (query != nullptr) pg::StartCounting(query);
  InsertHeldEntries();
  if (query != nullptr) pg::StopCounting(query);
}

// Runs the statement (a utility has no `query`) within a frame of its own. What outer frames held is in the index.
template <class F>
void RunFramed(bool many_rows, const QueryDesc* query, F&& run) {
  const bool may_hold = many_rows && !IsolationIsSerializable() && !IsInParallelMode();
  if (!may_hold && !frame.may_hold) return run();
  const Frame outer = frame;
  frame = {may_hold, may_hold ? GetCurrentTransactionNestLevel() : 0, 0};
  PG_TRY();
  {
    run();
    if (entries_are_held) InsertAtEnd(query);
  }
  PG_CATCH();
  {
    Forget();
    frame = outer;
    PG_RE_THROW();
  }
  PG_END_TRY();
  frame = outer;
}

void StartExecutor(QueryDesc* query, int flags) {
  BeforeOthers();
  if (next_start_hook != nullptr)
    next_start_hook(query, flags);
  else
    standard_ExecutorStart(query, flags);
}

void RunExecutor(QueryDesc* query, ScanDirection direction, uint64 count XTREE_RUN_ONCE_PARAMETER) {
  BeforeOthers();
  RunFramed(InsertsManyRows(query), query, [&] {
    if (next_run_hook != nullptr)
      next_run_hook(query, direction, count XTREE_RUN_ONCE);
    else
      standard_ExecutorRun(query, direction, count XTREE_RUN_ONCE);
  });
}

// INSERTs of WITH that nobody has read go on here, those with ON CONFLICT too, and triggers fire.
void FinishExecutor(QueryDesc* query) {
  BeforeOthers();
  RunFramed(false, query, [&] {
    if (next_finish_hook != nullptr)
      next_finish_hook(query);
    else
      standard_ExecutorFinish(query);
  });
}

void RunUtility(PlannedStmt* statement, const char* text, bool read_only_tree, ProcessUtilityContext context, ParamListInfo parameters,
                QueryEnvironment* environment, DestReceiver* destination, QueryCompletion* completion) {
  BeforeOthers();
  RunFramed(CopiesRows(statement), nullptr, [&] {
    (next_utility_hook != nullptr ? next_utility_hook : standard_ProcessUtility)(statement, text, read_only_tree, context, parameters,
                                                                                 environment, destination, completion);
  });
}

void OnTransactionEnd(XactEvent event, void*) {
  switch (event) {
    case XACT_EVENT_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE:
      if (entries_are_held) InsertHeldEntries();  // no frame is left, so this cannot be
      break;
    case XACT_EVENT_ABORT:
      Forget();
      frame = {};
      inserting = false;
      break;
    default:
      break;
  }
}

// Of the level that is aborted and those within it.
void OnSubtransactionEnd(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
  if (event == SUBXACT_EVENT_ABORT_SUB && entries_are_held && held_level >= GetCurrentTransactionNestLevel()) Forget();
}

HeldIndex* HoldMore(Relation index, const IndexState& state) {
  if (memory == nullptr) memory = AllocSetContextCreate(TopTransactionContext, "xtree held entries", ALLOCSET_DEFAULT_SIZES);
  HeldIndex* more = MakeHeldIndex(memory, index, state);
  more->next = held;
  held = more;
  held_level = frame.level;
  entries_are_held = true;
  return more;
}

}  // namespace

void HoldEntriesBack() {
  next_start_hook = ExecutorStart_hook;
  ExecutorStart_hook = StartExecutor;
  next_run_hook = ExecutorRun_hook;
  ExecutorRun_hook = RunExecutor;
  next_finish_hook = ExecutorFinish_hook;
  ExecutorFinish_hook = FinishExecutor;
  next_utility_hook = ProcessUtility_hook;
  ProcessUtility_hook = RunUtility;
  RegisterXactCallback(OnTransactionEnd, nullptr);
  RegisterSubXactCallback(OnSubtransactionEnd, nullptr);
}

bool HoldEntry(Relation index, const IndexState& state, const HeldEntry& entry, HeldPlace* place) {
  if (!frame.may_hold || frame.level != GetCurrentTransactionNestLevel() || index->rd_index->indisexclusion) return false;
  if (place->index == nullptr || place->epoch != epoch) *place = {HoldMore(index, state), epoch};
  AddHeldEntry(memory, place->index, entry);
  if (place->index->count >= place->index->most || MemoryContextMemAllocated(memory, false) > static_cast<Size>(work_mem) * 1024)
    InsertHeldEntries();
  return true;
}

void InsertEntriesFor(Relation index) {
  const HeldIndex* of_index = held;
  while (of_index != nullptr && of_index->index != RelationGetRelid(index)) of_index = of_index->next;
  if (of_index != nullptr) BeforeOthers();
}

}  // namespace xtree
