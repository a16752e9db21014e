// See requests.h. A slot goes free -> posted -> serving -> done -> free; a backend that stops waiting frees it at once, or marks it
// abandoned while it is served, so that the worker frees it.
#include "worker/requests.h"

#include "registry/index_registry.h"
#include "shmem/shared_state.h"

extern "C" {
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "utils/wait_event.h"
}

namespace xtree {

namespace {

constexpr long kLookAgainMs = 100;  // whether the worker still runs

class StateLock {
 public:
  StateLock() { LWLockAcquire(&shared->lock, LW_EXCLUSIVE); }
  ~StateLock() { LWLockRelease(&shared->lock); }
  StateLock(const StateLock&) = delete;
};

[[noreturn]] void ReportNoWorker() {
  if (!Preloaded()) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the library xtree was not preloaded"),
                    errhint("Add xtree to shared_preload_libraries and restart the server.")));
  }
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the xtree worker does not run"),
                  errhint("It is started again within seconds, unless max_worker_processes is too low; see the server log.")));
  pg_unreachable();
}

// The slot, or -1: all are taken. *running: is there a worker to serve it?
int Post(RequestKind kind, IndexKey key, int64 amount, bool* running) {
  StateLock lock;
  *running = shared->worker.pid != 0;
  if (!*running) return -1;
  for (int i = 0; i < kWorkerRequests; i++) {
    WorkerRequest* request = &SharedRequests()[i];
    if (request->state != WorkerRequest::kFree) continue;
    *request = WorkerRequest{WorkerRequest::kPosted, ++shared->requests, kind, key, amount, {}};
    return i;
  }
  return -1;
}

void Abandon(int slot) {
  {
    StateLock lock;
    WorkerRequest* request = &SharedRequests()[slot];
    request->state = request->state == WorkerRequest::kServing ? WorkerRequest::kAbandoned : WorkerRequest::kFree;
  }
  ConditionVariableBroadcast(&shared->request_done);
}

void AbandonAtExit(int, Datum slot) { Abandon(DatumGetInt32(slot)); }

// Takes the answer and frees the slot. False: not there yet.
bool TakeAnswer(int slot, RequestAnswer* answer, bool* running) {
  StateLock lock;
  WorkerRequest* request = &SharedRequests()[slot];
  *running = shared->worker.pid != 0;
  if (request->state != WorkerRequest::kDone) return false;
  *answer = request->answer;
  request->state = WorkerRequest::kFree;
  return true;
}

void Sleep() {
  CHECK_FOR_INTERRUPTS();
  DropStaleMappings();  // the request may be about what this backend has mapped itself
  (void)ConditionVariableTimedSleep(&shared->request_done, kLookAgainMs, PG_WAIT_EXTENSION);
}

int PostWhenThereIsRoom(RequestKind kind, IndexKey key, int64 amount) {
  bool running;
  int slot;
  while ((slot = Post(kind, key, amount, &running)) < 0) {
    if (!running) ReportNoWorker();
    Sleep();
  }
  return slot;
}

}  // namespace

RequestAnswer AskWorker(RequestKind kind, IndexKey key, int64 amount) {
  if (!Preloaded()) ReportNoWorker();
  RequestAnswer answer = {};
  ConditionVariablePrepareToSleep(&shared->request_done);
  const int slot = PostWhenThereIsRoom(kind, key, amount);
  PG_ENSURE_ERROR_CLEANUP(AbandonAtExit, Int32GetDatum(slot));
  {
    WakeWorker();
    bool running;
    while (!TakeAnswer(slot, &answer, &running)) {
      if (!running) ReportNoWorker();
      Sleep();
    }
  }
  PG_END_ENSURE_ERROR_CLEANUP(AbandonAtExit, Int32GetDatum(slot));
  ConditionVariableCancelSleep();
  ConditionVariableBroadcast(&shared->request_done);  // there is room for another one
  return answer;
}

bool TakeRequest(int* slot, WorkerRequest* request) {
  StateLock lock;
  *slot = -1;
  for (int i = 0; i < kWorkerRequests; i++) {
    if (SharedRequests()[i].state != WorkerRequest::kPosted) continue;
    if (*slot < 0 || SharedRequests()[i].number < SharedRequests()[*slot].number) *slot = i;
  }
  if (*slot < 0) return false;
  SharedRequests()[*slot].state = WorkerRequest::kServing;
  *request = SharedRequests()[*slot];
  return true;
}

void AnswerRequest(int slot, const RequestAnswer& answer) {
  {
    StateLock lock;
    WorkerRequest* request = &SharedRequests()[slot];
    request->answer = answer;
    request->state = request->state == WorkerRequest::kAbandoned ? WorkerRequest::kFree : WorkerRequest::kDone;
  }
  ConditionVariableBroadcast(&shared->request_done);
}

void AnswerLeftRequests() {
  RequestAnswer answer = {};
  strlcpy(answer.problem, "the worker was restarted while it served the request", sizeof(answer.problem));
  for (int i = 0; i < kWorkerRequests; i++) {
    LWLockAcquire(&shared->lock, LW_SHARED);
    const WorkerRequest::State state = SharedRequests()[i].state;
    LWLockRelease(&shared->lock);
    if (state == WorkerRequest::kServing || state == WorkerRequest::kAbandoned) AnswerRequest(i, answer);
  }
}

}  // namespace xtree
