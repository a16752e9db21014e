// See worker.h: the main loop. The worker's frames own nothing that an ERROR would have to destroy: it longjmps to the bottom of
// xtree_worker_main.
#include "worker/worker.h"

#include <csetjmp>

#include "pg/compat.h"
#include "pg/guard.h"
#include "pg/settings.h"
#include "testing/stop_point.h"
#include "worker/admission.h"
#include "worker/build_queue.h"
#include "worker/eviction.h"
#include "worker/held_indexes.h"
#include "worker/measure.h"
#include "worker/persistence.h"
#include "worker/pinning.h"
#include "worker/prediction.h"
#include "worker/request_service.h"
#include "worker/requests.h"
#include "worker/sampling.h"
#include "worker/worker_process.h"

extern "C" {
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "utils/wait_event.h"

PGDLLEXPORT void xtree_worker_main(Datum);
}

namespace xtree {

namespace {

constexpr int kRestartSeconds = 3;
constexpr long kUnloadPollMs = 10;   // while sessions are asked to let go
constexpr long kUnloadSlowMs = 200;  // when one of them takes long
constexpr int kFastPolls = 200;

MemoryContext round_context = nullptr;
TimestampTz next_cycle = 0;

void CreateRoundContext() {
  round_context = AllocSetContextCreate(TopMemoryContext, "xtree worker", ALLOCSET_DEFAULT_SIZES);
  MemoryContextSwitchTo(round_context);
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
  ShowActivity("sampling");
  SampleSome(list);
  LoadExpected(list);
  SaveHotSetsNowAndThen(list);
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
  if (TakeReload()) next_cycle = 0;
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
  pg::HoldInterrupts();
  EmitErrorReport();
  ReleaseAfterError();
  MemoryContextSwitchTo(round_context);
  const ErrorData* const error = CopyErrorData();
  FlushErrorState();
  ReleaseIndexes();
  ShowError(error->message != nullptr ? error->message : "unknown");
  MemoryContextReset(round_context);
  pg::ResumeInterrupts();
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

void SaveAll() {
  SaveStatistics();
  SaveHotSets(HoldIndexes());
  ReleaseIndexes();
}

void Run() {
  for (;;) {
    Breathe();
    MemoryContextReset(round_context);
    Guarded([] { XTREE_STOP_POINT("worker-round"); });
    Nap(Round());
  }
}

}  // namespace

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
  CreateRoundContext();
  const bool first = ShowStart();
  sigjmp_buf bottom;
  volatile bool failed = false, tried = false, serving = false;
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
    RestoreHotSets();
  }
  if (!serving) AnswerLeftRequests();
  serving = true;
  AtShutdown(SaveAll);  // what was saved is restored, so that there is something to save
  Run();
}
