// The library's shared memory: one fixed block, laid out while the server starts, and an area beside it that grows with use.
//
// It exists only with shared_preload_libraries = xtree; without it `shared` is nullptr in every process, nothing is mapped and
// nothing counted. Who may change what: the comments of the members. Locks: `lock` is taken alone.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "lib/dshash.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/s_lock.h"
#include "utils/dsa.h"
#include "utils/timestamp.h"
}

namespace xtree {

struct EventRing;
struct HotPageTable;
struct WorkerRequest;

// What the worker tells of itself. Written by the worker under `lock`.
struct WorkerStatus {
  pid_t pid;       // 0: none runs
  Latch* latch;    // of the running worker
  char state[32];  // what it is doing
  TimestampTz started;
  TimestampTz last_cycle;  // end of it
  int64 cycle_us;          // that it took
  int64 cycles;
  int64 restarts;  // after errors
  char last_error[256];
  TimestampTz last_error_time;
};

// What the worker measured in its last cycle. Written by the worker under `lock`.
struct MemoryStatus {
  int64 resident_bytes;   // pages of index files in the page cache
  int64 pinned_bytes;     // mlock()ed
  int64 memlock_limit;    // RLIMIT_MEMLOCK, -1 unlimited
  int64 pin_failures;     // since start
  char pin_failure[128];  // the last one
  int64 evicted_bytes;    // since start
  int64 admissions;       // since start
};

struct SharedState {
  LWLock lock;
  int tranche_first;  // kTranches consecutive ids of LWLocks
  WorkerStatus worker;
  MemoryStatus memory;
  pg_atomic_uint64 private_bytes;  // that backends' registries hold at the moment
  pg_atomic_uint64 mapped_bytes;   // likewise: address space of mappings
  pg_atomic_uint32 wanted;         // there is something to do for the worker before its nap is over
  WorkerRequest* request;          // kWorkerRequests of them (worker/requests.h), under `lock`
  uint64 requests;                 // posted so far; under `lock`
  ConditionVariable request_done;
  TimestampTz reset_time;
  dshash_table_handle index_table;
  EventRing* events;
  HotPageTable* hot_pages;
  void* area;  // in place
};

extern SharedState* shared;

enum Tranche : int { kTrancheState, kTrancheArea, kTrancheTable, kTrancheHotPages, kTrancheCount };

// Called by _PG_init while the server starts: asks for the memory and installs the hook that lays it out.
void RequestSharedMemory();

// Wakes the worker, if one runs: there is something to admit, load or evict.
void WakeWorker();

// For error handlers and exit callbacks, before they look into the tables. The error may have come from within a look-up, as where there is no
// memory for a new entry: its locks are held until the transaction is aborted, which comes later, and this process would wait for itself for ever.
void ReleaseLocksOfError();

// This process's view of the area, attached at first use. REQUIRES: shared != nullptr.
dsa_area* SharedArea();
dshash_table* SharedIndexTable();

}  // namespace xtree
