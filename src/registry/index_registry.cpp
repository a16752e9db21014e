// See index_registry.h.
#include "registry/index_registry.h"

#include "pg/compat.h"
#include "pg/compat_process.h"
#include "pg/settings.h"
#include "registry/fault_trap.h"
#include "registry/load_callbacks.h"
#include "shmem/event_log.h"
#include "shmem/successions.h"
#include "shmem/sweep.h"
#include "storage/freshness.h"
#include "testing/stop_point.h"

#include <algorithm>

extern "C" {
#include "access/parallel.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "portability/instr_time.h"
#include "storage/ipc.h"
#include "storage/sinval.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace xtree {

namespace {

MemoryContext context = nullptr;
HTAB* registry = nullptr;
size_t counted_bytes = 0;  // of this backend, in shared->private_bytes

// After a failure the next try waits a moment, so that a broken file does not cost every scan a system call.
constexpr TimestampTz kRetryAfter = USECS_PER_SEC;

// To load an index costs more, for the worker writes what has changed of it; and some files can never be mapped. So each failure doubles it.
TimestampTz LoadAgainAfter(int failures) {
  constexpr int kMostDoublings = 9;  // some minutes
  return kRetryAfter << std::clamp(failures - 1, 0, kMostDoublings);
}

instr_time Now() {
  instr_time now;
  INSTR_TIME_SET_CURRENT(now);
  return now;
}

// Nanoseconds.
int64 Since(instr_time begin) {
  instr_time passed = Now();
  INSTR_TIME_SUBTRACT(passed, begin);
  return static_cast<int64>(INSTR_TIME_GET_DOUBLE(passed) * 1e9);
}

void CountPrivateBytes(size_t now) {
  pg_atomic_fetch_add_u64(&shared->private_bytes, static_cast<int64>(now) - static_cast<int64>(counted_bytes));
  counted_bytes = now;
}

void DropMapping(RegisteredIndex* index) {
  pg_atomic_fetch_sub_u64(&shared->mapped_bytes, static_cast<int64>(index->mapping.bytes()));
  index->mapping.Unmap();
  index->residence.Free();
  pg_atomic_fetch_sub_u32(&index->shared->mapped_by, 1);
  index->state = LoadState::kRegistered;
  index->outgrown = false;
  index->unmapped_pages = 0;
}

void Unmap(RegisteredIndex* index) {
  if (!index->mapping.mapped()) return;
  DropMapping(index);
  FireUnload(index->oid);
}

bool Stale(const RegisteredIndex& index) { return pg_atomic_read_u32(&index.shared->generation) != index.generation; }

// At once, or when the last scan ends.
void LetGo(RegisteredIndex* index) {
  if (!index->mapping.mapped()) return;
  if (index->mapped_uses == 0) {
    Unmap(index);
  } else {
    index->state = LoadState::kUnloading;
  }
}

template <class Visit>
void ForEach(Visit&& visit) {
  if (registry == nullptr) return;
  HASH_SEQ_STATUS status;
  hash_seq_init(&status, registry);
  while (auto* index = static_cast<RegisteredIndex*>(hash_seq_search(&status))) visit(index);
}

// No catalog access, no ERROR. What changed shows when the index is used next; but an idle backend is woken by an invalidation
// to let go of what the worker wants back.
void OnRelcacheInvalidation(Datum, Oid relation) {
  if (registry == nullptr) return;
  if (relation == InvalidOid) {
    DropStaleMappings();
    return;
  }
  auto* index = static_cast<RegisteredIndex*>(hash_search(registry, &relation, HASH_FIND, nullptr));
  if (index != nullptr && Stale(*index)) LetGo(index);
}

void OnExit(int, Datum) {
  ReleaseLocksOfError();
  ForEach([](RegisteredIndex* index) {
    if (index->uses > 0) pg_atomic_fetch_sub_u32(&index->shared->running, index->uses);
    Unmap(index);
    ReleaseSharedIndex(index->shared);
  });
  CountPrivateBytes(0);
  registry = nullptr;
}

void CreateRegistry() {
  SharedIndexTable();  // attached for the life of the process, before anything depends on it
  if (context == nullptr) {
    context = AllocSetContextCreate(TopMemoryContext, "xtree registry", ALLOCSET_SMALL_SIZES);
    CacheRegisterRelcacheCallback(OnRelcacheInvalidation, 0);
    before_shmem_exit(OnExit, 0);
  }
  HASHCTL control = {};
  control.keysize = sizeof(Oid);
  control.entrysize = sizeof(RegisteredIndex);
  control.hcxt = context;
  registry = hash_create("xtree registry", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
  if (Preloaded()) InstallFaultHandler();
}

// Without the worker nobody may have noted that it was.
bool Dropped(const RegisteredIndex& index) {
  if (!Preloaded() && !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(index.oid))) return true;
  SharedIndexLock lock(index.shared);
  return index.shared->dropped;
}

// Entries of dropped indexes go whenever the number of entries has doubled, so that a session that makes and drops indexes all its
// life does not grow.
void ForgetDropped() {
  static long limit = 64;
  if (hash_get_num_entries(registry) < limit) return;
  ForEach([](RegisteredIndex* index) {
    if (index->uses > 0 || !Dropped(*index)) return;
    Unmap(index);
    ReleaseSharedIndex(index->shared);
    hash_search(registry, &index->oid, HASH_REMOVE, nullptr);
  });
  limit = std::max(64L, 2 * hash_get_num_entries(registry));
}

// nullptr: there is no memory to count its use in.
RegisteredIndex* Register(Relation relation) {
  if (registry == nullptr) CreateRegistry();
  const Oid oid = RelationGetRelid(relation);
  auto* found = static_cast<RegisteredIndex*>(hash_search(registry, &oid, HASH_FIND, nullptr));
  if (found != nullptr) return found;
  const instr_time begin = Now();
  ForgetDropped();
  if (!Preloaded()) SweepNowAndThen();
  SharedIndex* index = AcquireToCount({MyDatabaseId, oid});
  if (index == nullptr) return nullptr;
  bool exists;
  RegisteredIndex* entry;
  PG_TRY();
  { entry = static_cast<RegisteredIndex*>(hash_search(registry, &oid, HASH_ENTER, &exists)); }
  PG_CATCH();
  {
    ReleaseSharedIndex(index);
    PG_RE_THROW();
  }
  PG_END_TRY();
  memset(static_cast<void*>(entry), 0, sizeof(*entry));
  entry->oid = oid;
  entry->shared = index;
  entry->mapping = FileMapping();
  entry->residence = Residence();
  CountPrivateBytes(MemoryContextMemAllocated(context, true));
  entry->touch_ns = Since(begin);
  return entry;
}

// What the shared entry says about this file.
struct Admission {
  bool admitted;
  bool wanted;  // this backend is to ask for it
  FileIdentity file;
  uint32_t generation;
};

// Looks at the shared entry, and where nobody else does becomes the one who asks for the index to be loaded.
Admission LookAt(SharedIndex* index, const pg::FileLocator& locator, const RegisteredIndex& registered) {
  const TimestampTz now = GetCurrentTimestamp();
  Admission out = {};
  SharedIndexLock lock(index);
  const bool looked_for = index->file.Names(locator);
  const bool same_file = looked_for && index->file.inode != 0;
  const bool unloading = index->state == LoadState::kUnloading;
  index->options = registered.options;
  index->table = registered.table;
  out.admitted = same_file && index->admitted != InvalidXLogRecPtr && !unloading;
  out.file = index->file;
  out.generation = pg_atomic_read_u32(&index->generation);
  if (index->first_access == 0) index->first_access = now;
  if (out.admitted && index->state == LoadState::kLoaded) return out;
  if (unloading || (same_file && index->state == LoadState::kLoading)) return out;
  const bool failed_just_now =
      looked_for && index->state == LoadState::kFailed && now - index->state_since < LoadAgainAfter(index->failures);
  if (failed_just_now) return out;
  out.wanted = true;
  index->state = LoadState::kLoading;
  index->state_since = now;
  if (!same_file) index->admitted = InvalidXLogRecPtr;
  return out;
}

// A new file's identity, for the worker to admit. Sessions that map the old one would keep it, though it is deleted, until they look.
void AskForAdmission(SharedIndex* index, const pg::FileLocator& locator) {
  uint64_t blocks;
  const FileIdentity file = IdentifyFile(locator, &blocks);
  bool replaced;
  {
    SharedIndexLock lock(index);
    replaced = !(index->file == file);
    if (replaced) {
      if (!index->file.Names(locator)) index->failures = 0;
      index->admitted = InvalidXLogRecPtr;
      pg_atomic_fetch_add_u32(&index->generation, 1);
    }
    index->file = file;
    index->blocks = blocks;
    index->dropped = false;
  }
  // Pages that the server keeps elsewhere, or a file that somebody took away.
  constexpr char kNoFile[] = "it has no file in this server's data directory or tablespaces";
  if (file.inode == 0 && SetFailure(index, kNoFile)) LogEvent(EventKind::kFailure, index->key, 0, "not loaded: %s", kNoFile);
  if (replaced && pg_atomic_read_u32(&index->mapped_by) > 0) WakeSessions(index->key);
  WakeWorker();
}

void Fail(RegisteredIndex* index, const char* problem) {
  index->state = LoadState::kFailed;
  index->failed_at = GetCurrentTimestamp();
  {
    SharedIndexLock lock(index->shared);
    strlcpy(index->shared->last_error, problem, sizeof(index->shared->last_error));
    index->shared->last_error_time = index->failed_at;
  }
  LogEvent(EventKind::kFailure, index->shared->key, 0, "not mapped: %s", problem);
}

// Mapped again, it is not touched for the first time.
void NoteFirstTouch(RegisteredIndex* index, int64 mapping_ns) {
  if (index->touch_ns < 0) return;
  Observe(Latency::kFirstTouch, index->touch_ns + mapping_ns);
  index->touch_ns = -1;
}

void Map(RegisteredIndex* index, const pg::FileLocator& locator, const Admission& admission) {
  const instr_time begin = Now();
  index->state = LoadState::kLoading;
  const char* problem = index->mapping.Map(locator);
  if (problem != nullptr) {
    Fail(index, problem);
    return;
  }
  if (!(index->mapping.identity() == admission.file)) {  // not the file that was admitted: ask anew
    index->mapping.Unmap();
    index->state = LoadState::kRegistered;
    AskForAdmission(index->shared, locator);
    return;
  }
  if (index->shared->strategy != Strategy::kResident) index->mapping.ReadPagesAlone();
  index->generation = admission.generation;
  index->outgrown = false;
  index->state = LoadState::kLoaded;
  pg_atomic_fetch_add_u64(&shared->mapped_bytes, index->mapping.bytes());
  pg_atomic_fetch_add_u32(&index->shared->mapped_by, 1);
  Count(index->shared, Counter::kLoads);
  NoteFirstTouch(index, Since(begin));
  XTREE_SCAN_STOP_POINT("registry-mapped");
  // Asked to let go between the look at the entry and now: whoever asked may not have seen this mapping.
  if (Stale(*index)) {
    DropMapping(index);
  } else {
    FireLoad(index->oid);
  }
}

// Is there a mapping that a new scan may use?
bool Usable(const RegisteredIndex& index, const pg::FileLocator& locator) {
  return index.mapping.mapped() && !Stale(index) && !index.outgrown && index.mapping.identity().Names(locator);
}

// Maps the index if it is admitted and `now`; sees to it that somebody asks for its admission.
void Load(RegisteredIndex* index, const pg::FileLocator& locator, bool now) {
  if (index->mapping.mapped()) {
    if (index->mapped_uses > 0) return;  // an older scan still reads the old mapping
    Unmap(index);
  }
  if (index->state == LoadState::kFailed && GetCurrentTimestamp() - index->failed_at < kRetryAfter) return;
  const Admission admission = LookAt(index->shared, locator, *index);
  if (admission.wanted) AskForAdmission(index->shared, locator);
  if (admission.admitted && now) Map(index, locator, admission);
}

void NoteFirstAccess(SharedIndex* index) {
  const TimestampTz now = GetCurrentTimestamp();
  SharedIndexLock lock(index);
  if (index->first_access == 0) index->first_access = now;
}

// Never back in time: what one session notes is not undone by a statement of another that began earlier.
void NoteAccess(SharedIndex* index, TimestampTz time) {
  const auto now = static_cast<uint64>(time);
  uint64 known = pg_atomic_read_u64(&index->last_access);
  if (known == 0) NoteFirstAccess(index);
  while (known < now) {
    XTREE_SCAN_STOP_POINT("registry-access");
    if (pg_atomic_compare_exchange_u64(&index->last_access, &known, now)) break;
  }
}

void LoadFollowers(IndexKey key) {
  IndexKey follower[kFollowers];
  const int count = FollowersOf(key, follower);
  for (int i = 0; i < count; i++) {
    SharedIndex* const index = FindSharedIndex(follower[i]);
    if (index == nullptr) continue;
    const bool begun = BeginLoadAhead(index);
    ReleaseSharedIndex(index);
    if (!begun) continue;
    LogEvent(EventKind::kLoad, follower[i], 0, "asked for ahead: sessions use it after the index with OID %u", key.index);
    WakeWorker();
  }
}

// For xtree.predictive_load: which index follows which. Once a minute for each index, so that a scan that is repeated costs nothing.
void NoteTurn(RegisteredIndex* index) {
  constexpr TimestampTz kNoteAgainAfter = USECS_PER_MINUTE;
  constexpr TimestampTz kFollowsWithin = 10 * USECS_PER_MINUTE;
  static IndexKey before = {};
  static TimestampTz before_at = 0;
  const TimestampTz now = GetCurrentStatementStartTimestamp();
  if (index->noted != 0 && now - index->noted < kNoteAgainAfter) return;
  index->noted = now;
  const IndexKey key = index->shared->key;
  NoteSuccession(now - before_at < kFollowsWithin ? before : IndexKey{}, key);
  before = key;
  before_at = now;
  LoadFollowers(key);
}

XLogRecPtr AdmittedUpTo(SharedIndex* index) {
  SharedIndexLock lock(index);
  return index->admitted;
}

// A parallel worker is not told which files its leader's transaction made, only that it has changed something.
bool PerhapsMadeByLeader() { return IsParallelWorker() && TransactionIdIsValid(GetTopTransactionIdIfAny()); }

void UseMapping(const pg::FileLocator& locator, IndexUse* use) {
  use->mapped = true;
  use->index->mapped_uses++;
  use->freshness_base = FreshnessBase(locator);
  ContinueUse(use);
}

}  // namespace

SharedIndex* RegisteredEntryOf(Oid index) {
  if (registry == nullptr) return nullptr;
  const auto* found = static_cast<RegisteredIndex*>(hash_search(registry, &index, HASH_FIND, nullptr));
  return found != nullptr ? found->shared : nullptr;
}

XLogRecPtr CheckpointedUpTo(bool refresh) {
  static XLogRecPtr known = InvalidXLogRecPtr;
  if (refresh || known == InvalidXLogRecPtr) {
    TimeLineID timeline;
    GetOldestRestartPoint(&known, &timeline);
    if (RuleBroken("checkpoint")) known = GetRedoRecPtr();
  }
  return known;
}

constexpr const char* kWorks = "The index works as it is, through shared buffers.";

Hindrance WhyNothingMappable() {
  if (settings.use_mmap == static_cast<int>(UseMmap::kOff)) return {"xtree.use_mmap is off", "Set xtree.use_mmap to auto."};
  if (!Preloaded()) return {"xtree is not preloaded", "Add xtree to shared_preload_libraries."};
  if (RecoveryInProgress()) return {"the server is in recovery", kWorks};
  if (pg::DirectIo()) return {"debug_io_direct includes data", kWorks};
  return {};
}

Hindrance WhyNotMappable(Relation index) {
  if (index->rd_rel->relpersistence == RELPERSISTENCE_TEMP) return {"it is temporary", kWorks};
  if (index->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED) return {"it is unlogged", kWorks};
  if (const Hindrance general = WhyNothingMappable(); general.reason != nullptr) return general;
  if (pg::NewInTransaction(index)) return {"its file was made by the current transaction", "Load it after COMMIT."};
  if (!pg::KeptInPlainFiles(index)) return {"another storage manager than the server's own keeps its pages", kWorks};
  if (!RelationNeedsWAL(index) || PerhapsMadeByLeader()) return {"pages of this relation are not written as mappings need it", kWorks};
  return {};
}

LoadView ViewLoad(Relation index) {
  LoadView view = {LoadState::kRegistered, 0};
  if (!Preloaded() || pg::BelongsToSession(index)) return view;
  SharedIndex* entry = FindSharedIndex({MyDatabaseId, RelationGetRelid(index)});
  if (entry == nullptr) return view;
  {
    SharedIndexLock lock(entry);
    view = {entry->state, entry->resident_bytes};
  }
  ReleaseSharedIndex(entry);
  return view;
}

void BeginUse(Relation index, const LoadOptions& options, MapWhen when, IndexUse* use) {
  *use = {};
  if (pg::BelongsToSession(index) || !Counting()) return;
  RegisteredIndex* entry = Register(index);
  if (entry == nullptr) return;
  PrepareCounters(*entry->shared, pg::NewInTransaction(index));
  entry->options = options;
  entry->table = index->rd_index->indrelid;
  const pg::FileLocator& locator = pg::LocatorOf(index);
  const bool mappable = Mappable(index);
  const bool may_map = when != MapWhen::kNever && mappable;
  if (mappable && !Usable(*entry, locator)) {
    const bool pays = entry->unmapped_pages >= static_cast<uint64_t>(settings.map_after);
    Load(entry, locator, may_map && (pays || when == MapWhen::kNow));
  }
  entry->uses++;
  pg_atomic_fetch_add_u32(&entry->shared->running, 1);
  use->index = entry;
  use->may_map = may_map;
  NoteAccess(entry->shared, GetCurrentStatementStartTimestamp());
  if (settings.predictive_load && Preloaded()) NoteTurn(entry);
  if (may_map && Usable(*entry, locator)) UseMapping(locator, use);
}

uint64_t PagesBeforeMapping(const IndexUse& use) {
  if (!use.may_map || use.mapped) return 0;
  const auto limit = static_cast<uint64_t>(settings.map_after);
  return limit > use.index->unmapped_pages ? limit - use.index->unmapped_pages : 0;
}

void MapUse(Relation index, IndexUse* use) {
  const pg::FileLocator& locator = pg::LocatorOf(index);
  if (!Usable(*use->index, locator)) Load(use->index, locator, true);
  if (Usable(*use->index, locator)) UseMapping(locator, use);
}

void ContinueUse(IndexUse* use) {
  if (use->mapped) use->fresh_limit = std::max(AdmittedUpTo(use->index->shared), CheckpointedUpTo(false));
}

bool MustGo(const IndexUse& use) { return use.mapped && (use.index->outgrown || Stale(*use.index)); }

void EndUse(IndexUse* use) {
  RegisteredIndex* entry = use->index;
  if (entry == nullptr || registry == nullptr) return;
  DisarmPage(0);  // an ERROR may have left a page armed
  DisarmPage(1);
  entry->uses--;
  NoteAccess(entry->shared, GetCurrentTimestamp());  // the statement may be hours old
  pg_atomic_fetch_sub_u32(&entry->shared->running, 1);
  if (use->mapped) {
    entry->mapped_uses--;
    if (entry->mapped_uses == 0 && Stale(*entry)) Unmap(entry);
  }
  *use = {};
}

void CountUse(const IndexUse& use, const ScanCounts& counts) {
  if (use.index == nullptr || registry == nullptr) return;
  SharedIndex* index = use.index->shared;
  if (use.may_map && !use.mapped) use.index->unmapped_pages += counts.buffer_pages;
  CounterValues added = {};
  const auto add = [&](Counter counter, uint64_t count) { added[counter] = static_cast<int64>(count); };
  add(Counter::kScans, counts.scans);
  add(Counter::kTuples, counts.tuples);
  add(Counter::kMappedPages, counts.mapped_pages);
  add(Counter::kBufferPages, counts.buffer_pages);
  add(Counter::kAbsentPages, counts.absent_pages);
  add(Counter::kRetries, counts.retries);
  add(Counter::kFaults, counts.faults);
  add(Counter::kPrefetches, counts.prefetches);
  add(Counter::kPrefetchUs, counts.prefetch_us);
  AddCounts(index, added);
  if (counts.scans > 0) NoteColumnUse(&index->column_use, counts.asked, counts.scans);
}

void DropStaleMappings() {
  ForEach([](RegisteredIndex* index) {
    if (Stale(*index)) LetGo(index);
  });
}

void WakeSessions(IndexKey key) {
  SharedInvalidationMessage message = {};
  message.rc.id = SHAREDINVALRELCACHE_ID;
  message.rc.dbId = key.database;
  message.rc.relId = key.index;
  SendSharedInvalidMessages(&message, 1);
  pg::SignalCatchup(key.database);
}

}  // namespace xtree
