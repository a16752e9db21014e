// See worker.h. The worker's frames own nothing that an ERROR would have to destroy: it longjmps to the bottom of xtree_worker_main.
#include "worker/worker.h"

#include <csetjmp>
#include <cstdlib>

#include "worker/build_queue.h"
#include "pg/guard.h"
#include "pg/settings.h"
#include "registry/fault_trap.h"
#include "shmem/event_log.h"
#include "worker/admission.h"
#include "worker/eviction.h"
#include "worker/measure.h"
#include "worker/persistence.h"
#include "worker/pinning.h"
#include "worker/request_service.h"
#include "worker/requests.h"

extern "C" {
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "utils/resowner.h"

PGDLLEXPORT void xtree_worker_main(Datum);
}

namespace xtree {

namespace {

constexpr int kRestartSeconds = 3;
constexpr long kUnloadPollMs = 10;     // while sessions are asked to let go
constexpr long kUnloadSlowMs = 200;    // when one of them takes long
constexpr int kFastPolls = 200;

IndexList held = {};
MemoryContext round_context = nullptr;
TimestampTz next_cycle = 0;
bool serving = false;  // what was saved is restored, so that there is something to save at the end

class StateLock {
 public:
  StateLock() { LWLockAcquire(&shared->lock, LW_EXCLUSIVE); }
  ~StateLock() { LWLockRelease(&shared->lock); }
  StateLock(const StateLock&) = delete;
};

void ClearStatus(int, Datum) {
  StateLock lock;
  shared->worker.pid = 0;
  shared->worker.latch = nullptr;
  strlcpy(shared->worker.state, "not running", sizeof(shared->worker.state));
}

// True: the first worker of this server's life.
bool ShowStart() {
  StateLock lock;
  WorkerStatus* status = &shared->worker;
  const bool first = status->started == 0;
  if (!first) status->restarts++;
  status->pid = MyProcPid;
  status->latch = MyLatch;
  status->started = GetCurrentTimestamp();
  return first;
}

void ShowCycle(TimestampTz begin) {
  const TimestampTz now = GetCurrentTimestamp();
  StateLock lock;
  shared->worker.last_cycle = now;
  shared->worker.cycle_us = now - begin;
  shared->worker.cycles++;
}

void ShowError(const char* message) {
  {
    StateLock lock;
    strlcpy(shared->worker.last_error, message, sizeof(shared->worker.last_error));
    shared->worker.last_error_time = GetCurrentTimestamp();
    shared->worker.restarts++;
  }
  LogEvent(EventKind::kWorker, {}, 0, "error: %s", message);
}

void SetUpProcess() {
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
  pqsignal(SIGUSR1, procsignal_sigusr1_handler);
  CreateAuxProcessResourceOwner();
  pg::JoinProcSignal();
  BackgroundWorkerUnblockSignals();
  InstallFaultHandler();
  SharedIndexTable();  // attached for the life of the process
  round_context = AllocSetContextCreate(TopMemoryContext, "xtree worker", ALLOCSET_DEFAULT_SIZES);
  MemoryContextSwitchTo(round_context);
  before_shmem_exit(ClearStatus, 0);
}

void Cycle(const IndexList& list) {
  const TimestampTz begin = GetCurrentTimestamp();
  ShowActivity("looking at files");
  LetGoOfLostFiles(list);
  ShowActivity("measuring");
  MeasureSome(list);
  ShowActivity("evicting");
  EvictBySettings(list);
  ShowActivity("pinning");
  RenewPins(list);
  SavePreloadList(list);
  ShowMemory(list);
  ShowCycle(begin);
}

// Returns how many indexes still wait for sessions to let go of them.
int Round() {
  pg_atomic_write_u32(&shared->wanted, 0);
  const IndexList& list = HoldIndexes();
  RemoveDropped(list);
  ShowActivity("loading");
  LoadWaiting(list);
  ServeRequests(list);
  StartBuilds(list);
  if (GetCurrentTimestamp() >= next_cycle) {
    Cycle(list);
    next_cycle = GetCurrentTimestamp() + INT64CONST(1000) * settings.naptime_ms;
  }
  const int unloading = FinishUnloads(list);
  AnswerRequests();
  ReleaseIndexes();
  pg::CloseAllStorage();
  pgstat_report_wal(true);
  ShowActivity("idle");
  return unloading;
}

void Nap(int unloading) {
  static int polls = 0;
  polls = unloading > 0 ? polls + 1 : 0;
  long timeout = std::max<long>(0, static_cast<long>((next_cycle - GetCurrentTimestamp()) / 1000));
  timeout = std::min<long>(timeout, settings.naptime_ms);
  if (unloading > 0) timeout = std::min(timeout, polls < kFastPolls ? kUnloadPollMs : kUnloadSlowMs);
  if (pg_atomic_read_u32(&shared->wanted) != 0) return;
  (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, timeout, PG_WAIT_EXTENSION);
  ResetLatch(MyLatch);
}

// The bottom of the process, reached by an ERROR: as much of an abort as there is to do.
void HandleError() {
  error_context_stack = nullptr;
  HOLD_INTERRUPTS();
  EmitErrorReport();
  ReleaseAfterError();
  MemoryContextSwitchTo(round_context);
  const ErrorData* const error = CopyErrorData();
  FlushErrorState();
  ReleaseIndexes();
  ShowError(error->message != nullptr ? error->message : "unknown");
  MemoryContextReset(round_context);
  RESUME_INTERRUPTS();
  pg::CloseAllStorage();
  pgstat_report_wait_end();
}

// An error is likely to come again.
void PauseAfterError() {
  const TimestampTz until = GetCurrentTimestamp() + USECS_PER_SEC;
  for (;;) {
    Breathe();
    const long left = static_cast<long>((until - GetCurrentTimestamp()) / 1000);
    if (left <= 0) return;
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
  }
}

void Run() {
  for (;;) {
    Breathe();
    MemoryContextReset(round_context);
    Guarded([] { XTREE_STOP_POINT("worker-round"); });
    Nap(Round());
  }
}

bool Before(IndexKey a, IndexKey b) { return a.database != b.database ? a.database < b.database : a.index < b.index; }

struct Collected {
  IndexList* list;
  bool out_of_memory;
};

void Collect(SharedIndex* index, void* context) {
  IndexList* list = static_cast<Collected*>(context)->list;
  if (list->count == list->room) {
    const int room = std::max(64, list->room * 2);
    auto** grown = static_cast<SharedIndex**>(realloc(list->index, sizeof(SharedIndex*) * room));
    if (grown == nullptr) {
      static_cast<Collected*>(context)->out_of_memory = true;
      return;
    }
    list->index = grown;
    list->room = room;
  }
  pg_atomic_fetch_add_u32(&index->references, 1);
  list->index[list->count++] = index;
}

}  // namespace

void Breathe() {
  CHECK_FOR_INTERRUPTS();
  if (ConfigReloadPending) {
    ConfigReloadPending = false;
    const MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
    ProcessConfigFile(PGC_SIGHUP);
    MemoryContextSwitchTo(old);
    next_cycle = 0;
  }
  if (!ShutdownRequestPending) return;
  if (serving) SaveStatistics();
  proc_exit(1);  // 0 would mean: not to be started again
}

void ReleaseAfterError() {
  LWLockReleaseAll();
  ConditionVariableCancelSleep();
  DisarmPage(0);
  AbortBufferIO();
  UnlockBuffers();
  ReleaseAuxProcessResources(false);
  AtEOXact_Buffers(false);
  AtEOXact_SMgr();
  AtEOXact_Files(false);
  AtEOXact_HashTables(false);
}

void ShowActivity(const char* what) {
  StateLock lock;
  strlcpy(shared->worker.state, what, sizeof(shared->worker.state));
}

SharedIndex* IndexList::Find(IndexKey key) const {
  SharedIndex** const end = index + count;
  SharedIndex** const found = std::lower_bound(index, end, key, [](const SharedIndex* a, IndexKey b) { return Before(a->key, b); });
  return found != end && !Before(key, (*found)->key) ? *found : nullptr;
}

const IndexList& HoldIndexes() {
  ReleaseIndexes();
  Collected collected = {&held, false};
  ForEachSharedIndex(Collect, &collected);
  if (collected.out_of_memory) ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
  std::sort(held.index, held.index + held.count, [](const SharedIndex* a, const SharedIndex* b) { return Before(a->key, b->key); });
  return held;
}

void ReleaseIndexes() {
  while (held.count > 0) ReleaseSharedIndex(held.index[--held.count]);
}

IndexStatus StatusOf(SharedIndex* index) {
  SharedIndexLock lock(index);
  return {index->state,      index->dropped,     index->file,          index->blocks,         index->admitted,    index->options,
          index->strategy,   index->state_since, index->unload_reason, index->resident_bytes, index->pinned_bytes};
}

TimestampTz LastUse(SharedIndex* index, const IndexStatus& status) {
  const TimestampTz last_access = static_cast<TimestampTz>(pg_atomic_read_u64(&index->last_access));
  return status.state == LoadState::kLoaded ? std::max(last_access, status.state_since) : last_access;
}

void RegisterWorker() {
  BackgroundWorker worker = {};
  strlcpy(worker.bgw_name, "xtree worker", sizeof(worker.bgw_name));
  strlcpy(worker.bgw_type, "xtree worker", sizeof(worker.bgw_type));
  strlcpy(worker.bgw_library_name, "xtree", sizeof(worker.bgw_library_name));
  strlcpy(worker.bgw_function_name, "xtree_worker_main", sizeof(worker.bgw_function_name));
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
  worker.bgw_start_time = BgWorkerStart_ConsistentState;
  worker.bgw_restart_time = kRestartSeconds;
  RegisterBackgroundWorker(&worker);
}

}  // namespace xtree

extern "C" void xtree_worker_main(Datum) {
  using namespace xtree;
  SetUpProcess();
  const bool first = ShowStart();
  sigjmp_buf bottom;
  volatile bool failed = false, tried = false;
  if (sigsetjmp(bottom, 1) != 0) {
    HandleError();
    failed = true;
  }
  PG_exception_stack = &bottom;
  BackgroundWorkerUnblockSignals();
  if (failed) {
    failed = false;
    PauseAfterError();
  }
  if (first && !tried) {
    tried = true;  // once: counters must not be added twice
    RestoreIndexes();
  }
  if (!serving) AnswerLeftRequests();
  serving = true;
  Run();
}
