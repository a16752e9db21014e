// See build_queue.h. What runs is known by handles of this process; a worker that was started anew does not know those
// of its predecessor, which come to their end all the same.
#include "worker/build_queue.h"

#include "pg/settings.h"
#include "shmem/build_demand.h"
#include "shmem/event_log.h"

extern "C" {
#include "postmaster/bgworker.h"
}

namespace xtree {

namespace {

constexpr int kMostBuilds = 64;  // the upper bound of xtree.max_build_workers

struct RunningBuild {
  IndexKey key;
  Oid table;
  BackgroundWorkerHandle* handle;  // nullptr: a free place
};

RunningBuild running[kMostBuilds];
bool out_of_places = false;  // of max_worker_processes; reported once

// Is an index of this table, perhaps the very one, being built? A build locks the table against others.
bool Occupied(Oid database, Oid table) {
  return std::any_of(std::begin(running), std::end(running), [=](const RunningBuild& build) {
    return build.handle != nullptr && build.key.database == database && build.table == table;
  });
}

// One that ended without a word, as when its database lets nobody in, must not be started again and again.
void LookAfterEnd(IndexKey key) {
  SharedIndex* index = FindSharedIndex(key);
  if (index == nullptr) return;
  const SharedBuildStatus status = SharedBuildStatusOf(index);
  ReleaseSharedIndex(index);
  if (status.stage == SharedBuildStage::kQueued && status.next_try == 0)
    NoteBuildFailure(key, "the process that should build it could not begin; see the server log");
}

// Returns how many still run.
int Reap() {
  int count = 0;
  for (RunningBuild& build : running) {
    if (build.handle == nullptr) continue;
    pid_t pid;
    if (GetBackgroundWorkerPid(build.handle, &pid) != BGWH_STOPPED) {
      count++;
      continue;
    }
    pfree(build.handle);
    build.handle = nullptr;
    LookAfterEnd(build.key);
  }
  return count;
}

// The queued index that most queries have asked for, among equals the one that was asked for first; nullptr: none.
SharedIndex* MostWanted(const IndexList& list) {
  const TimestampTz now = GetCurrentTimestamp();
  SharedIndex* best = nullptr;
  SharedBuildStatus best_status = {};
  for (int i = 0; i < list.count; i++) {
    const SharedBuildStatus status = SharedBuildStatusOf(list.index[i]);
    if (status.stage != SharedBuildStage::kQueued || status.next_try > now || Occupied(list.index[i]->key.database, status.table)) continue;
    if (best != nullptr &&
        (status.demand < best_status.demand || (status.demand == best_status.demand && status.asked >= best_status.asked)))
      continue;
    best = list.index[i];
    best_status = status;
  }
  return best;
}

BackgroundWorkerHandle* Launch(IndexKey key) {
  BackgroundWorker worker = {};
  strlcpy(worker.bgw_name, "xtree build", sizeof(worker.bgw_name));
  strlcpy(worker.bgw_type, "xtree build", sizeof(worker.bgw_type));
  strlcpy(worker.bgw_library_name, "xtree", sizeof(worker.bgw_library_name));
  strlcpy(worker.bgw_function_name, "xtree_build_main", sizeof(worker.bgw_function_name));
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = BGW_NEVER_RESTART;
  worker.bgw_notify_pid = MyProcPid;
  static_assert(sizeof(IndexKey) <= sizeof(worker.bgw_extra));
  memcpy(worker.bgw_extra, &key, sizeof(key));
  const MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
  BackgroundWorkerHandle* handle = nullptr;
  const bool launched = RegisterDynamicBackgroundWorker(&worker, &handle);
  MemoryContextSwitchTo(old);
  return launched ? handle : nullptr;
}

bool Start(IndexKey key, Oid table) {
  RunningBuild* place =
      std::find_if(std::begin(running), std::end(running), [](const RunningBuild& build) { return build.handle == nullptr; });
  *place = {key, table, Launch(key)};
  if (place->handle == nullptr && !out_of_places)
    LogEvent(EventKind::kWorker, key, 0, "no process for a deferred build: max_worker_processes are in use");
  out_of_places = place->handle == nullptr;
  return !out_of_places;
}

}  // namespace

void StartBuilds(const IndexList& list) {
  int count = Reap();
  if (RecoveryInProgress()) return;
  for (; count < settings.max_build_workers; count++) {
    SharedIndex* index = MostWanted(list);
    if (index == nullptr || !Start(index->key, SharedBuildStatusOf(index).table)) return;
  }
}

}  // namespace xtree
