// See worker_process.h.
#include "worker/worker_process.h"

#include "pg/compat_process.h"
#include "registry/fault_trap.h"
#include "shmem/event_log.h"

extern "C" {
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "utils/resowner.h"
}

namespace xtree {

namespace {

bool reloaded = false;
void (*at_shutdown)() = nullptr;

class StateLock {
 public:
  StateLock() { LWLockAcquire(&shared->lock, LW_EXCLUSIVE); }
  ~StateLock() { LWLockRelease(&shared->lock); }
  StateLock(const StateLock&) = delete;
};

void ClearStatus(int, Datum) {
  ReleaseLocksOfError();
  StateLock lock;
  shared->worker.pid = 0;
  shared->worker.latch = nullptr;
  strlcpy(shared->worker.state, "not running", sizeof(shared->worker.state));
}

}  // namespace

void SetUpProcess() {
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
  pqsignal(SIGUSR1, procsignal_sigusr1_handler);
  CreateAuxProcessResourceOwner();
  pg::JoinProcSignal();
  BackgroundWorkerUnblockSignals();
  InstallFaultHandler();
  SharedIndexTable();  // attached for the life of the process
  before_shmem_exit(ClearStatus, 0);
}

void Breathe() {
  CHECK_FOR_INTERRUPTS();
  if (ConfigReloadPending) {
    ConfigReloadPending = false;
    const MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
    ProcessConfigFile(PGC_SIGHUP);
    MemoryContextSwitchTo(old);
    reloaded = true;
  }
  if (!ShutdownRequestPending) return;
  if (at_shutdown != nullptr) at_shutdown();
  proc_exit(1);  // 0 would mean: not to be started again
}

bool TakeReload() { return std::exchange(reloaded, false); }

void AtShutdown(void (*function)()) { at_shutdown = function; }

void ReleaseAfterError() {
  LWLockReleaseAll();
  ConditionVariableCancelSleep();
  DisarmPage(0);
  pg::AbortIo();
  UnlockBuffers();
  ReleaseAuxProcessResources(false);
  AtEOXact_Buffers(false);
  AtEOXact_SMgr();
  AtEOXact_Files(false);
  AtEOXact_HashTables(false);
}

bool ShowStart() {
  const TimestampTz now = GetCurrentTimestamp();
  StateLock lock;
  WorkerStatus* status = &shared->worker;
  const bool first = status->started == 0;
  if (!first) status->restarts++;
  status->pid = MyProcPid;
  status->latch = MyLatch;
  status->started = now;
  return first;
}

void ShowActivity(const char* what) {
  StateLock lock;
  strlcpy(shared->worker.state, what, sizeof(shared->worker.state));
}

void ShowCycle(TimestampTz begin) {
  const TimestampTz now = GetCurrentTimestamp();
  StateLock lock;
  shared->worker.last_cycle = now;
  shared->worker.cycle_us = now - begin;
  shared->worker.cycles++;
}

void ShowError(const char* message) {
  const TimestampTz now = GetCurrentTimestamp();
  {
    StateLock lock;
    strlcpy(shared->worker.last_error, message, sizeof(shared->worker.last_error));
    shared->worker.last_error_time = now;
    shared->worker.restarts++;
  }
  LogEvent(EventKind::kWorker, {}, 0, "error: %s", message);
}

}  // namespace xtree
