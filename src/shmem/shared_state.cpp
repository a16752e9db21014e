// See shared_state.h.
#include "shmem/shared_state.h"

#include "pg/compat_process.h"
#include "pg/settings.h"
#include "shmem/attempt.h"
#include "shmem/event_log.h"
#include "shmem/hot_pages.h"
#include "shmem/index_table.h"
#include "shmem/successions.h"
#include "shmem/worker_request.h"
#include "storage/freshness.h"

extern "C" {
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
}

namespace xtree {

SharedState* shared = nullptr;

namespace {

bool preloaded = false;
shmem_request_hook_type previous_request_hook = nullptr;
shmem_startup_hook_type previous_startup_hook = nullptr;

// The area's first piece; further ones are segments of their own.
constexpr size_t kAreaBytes = 256 * 1024;

// The segment of servers that did not preload the library. Sessions that loaded another release of it must not meet in it: the number changes
// with anything that lies in shared memory.
constexpr char kSegmentName[] = "xtree statistics 3";

constexpr const char* kTrancheNames[kTrancheCount] = {"XtreeState", "XtreeArea", "XtreeIndexTable", "XtreeHotPages"};

dsa_area* area = nullptr;
dshash_table* index_table = nullptr;

// In this order, those of constant length first: where a part lies does not depend on what a session has for a setting.
size_t RequestsAt() { return MAXALIGN(sizeof(SharedState)); }
size_t EventsAt() { return RequestsAt() + MAXALIGN(sizeof(WorkerRequest) * kWorkerRequests); }
size_t AreaAt() { return EventsAt() + MAXALIGN(EventRingBytes()); }
size_t SuccessionsAt() { return AreaAt() + kAreaBytes; }
size_t HotPagesAt() { return SuccessionsAt() + MAXALIGN(SuccessionTableBytes()); }
size_t BlockBytes() { return HotPagesAt() + MAXALIGN(HotPageTableBytes(settings.max_tracked_pages)); }

uint8_t* Part(size_t at) { return reinterpret_cast<uint8_t*>(shared) + at; }

void RequestMemory() {
  if (previous_request_hook != nullptr) previous_request_hook();
  RequestAddinShmemSpace(BlockBytes() + PG_CACHE_LINE_SIZE);
  RequestAddinShmemSpace(FreshnessBytes(settings.freshness_slots) + PG_CACHE_LINE_SIZE);
}

dshash_parameters TableParameters() {
  return pg::TableOfBytes(sizeof(IndexKey), sizeof(IndexKey) + sizeof(dsa_pointer), shared->tranche[kTrancheTable]);
}

void CreateArea() {
  dsa_area* created = dsa_create_in_place(Part(AreaAt()), kAreaBytes, shared->tranche[kTrancheArea], nullptr);
  dsa_pin(created);
  const dshash_parameters parameters = TableParameters();
  dshash_table* table = dshash_create(created, &parameters, nullptr);
  shared->index_table = dshash_get_hash_table_handle(table);
  dshash_detach(table);
  dsa_detach(created);
}

void Initialize(void* memory) {
  shared = static_cast<SharedState*>(memory);
  memset(static_cast<void*>(shared), 0, sizeof(*shared));
  for (int i = 0; i < kTrancheCount; i++) shared->tranche[i] = pg::NewTranche(kTrancheNames[i]);
  LWLockInitialize(&shared->lock, shared->tranche[kTrancheState]);
  InitializeLatencies(&shared->latencies);
  pg_atomic_init_u64(&shared->private_bytes, 0);
  pg_atomic_init_u64(&shared->mapped_bytes, 0);
  pg_atomic_init_u32(&shared->wanted, 0);
  pg_atomic_init_u32(&shared->entries, 0);
  pg_atomic_init_u32(&shared->sweep_at, 0);
  memset(static_cast<void*>(SharedRequests()), 0, sizeof(WorkerRequest) * kWorkerRequests);
  ConditionVariableInit(&shared->request_done);
  InitializeEventRing(Part(EventsAt()));
  InitializeSuccessionTable(Part(SuccessionsAt()), shared->tranche[kTrancheState]);
  InitializeHotPageTable(Part(HotPagesAt()), settings.max_tracked_pages, shared->tranche[kTrancheHotPages]);
  shared->reset_time = GetCurrentTimestamp();
  CreateArea();
  shared->ready = true;
}

void NameTranches() {
  for (int i = 0; i < kTrancheCount; i++) pg::NameTranche(shared->tranche[i], kTrancheNames[i]);
}

void LayOutMemory() {
  if (previous_startup_hook != nullptr) previous_startup_hook();
  bool found, slots_found;
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  shared = static_cast<SharedState*>(ShmemInitStruct("xtree", BlockBytes(), &found));
  void* slots = ShmemInitStruct("xtree freshness slots", FreshnessBytes(settings.freshness_slots), &slots_found);
  if (!found) Initialize(shared);
  freshness_slots = slots_found ? static_cast<FreshnessSlots*>(slots) : InitializeFreshness(slots, settings.freshness_slots);
  LWLockRelease(AddinShmemInitLock);
  NameTranches();
}

// The pins and tables of a process live as long as it does, whatever transaction attaches first.
void AttachArea() {
  const MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
  if (area == nullptr) {
    area = dsa_attach_in_place(Part(AreaAt()), nullptr);
    dsa_pin_mapping(area);
  }
  const dshash_parameters parameters = TableParameters();
  index_table = dshash_attach(area, &parameters, shared->index_table, nullptr);
  MemoryContextSwitchTo(old);
}

void AttachSegment(void*) {
  shared = static_cast<SharedState*>(pg::NamedSegment(kSegmentName, BlockBytes(), Initialize));
  if (!shared->ready) ereport(ERROR, (errmsg("the segment of shared memory for the statistics of xtree indexes was not laid out")));
  NameTranches();
  AttachArea();
}

}  // namespace

void RequestSharedMemory() {
  preloaded = true;
  previous_request_hook = shmem_request_hook;
  shmem_request_hook = RequestMemory;
  previous_startup_hook = shmem_startup_hook;
  shmem_startup_hook = LayOutMemory;
}

WorkerRequest* SharedRequests() { return reinterpret_cast<WorkerRequest*>(Part(RequestsAt())); }
EventRing* SharedEvents() { return reinterpret_cast<EventRing*>(Part(EventsAt())); }
SuccessionTable* SharedSuccessions() { return reinterpret_cast<SuccessionTable*>(Part(SuccessionsAt())); }
HotPageTable* SharedHotPages() { return reinterpret_cast<HotPageTable*>(Part(HotPagesAt())); }

bool Preloaded() { return preloaded; }

bool AttachShared() {
  if (!pg::kNamedSegments || preloaded || !IsUnderPostmaster || !IsTransactionState()) return false;
  if (AttemptForStatistics(AttachSegment, nullptr)) return true;
  shared = nullptr;
  return false;
}

void WakeWorker() {
  if (!preloaded) return;
  pg_atomic_write_u32(&shared->wanted, 1);
  LWLockAcquire(&shared->lock, LW_SHARED);
  Latch* const latch = shared->worker.pid != 0 ? shared->worker.latch : nullptr;
  if (latch != nullptr) SetLatch(latch);
  LWLockRelease(&shared->lock);
}

void ReleaseLocksOfError() { LWLockReleaseAll(); }

dsa_area* SharedArea() {
  if (index_table == nullptr) AttachArea();
  return area;
}

dshash_table* SharedIndexTable() {
  if (index_table == nullptr) AttachArea();
  return index_table;
}

}  // namespace xtree
