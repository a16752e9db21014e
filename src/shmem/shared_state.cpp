// See shared_state.h.
#include "shmem/shared_state.h"

#include "pg/compat_process.h"
#include "pg/settings.h"
#include "shmem/event_log.h"
#include "shmem/hot_pages.h"
#include "shmem/index_table.h"
#include "shmem/worker_request.h"
#include "storage/freshness.h"

extern "C" {
#include "storage/ipc.h"
#include "storage/shmem.h"
}

namespace xtree {

SharedState* shared = nullptr;

namespace {

shmem_request_hook_type previous_request_hook = nullptr;
shmem_startup_hook_type previous_startup_hook = nullptr;

// The area's first piece; further ones are segments of their own.
constexpr size_t kAreaBytes = 256 * 1024;

constexpr const char* kTrancheNames[kTrancheCount] = {"XtreeState", "XtreeArea", "XtreeIndexTable", "XtreeHotPages"};

dsa_area* area = nullptr;
dshash_table* index_table = nullptr;

size_t StateBytes() { return MAXALIGN(sizeof(SharedState)) + MAXALIGN(sizeof(WorkerRequest) * kWorkerRequests); }

size_t FixedBytes() {
  return StateBytes() + MAXALIGN(EventRingBytes()) + MAXALIGN(HotPageTableBytes(settings.max_tracked_pages)) + kAreaBytes;
}

void RequestMemory() {
  if (previous_request_hook != nullptr) previous_request_hook();
  RequestAddinShmemSpace(FixedBytes() + PG_CACHE_LINE_SIZE);
  RequestAddinShmemSpace(FreshnessBytes(settings.freshness_slots) + PG_CACHE_LINE_SIZE);
}

dshash_parameters TableParameters() {
  return pg::TableOfBytes(sizeof(IndexKey), sizeof(IndexKey) + sizeof(dsa_pointer), shared->tranche_first + kTrancheTable);
}

void CreateArea() {
  dsa_area* created = dsa_create_in_place(shared->area, kAreaBytes, shared->tranche_first + kTrancheArea, nullptr);
  dsa_pin(created);
  const dshash_parameters parameters = TableParameters();
  dshash_table* table = dshash_create(created, &parameters, nullptr);
  shared->index_table = dshash_get_hash_table_handle(table);
  dshash_detach(table);
  dsa_detach(created);
}

void Initialize(uint8_t* memory) {
  memset(shared, 0, sizeof(*shared));
  shared->tranche_first = pg::NewTranches(kTrancheNames);
  LWLockInitialize(&shared->lock, shared->tranche_first + kTrancheState);
  pg_atomic_init_u64(&shared->private_bytes, 0);
  pg_atomic_init_u64(&shared->mapped_bytes, 0);
  pg_atomic_init_u32(&shared->wanted, 0);
  shared->request = reinterpret_cast<WorkerRequest*>(memory + MAXALIGN(sizeof(SharedState)));
  memset(static_cast<void*>(shared->request), 0, sizeof(WorkerRequest) * kWorkerRequests);
  ConditionVariableInit(&shared->request_done);
  memory += StateBytes();
  shared->events = InitializeEventRing(memory);
  memory += MAXALIGN(EventRingBytes());
  shared->hot_pages = InitializeHotPageTable(memory, settings.max_tracked_pages, shared->tranche_first + kTrancheHotPages);
  memory += MAXALIGN(HotPageTableBytes(settings.max_tracked_pages));
  shared->area = memory;
  shared->reset_time = GetCurrentTimestamp();
  CreateArea();
}

void LayOutMemory() {
  if (previous_startup_hook != nullptr) previous_startup_hook();
  bool found, slots_found;
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  shared = static_cast<SharedState*>(ShmemInitStruct("xtree", FixedBytes(), &found));
  void* slots = ShmemInitStruct("xtree freshness slots", FreshnessBytes(settings.freshness_slots), &slots_found);
  if (!found) Initialize(reinterpret_cast<uint8_t*>(shared));
  freshness_slots = slots_found ? static_cast<FreshnessSlots*>(slots) : InitializeFreshness(slots, settings.freshness_slots);
  LWLockRelease(AddinShmemInitLock);
  pg::NameTranches(shared->tranche_first, kTrancheNames);
}

// The pins and tables of a process live as long as it does, whatever transaction attaches first.
void Attach() {
  const MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
  if (area == nullptr) {
    area = dsa_attach_in_place(shared->area, nullptr);
    dsa_pin_mapping(area);
  }
  const dshash_parameters parameters = TableParameters();
  index_table = dshash_attach(area, &parameters, shared->index_table, nullptr);
  MemoryContextSwitchTo(old);
}

}  // namespace

void RequestSharedMemory() {
  previous_request_hook = shmem_request_hook;
  shmem_request_hook = RequestMemory;
  previous_startup_hook = shmem_startup_hook;
  shmem_startup_hook = LayOutMemory;
}

void WakeWorker() {
  if (shared == nullptr) return;
  pg_atomic_write_u32(&shared->wanted, 1);
  LWLockAcquire(&shared->lock, LW_SHARED);
  Latch* const latch = shared->worker.pid != 0 ? shared->worker.latch : nullptr;
  if (latch != nullptr) SetLatch(latch);
  LWLockRelease(&shared->lock);
}

void ReleaseLocksOfError() { LWLockReleaseAll(); }

dsa_area* SharedArea() {
  if (index_table == nullptr) Attach();
  return area;
}

dshash_table* SharedIndexTable() {
  if (index_table == nullptr) Attach();
  return index_table;
}

}  // namespace xtree
