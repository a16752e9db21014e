// See deferred_build.h. Plain frames: ERRORs leave from anywhere, and the abort of the transaction releases the
// session's locks too.
#include "deferred/deferred_build.h"

#include "deferred/build_state.h"
#include "build/build_steps.h"
#include "index/index_access.h"
#include "pg/compat.h"
#include "pg/compat_commands.h"
#include "shmem/build_demand.h"
#include "testing/stop_point.h"

extern "C" {
#include "access/genam.h"
#include "access/multixact.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/storage.h"
#include "commands/progress.h"
#include "commands/vacuum.h"
#include "executor/spi.h"
#include "storage/ipc.h"
#include "utils/backend_progress.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
}

namespace xtree {

namespace {

constexpr LOCKMODE kTableLock = ShareUpdateExclusiveLock;
constexpr LOCKMODE kIndexLock = RowExclusiveLock;

struct Target {
  Oid table;
  Oid index;
  LockRelId table_id;
  LockRelId index_id;
  Waiting waiting;
};

struct OpenTarget {
  Relation table;
  Relation index;
};

IndexKey KeyOf(const Target& target) { return {MyDatabaseId, target.index}; }

// The session's locks keep both as they are.
OpenTarget Open(const Target& target) { return {table_open(target.table, kTableLock), index_open(target.index, kIndexLock)}; }

void Close(const OpenTarget& open) {
  index_close(open.index, NoLock);
  table_close(open.table, NoLock);
}

void ReportPhase(int64 phase) { pgstat_progress_update_param(PROGRESS_CREATEIDX_PHASE, phase); }

void ReportStart(const Target& target, Oid access_method) {
  const int parameters[] = {PROGRESS_CREATEIDX_COMMAND, PROGRESS_CREATEIDX_INDEX_OID, PROGRESS_CREATEIDX_ACCESS_METHOD_OID};
  const int64 values[] = {PROGRESS_CREATEIDX_COMMAND_CREATE_CONCURRENTLY, target.index, access_method};
  pgstat_progress_start_command(PROGRESS_COMMAND_CREATE_INDEX, target.table);
  pgstat_progress_update_multi_param(3, parameters, values);
}

void NextTransaction([[maybe_unused]] const char* stop_point) {
  SPI_commit();
  XTREE_SCAN_STOP_POINT(stop_point);
}

MetaBuildState StateOf(Relation index) {
  IndexState* state = CopyIndexState(index, MetaUse::kNone);
  RereadMeta(index, state);
  return state->build_state;
}

// False: *outcome is why not. A background build waits for no lock: those who hold one come first.
bool LockTable(Target* target, DeferredBuildOutcome* outcome) {
  target->table = IndexGetRelation(target->index, true);
  *outcome = DeferredBuildOutcome::kGone;
  if (target->table == InvalidOid) return false;
  InvalidateCatalogSnapshot();  // whoever holds the lock may wait for it
  if (target->waiting == Waiting::kPolled && !ConditionalLockRelationOid(target->table, kTableLock)) {
    *outcome = DeferredBuildOutcome::kBusy;
    return false;
  }
  const Relation table = try_table_open(target->table, kTableLock);
  if (table == nullptr) return false;
  target->table_id = table->rd_lockInfo.lockRelId;
  table_close(table, NoLock);
  return true;
}

void RequireBuildable(Relation index) {
  if (!IsXtreeIndex(index) || index->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s\" is not an xtree index that can be deferred", RelationGetRelationName(index))));
  if (!index->rd_index->indisvalid)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("index \"%s\" is not valid", RelationGetRelationName(index)),
                    errhint("Its creation has not finished or has failed; REINDEX it or drop it.")));
}

// Looks whether there is something to build, with the table locked.
bool LooksUnbuilt(Target* target, DeferredBuildOutcome* outcome) {
  const Relation index = try_relation_open(target->index, kIndexLock);
  *outcome = DeferredBuildOutcome::kGone;
  if (index == nullptr) return false;
  target->index_id = index->rd_lockInfo.lockRelId;
  bool unbuilt = false;
  if (index->rd_rel->relkind == RELKIND_INDEX && index->rd_index->indrelid == target->table) {
    RequireBuildable(index);
    unbuilt = StateOf(index) != MetaBuildState::kBuilt;
    *outcome = DeferredBuildOutcome::kWasBuilt;
    if (unbuilt) ReportStart(*target, index->rd_rel->relam);
  }
  relation_close(index, NoLock);
  return unbuilt;
}

bool TableIsEmpty(const Target& target) {
  const OpenTarget open = Open(target);
  const bool empty = RelationGetNumberOfBlocks(open.table) == 0;
  Close(open);
  return empty;
}

// From here on until Unlock() or an abort.
void LockForSession(Target* target) {
  LockRelationIdForSession(&target->table_id, kTableLock);
  LockRelationIdForSession(&target->index_id, kIndexLock);
}

void Unlock(Target* target) {
  UnlockRelationIdForSession(&target->index_id, kIndexLock);
  UnlockRelationIdForSession(&target->table_id, kTableLock);
}

bool HasPages(const Target& target) {
  const OpenTarget open = Open(target);
  const bool has_pages = RelationGetNumberOfBlocks(open.index) > kRootBlock;
  Close(open);
  return has_pages;
}

// From the commit on nobody begins to insert into what an earlier build left. Also where the state is unbuilt already:
// that build may have been interrupted before it could announce this.
void Withdraw(const Target& target) {
  const OpenTarget open = Open(target);
  SetUnbuilt(open.index);
  Close(open);
  NextTransaction("deferred-withdrawn");
}

// REQUIRES: nobody writes to these pages, not even because he remembers that the index was ready.
void CutOffPages(Relation index) {
  if (RelationGetNumberOfBlocks(index) > kRootBlock) RelationTruncate(index, kRootBlock);
}

void ThrowAwayPages(const Target& target) {
  Withdraw(target);
  ReportPhase(PROGRESS_CREATEIDX_PHASE_WAIT_1);
  WaitForWriters(target.table, target.waiting);
  const OpenTarget open = Open(target);
  CutOffPages(open.index);
  Close(open);
}

// What the snapshot of this transaction sees goes into the tree, and from its commit on writers insert.
void BuildFromSnapshot(const Target& target) {
  ReportPhase(PROGRESS_CREATEIDX_PHASE_BUILD);
  const OpenTarget open = Open(target);
  PushActiveSnapshot(GetTransactionSnapshot());
  const OwnerContext owner = SwitchToOwner(open.table);
  IndexInfo* info = BuildIndexInfo(open.index);
  info->ii_Concurrent = true;  // the rows that a snapshot sees
  BuiltTree built;
  BuildTree(open.table, open.index, info, true, &built);
  SwitchBack(owner);
  SetReady(open.index, built);
  PopActiveSnapshot();
  Close(open);
  NextTransaction("deferred-ready");
}

struct Reference {
  TransactionId xmin;
  bool quiet;  // no transaction was running
};

// Adds the rows that the first scan did not see and writers did not insert. Returns what its snapshot was.
Reference AddMissingRows(const Target& target) {
  const Snapshot snapshot = RegisterSnapshot(GetTransactionSnapshot());
  PushActiveSnapshot(snapshot);
  validate_index(target.table, target.index, snapshot);
  const Reference reference = {snapshot->xmin, snapshot->xmin == snapshot->xmax};
  PopActiveSnapshot();
  UnregisterSnapshot(snapshot);
  NextTransaction("deferred-validated");
  return reference;
}

// The planner's idea of the index; the table's own statistics are not touched.
void UpdateStatistics(Relation index) {
  IndexState* state = CopyIndexState(index, MetaUse::kNone);
  RereadMeta(index, state);
  const double entries = state->levels > 0 ? static_cast<double>(state->level[0].entries) : 0;
  pg::UpdateIndexStatistics(index, RelationGetNumberOfBlocks(index), entries);
}

// A snapshot of a standby is later than the reference if its xmin is. Where no transaction was running, one with the
// same xmin sees the same.
uint64_t UsableFrom(const Reference& reference) { return pg::FullXid(reference.xmin) + (reference.quiet ? 0 : 1); }

// Plans without the index are made anew.
void Finish(const Target& target, const Reference& reference) {
  const OpenTarget open = Open(target);
  UpdateStatistics(open.index);
  SetBuilt(open.index, UsableFrom(reference));
  CacheInvalidateRelcache(open.table);
  const int64 bytes = static_cast<int64>(RelationGetNumberOfBlocks(open.index)) * BLCKSZ;
  Close(open);
  SPI_commit();
  NoteBuilt(KeyOf(target), bytes);
}

void BuildLocked(const Target& target) {
  SPI_commit();
  if (HasPages(target)) ThrowAwayPages(target);
  NextTransaction("deferred-begin");
  BuildFromSnapshot(target);
  ReportPhase(PROGRESS_CREATEIDX_PHASE_WAIT_2);
  WaitForWriters(target.table, target.waiting);
  const Reference reference = AddMissingRows(target);
  ReportPhase(PROGRESS_CREATEIDX_PHASE_WAIT_3);
  WaitForSnapshots(reference.xmin, target.waiting);
  XTREE_SCAN_STOP_POINT("deferred-waited");
  Finish(target, reference);
}

DeferredBuildOutcome LockAndBuild(Target* target) {
  DeferredBuildOutcome outcome;
  if (!LockTable(target, &outcome) || !LooksUnbuilt(target, &outcome)) {
    SPI_commit();
    return outcome;
  }
  if (target->waiting == Waiting::kPolled && TableIsEmpty(*target)) {
    pgstat_progress_end_command();
    SPI_commit();
    return DeferredBuildOutcome::kEmptyTable;
  }
  NoteBuildBegin(KeyOf(*target));
  LockForSession(target);
  BuildLocked(*target);
  Unlock(target);
  pgstat_progress_end_command();
  return DeferredBuildOutcome::kBuilt;
}

// A process that ends in the middle says so.
IndexKey current = {};

void OnExit(int, Datum) {
  ReleaseLocksOfError();
  if (current.index != InvalidOid) NoteBuildInterrupted(current);
}

void WatchExit() {
  static bool watched = false;
  if (!watched) before_shmem_exit(OnExit, 0);
  watched = true;
}

void NoteError(const Target& target, const ErrorData& error) {
  const bool cancelled = error.sqlerrcode == ERRCODE_QUERY_CANCELED;
  if (cancelled && target.waiting == Waiting::kPolled) {
    NoteGaveWay(KeyOf(target), "another session wanted a lock on the table");
  } else {
    NoteBuildFailure(KeyOf(target), error.message != nullptr ? error.message : "unknown error");
  }
}

}  // namespace

DeferredBuildOutcome BuildDeferredIndex(Oid index, Waiting waiting) {
  Target target = {InvalidOid, index, {}, {}, waiting};
  volatile DeferredBuildOutcome outcome = DeferredBuildOutcome::kGone;
  const MemoryContext context = CurrentMemoryContext;
  WatchExit();
  current = KeyOf(target);
  PG_TRY();
  { outcome = LockAndBuild(&target); }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    ReleaseLocksOfError();
    NoteError(target, *CopyErrorData());
    current = {};
    PG_RE_THROW();
  }
  PG_END_TRY();
  current = {};
  return outcome;
}

namespace {

// change(index) with the locks of a build, unless somebody else has one.
template <class Change>
void WithLocks(Oid index, Change&& change) {
  Target target = {InvalidOid, index, {}, {}, Waiting::kPolled};
  DeferredBuildOutcome outcome;
  if (!LockTable(&target, &outcome)) return;
  const Relation relation = try_relation_open(index, kIndexLock);
  if (relation == nullptr) return;
  if (StateOf(relation) != MetaBuildState::kBuilt) change(relation);
  relation_close(relation, NoLock);
}

}  // namespace

void WithdrawDeferredIndex(Oid index) { WithLocks(index, SetUnbuilt); }

void CutOffDeferredIndex(Oid index) {
  WithLocks(index, [](Relation relation) {
    if (StateOf(relation) == MetaBuildState::kUnbuilt && NobodyWrites(relation->rd_index->indrelid)) CutOffPages(relation);
  });
}

}  // namespace xtree
