// See eviction.h. The page cache of a file can be freed only when no process has it mapped, the worker itself included.
#include "worker/eviction.h"

#include <fcntl.h>

#include "history/index_files.h"
#include "pg/settings.h"
#include "registry/index_registry.h"
#include "shmem/event_log.h"
#include "shmem/hot_pages.h"
#include "shmem/successions.h"
#include "worker/measure.h"
#include "worker/pinning.h"
#include "worker/prediction.h"
#include "worker/worker_process.h"

extern "C" {
#include "storage/fd.h"
}

namespace xtree {

namespace {

constexpr TimestampTz kSignalAgainAfter = USECS_PER_SEC;  // for a session that mapped it just when it was signalled

// Only clean pages can be freed. An error here is the server's: nobody else would hear of it.
void WriteBack(int fd, const char* path) {
  const int failed = enableFsync
                         ? pg_fdatasync(fd)
                         : sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  if (failed != 0 && enableFsync)
    ereport(data_sync_elevel(ERROR), (errcode_for_file_access(), errmsg("could not fsync file \"%s\": %m", path)));
}

// Frees the page cache; returns the bytes that it freed, and what is left. The kernel leaves pages that somebody is just reading or writing.
int64 FreePageCache(SharedIndex* index, const IndexStatus& status, int64* left) {
  constexpr int kTries = 4;
  constexpr long kTryAgainUs = 5000;
  const int64 before = MeasureResident(index);
  ForEachSegmentFile(status.file.locator, O_RDWR, WriteBack);
  for (int i = 0; i < kTries; i++) {
    if (i > 0) pg_usleep(kTryAgainUs);
    DropPageCache(status.file.locator);
    *left = MeasureResident(index);
    if (*left == 0) break;
  }
  return before - *left;
}

void CountUnload(SharedIndex* index, UnloadReason reason, int64 freed) {
  Count(index, reason == UnloadReason::kRequest ? Counter::kUnloads : Counter::kEvictions);
  LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
  shared->memory.evicted_bytes += std::max<int64>(0, freed);
  LWLockRelease(&shared->lock);
}

void FinishUnload(SharedIndex* index, const IndexStatus& status) {
  Unpin(index);
  SaveHotSet(index, status);
  int64 left;
  const int64 freed = FreePageCache(index, status, &left);
  CountUnload(index, status.unload_reason, freed);
  SetState(index, LoadState::kRegistered);
  LogEvent(status.unload_reason == UnloadReason::kRequest ? EventKind::kUnload : EventKind::kEvict, index->key, freed,
           "%s; " INT64_FORMAT " bytes remain in the page cache", NameOf(status.unload_reason), left);
}

// Those that may be evicted, least recently used first: not the warm pool, nothing without memory.
Ranking RankCold(const IndexList& list) {
  Ranking out = RankByUse(list, [](const IndexStatus& status) {
    const bool evictable = status.state == LoadState::kLoaded || (status.state == LoadState::kRegistered && status.resident_bytes > 0);
    return evictable && status.has_file();
  });
  out.count -= std::min(out.count, settings.warm_pool);
  return out;
}

bool InUse(SharedIndex* index) { return pg_atomic_read_u32(&index->running) > 0; }

// An index that is not loaded, but whose file is in the page cache, is just dropped from there.
int64 Evict(const Rank& rank, UnloadReason reason, void (*begun)(SharedIndex*, void*), void* context) {
  if (InUse(rank.index)) return 0;
  if (rank.status.state == LoadState::kLoaded) {
    if (!BeginUnload(rank.index, reason)) return 0;
  } else {
    int64 left;
    FreePageCache(rank.index, rank.status, &left);
  }
  if (begun != nullptr) begun(rank.index, context);
  return rank.status.resident_bytes;
}

void EvictOverQuota(const Ranking& ranking) {
  for (int i = 0; i < ranking.count; i++) {
    const IndexStatus& status = ranking.rank[i].status;
    const int64 quota = status.options.memory_quota_kb;
    if (quota >= 0 && status.resident_bytes > quota * 1024) Evict(ranking.rank[i], UnloadReason::kQuota, nullptr, nullptr);
  }
}

void EvictIdle(const Ranking& ranking, Oid database, int64 idle_us, UnloadReason reason, void (*begun)(SharedIndex*, void*),
               void* context) {
  const TimestampTz now = GetCurrentTimestamp();
  for (int i = 0; i < ranking.count; i++) {
    const Rank& rank = ranking.rank[i];
    if (rank.status.state != LoadState::kLoaded || now - rank.used < idle_us) continue;
    if (reason == UnloadReason::kIdle && IsExpected(rank.index, now)) continue;
    if (database == InvalidOid || database == rank.index->key.database) Evict(rank, reason, begun, context);
  }
}

// What is on its way out needs nothing else to go.
int64 LeavingBytes(const IndexList& list) {
  int64 bytes = 0;
  for (int i = 0; i < list.count; i++) {
    const IndexStatus status = StatusOf(list.index[i]);
    if (status.state == LoadState::kUnloading) bytes += status.resident_bytes;
  }
  return bytes;
}

// True: the file is not the one that the entry names any more. Sets the entry back.
bool LoseFile(SharedIndex* index, const FileIdentity& known) {
  const TimestampTz now = GetCurrentTimestamp();
  SharedIndexLock lock(index);
  if (!(index->file == known)) return false;  // a session found the new one meanwhile
  index->file = FileIdentity{};
  index->admitted = InvalidXLogRecPtr;
  index->blocks = 0;
  index->resident_bytes = 0;
  if (index->state != LoadState::kFailed) index->state = LoadState::kRegistered;
  index->state_since = now;
  pg_atomic_fetch_add_u32(&index->generation, 1);
  return true;
}

// A dropped file has length 0 until the next checkpoint.
void LookAtFile(SharedIndex* index) {
  const IndexStatus status = StatusOf(index);
  if (!status.has_file()) return;
  uint64 blocks;
  const FileIdentity file = IdentifyFile(status.file.locator, &blocks);
  if (file == status.file && blocks > 0) {
    SharedIndexLock lock(index);
    if (index->file == file) index->blocks = blocks;
    return;
  }
  if (!LoseFile(index, status.file)) return;
  Unpin(index);
  ForgetPages(index->key);
  WakeSessions(index->key);
  LogEvent(EventKind::kRemoved, index->key, static_cast<int64>(status.blocks) * kPageSize, "its file is gone or was replaced");
}

}  // namespace

bool BeginUnload(SharedIndex* index, UnloadReason reason) {
  const TimestampTz now = GetCurrentTimestamp();
  {
    SharedIndexLock lock(index);
    if (index->state == LoadState::kUnloading) return true;
    if (index->state != LoadState::kLoaded) return false;
    index->state = LoadState::kUnloading;
    index->state_since = now;
    index->unload_reason = reason;
    pg_atomic_fetch_add_u32(&index->generation, 1);
  }
  Unpin(index);
  // A session that maps it from now on sees the new generation.
  if (pg_atomic_read_u32(&index->mapped_by) > 0) WakeSessions(index->key);
  return true;
}

int FinishUnloads(const IndexList& list) {
  static TimestampTz signalled = 0;
  const TimestampTz now = GetCurrentTimestamp();
  const bool again = now - signalled > kSignalAgainAfter;
  int waiting = 0;
  for (int i = 0; i < list.count; i++) {
    SharedIndex* index = list.index[i];
    const IndexStatus status = StatusOf(index);
    if (status.state != LoadState::kUnloading) continue;
    Breathe();
    if (pg_atomic_read_u32(&index->mapped_by) == 0) {
      FinishUnload(index, status);
      continue;
    }
    waiting++;
    if (again && now - status.state_since > kSignalAgainAfter) WakeSessions(index->key);
  }
  if (again) signalled = now;
  return waiting;
}

void EvictBySettings(const IndexList& list) {
  const Ranking ranking = RankCold(list);
  EvictOverQuota(ranking);
  if (settings.idle_timeout_s > 0)
    EvictIdle(ranking, InvalidOid, settings.idle_timeout_s * USECS_PER_SEC, UnloadReason::kIdle, nullptr, nullptr);
  if (settings.memory_budget_kb < 0) return;
  const int64 budget = settings.memory_budget_kb * INT64CONST(1024);
  const int64 used = MemoryInUse(list) - LeavingBytes(list);
  if (used > budget) UnloadCold(list, used - budget / 10 * 9, UnloadReason::kBudget, nullptr, nullptr);
}

void UnloadCold(const IndexList& list, int64 bytes, UnloadReason reason, void (*begun)(SharedIndex*, void*), void* context) {
  const Ranking ranking = RankCold(list);
  for (int i = 0; i < ranking.count && bytes > 0; i++) bytes -= Evict(ranking.rank[i], reason, begun, context);
}

void UnloadIdle(const IndexList& list, Oid database, int64 idle_us, UnloadReason reason, void (*begun)(SharedIndex*, void*),
                void* context) {
  EvictIdle(RankCold(list), database, idle_us, reason, begun, context);
}

void LetGoOfLostFiles(const IndexList& list) {
  for (int i = 0; i < list.count; i++) LookAtFile(list.index[i]);
}

void RemoveDropped(const IndexList& list) {
  for (int i = 0; i < list.count; i++) {
    SharedIndex* index = list.index[i];
    const IndexStatus status = StatusOf(index);
    if (!status.dropped) continue;
    (void)LoseFile(index, status.file);
    Unpin(index);
    ForgetPages(index->key);
    ForgetSuccessions(index->key);
    RemoveIndexFiles(index->key);
    WakeSessions(index->key);
    LogEvent(EventKind::kRemoved, index->key, static_cast<int64>(status.blocks) * kPageSize, "dropped");
    RemoveSharedIndex(index->key);
  }
}

}  // namespace xtree
