// See request_service.h. A request to unload is answered when the indexes are let go of, or after a while with how many are not.
#include "worker/request_service.h"

#include "worker/admission.h"
#include "worker/eviction.h"
#include "worker/pinning.h"
#include "worker/requests.h"
#include "worker/worker_process.h"

namespace xtree {

namespace {

constexpr TimestampTz kPatience = 2 * USECS_PER_SEC;
constexpr char kErrorCame[] = "an error came; see the server log";  // the answer to a request that an ERROR ended

// What one request began to unload.
struct Begun {
  SharedIndex* index;  // with a reference
  int64 before;        // resident bytes
};

struct Service {
  bool active;
  TimestampTz give_up;
  RequestAnswer answer;
  Begun* begun;  // in `context`
  int count;
  int room;
};

Service services[kWorkerRequests];
MemoryContext context = nullptr;

void NoteBegun(SharedIndex* index, void* argument) {
  auto* service = static_cast<Service*>(argument);
  if (service->count == service->room) {
    const int room = std::max(8, service->room * 2);
    const size_t bytes = sizeof(Begun) * room;
    service->begun =
        static_cast<Begun*>(service->begun == nullptr ? MemoryContextAllocHuge(context, bytes) : repalloc_huge(service->begun, bytes));
    service->room = room;
  }
  pg_atomic_fetch_add_u32(&index->references, 1);
  service->begun[service->count++] = {index, StatusOf(index).resident_bytes};
}

void Problem(Service* service, const char* text) { strlcpy(service->answer.problem, text, sizeof(service->answer.problem)); }

void ServeLoad(SharedIndex* index, const IndexList& list, Service* service) {
  {
    const TimestampTz now = GetCurrentTimestamp();
    SharedIndexLock lock(index);
    const bool idle = index->state == LoadState::kRegistered || index->state == LoadState::kFailed;
    if (idle && index->file.inode != 0) {
      index->state = LoadState::kLoading;
      index->state_since = now;
    }
  }
  LoadWaiting(list);
  const IndexStatus status = StatusOf(index);
  if (status.state == LoadState::kLoaded) {
    service->answer.indexes = 1;
    service->answer.bytes = static_cast<int64>(status.blocks) * kPageSize;
    return;
  }
  SharedIndexLock lock(index);
  strlcpy(service->answer.problem, status.state == LoadState::kFailed ? index->last_error : "it cannot be loaded now",
          sizeof(service->answer.problem));
}

void ServeUnpin(const IndexList& list, IndexKey key, Service* service) {
  for (int i = 0; i < list.count; i++) {
    SharedIndex* index = list.index[i];
    const bool meant = key.index == InvalidOid || key.index == index->key.index;
    if (!meant || key.database != index->key.database || StatusOf(index).state != LoadState::kLoaded) continue;
    const int64 bytes = UnpinUntilLoaded(index);
    service->answer.bytes += bytes;
    service->answer.indexes += bytes > 0;
  }
}

void ServeOne(const IndexList& list, const WorkerRequest& request, Service* service) {
  const bool by_index = request.kind == RequestKind::kLoad || request.kind == RequestKind::kUnload;
  SharedIndex* index = list.Find(request.key);
  if (by_index && index == nullptr) index = HoldIndexes().Find(request.key);  // first used since the round began
  if (by_index && index == nullptr) {
    if (request.kind == RequestKind::kLoad) Problem(service, "no session has used it");
    return;
  }
  switch (request.kind) {
    case RequestKind::kLoad:
      ServeLoad(index, list, service);
      break;
    case RequestKind::kUnload:
      if (BeginUnload(index, UnloadReason::kRequest)) NoteBegun(index, service);
      break;
    case RequestKind::kUnloadCold:
      UnloadCold(list, request.amount, UnloadReason::kRequest, NoteBegun, service);
      break;
    case RequestKind::kUnloadIdle:
      UnloadIdle(list, request.key.database, request.amount, UnloadReason::kRequest, NoteBegun, service);
      break;
    case RequestKind::kPinHot:
      service->answer.bytes = PinHottest(list, request.amount, &service->answer.indexes);
      break;
    case RequestKind::kUnpin:
      ServeUnpin(list, request.key, service);
      break;
  }
}

void Answer(int slot) {
  Service* service = &services[slot];
  for (int i = 0; i < service->count; i++) {
    const Begun& begun = service->begun[i];
    const IndexStatus status = StatusOf(begun.index);
    service->answer.indexes++;
    service->answer.waiting += status.state == LoadState::kUnloading;
    if (status.state != LoadState::kUnloading) service->answer.bytes += std::max<int64>(0, begun.before - status.resident_bytes);
    ReleaseSharedIndex(begun.index);
  }
  if (service->begun != nullptr) pfree(service->begun);
  const RequestAnswer answer = service->answer;
  *service = Service{};
  AnswerRequest(slot, answer);
}

bool Waiting(const Service& service) {
  for (int i = 0; i < service.count; i++) {
    if (StatusOf(service.begun[i].index).state == LoadState::kUnloading) return true;
  }
  return false;
}

}  // namespace

void ServeRequests(const IndexList& list) {
  if (context == nullptr) context = AllocSetContextCreate(TopMemoryContext, "xtree requests", ALLOCSET_DEFAULT_SIZES);
  int slot;
  WorkerRequest request;
  while (TakeRequest(&slot, &request)) {
    Service* service = &services[slot];
    *service = Service{};
    service->active = true;
    service->give_up = GetCurrentTimestamp() + kPatience;
    Problem(service, kErrorCame);
    ServeOne(list, request, service);
    if (strcmp(service->answer.problem, kErrorCame) == 0) service->answer.problem[0] = '\0';
    Breathe();
  }
}

void AnswerRequests() {
  for (int slot = 0; slot < kWorkerRequests; slot++) {
    const Service& service = services[slot];
    if (service.active && (!Waiting(service) || GetCurrentTimestamp() > service.give_up)) Answer(slot);
  }
}

}  // namespace xtree
