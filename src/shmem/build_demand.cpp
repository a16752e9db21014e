// See build_demand.h.
#include "shmem/build_demand.h"

#include "shmem/event_log.h"

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
}

namespace xtree {

namespace {

constexpr int64 kFirstPause = USECS_PER_SEC;
constexpr int64 kLongestPause = INT64CONST(3600) * USECS_PER_SEC;

// Doubled with each attempt that came to nothing.
int64 PauseAfter(int attempts) { return attempts > 12 ? kLongestPause : std::min(kLongestPause, kFirstPause << (attempts - 1)); }

// Was this the first time in this statement?
bool FirstInStatement(Oid index) {
  static Oid last_index = InvalidOid;
  static TimestampTz last_statement = 0;
  const TimestampTz statement = GetCurrentStatementStartTimestamp();
  if (index == last_index && statement == last_statement) return false;
  last_index = index;
  last_statement = statement;
  return true;
}

// change(status) under the mutex of the index's entry, if there is one.
template <class Change>
void ChangeStatus(IndexKey key, Change&& change) {
  if (shared == nullptr) return;
  SharedIndex* index = FindSharedIndex(key);
  if (index == nullptr) return;
  {
    SharedIndexLock lock(index);
    change(index);
  }
  ReleaseSharedIndex(index);
}

// What no query asked for, as when xtree_build() was ended, is not tried again; nor is anything where there is no worker.
void Pause(SharedBuildStatus* build, SharedBuildStage stage, TimestampTz now) {
  const bool to_be_tried = Preloaded() && build->demand > 0;
  build->stage = stage == SharedBuildStage::kQueued && !to_be_tried ? SharedBuildStage::kNone : stage;
  build->pid = 0;
  build->attempts++;
  build->next_try = now + PauseAfter(build->attempts);
}

}  // namespace

void NoteDemand(Oid table, Oid index) {
  if (RecoveryInProgress() || !FirstInStatement(index) || !Counting()) return;
  SharedIndex* entry = AcquireToCount({MyDatabaseId, index});
  if (entry == nullptr) return;
  const TimestampTz now = GetCurrentTimestamp();
  bool queued = false;
  {
    SharedIndexLock lock(entry);
    SharedBuildStatus* build = &entry->build;
    build->demand++;
    build->table = table;
    if (!Preloaded()) {
      // counted: nobody takes it from a queue
    } else if (build->stage == SharedBuildStage::kNone || (build->stage == SharedBuildStage::kFailed && now >= build->next_try)) {
      build->stage = SharedBuildStage::kQueued;
      build->asked = now;
      queued = true;
    }
  }
  ReleaseSharedIndex(entry);
  if (queued) WakeWorker();
}

void NoteBuildBegin(IndexKey key) {
  if (!Counting()) return;
  SharedIndex* entry = AcquireToCount(key);
  if (entry == nullptr) return;
  ReleaseSharedIndex(entry);
  ChangeStatus(key, [](SharedIndex* index) {
    index->build.stage = SharedBuildStage::kBuilding;
    index->build.pid = MyProcPid;
  });
  LogEvent(EventKind::kBuild, key, 0, "begun");
}

void NoteBuilt(IndexKey key, int64 bytes) {
  ChangeStatus(key, [](SharedIndex* index) { index->build = {}; });
  LogEvent(EventKind::kBuild, key, bytes, "built");
}

void NoteNothingToBuild(IndexKey key) {
  ChangeStatus(key, [](SharedIndex* index) { index->build = {}; });
}

void NoteGaveWay(IndexKey key, const char* reason) {
  const TimestampTz now = GetCurrentTimestamp();
  ChangeStatus(key, [=](SharedIndex* index) { Pause(&index->build, SharedBuildStage::kQueued, now); });
  LogEvent(EventKind::kBuild, key, 0, "put off: %s", reason);
}

void NoteBuildFailure(IndexKey key, const char* message) {
  const TimestampTz now = GetCurrentTimestamp();
  ChangeStatus(key, [=](SharedIndex* index) {
    Pause(&index->build, SharedBuildStage::kFailed, now);
    strlcpy(index->last_error, message, sizeof(index->last_error));
    index->last_error_time = now;
  });
  LogEvent(EventKind::kFailure, key, 0, "not built: %s", message);
}

void NoteBuildInterrupted(IndexKey key) {
  bool building = false;
  ChangeStatus(key,
               [&](SharedIndex* index) { building = index->build.stage == SharedBuildStage::kBuilding && index->build.pid == MyProcPid; });
  if (building) NoteGaveWay(key, "its process was told to end");
}

SharedBuildStatus SharedBuildStatusOf(SharedIndex* index) {
  SharedIndexLock lock(index);
  return index->build;
}

}  // namespace xtree
