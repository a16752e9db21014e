// The library's shared memory: one fixed block, and an area beside it that grows with use. Two notions, which are not to be confused:
//
//   Preloaded()  shared_preload_libraries names the library: the block was laid out while the server started, there are a worker and
//                freshness slots, and indexes are mapped
//   Counting()   there is a block to count in. Without preload, from PostgreSQL 17 on, it lies in a dynamic segment, which the first
//                session that uses an index or reads a view makes, and others attach at their first use; no worker, nothing is mapped
//
// `shared` is nullptr in a process that has no block, or has not attached it yet. Who may change what: the comments of the members. Locks: `lock` is
// taken alone.
#pragma once

#include "pg/postgres_api.h"
#include "shmem/latency.h"

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
struct SuccessionTable;
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

enum Tranche : int { kTrancheState, kTrancheArea, kTrancheTable, kTrancheHotPages, kTrancheCount };

struct SharedState {
  LWLock lock;
  bool ready;  // laid out; false: whoever made the segment failed
  int tranche[kTrancheCount];
  WorkerStatus worker;
  MemoryStatus memory;
  LatencyHistograms latencies;     // only with preload
  pg_atomic_uint64 private_bytes;  // that backends' registries hold at the moment
  pg_atomic_uint64 mapped_bytes;   // likewise: address space of mappings
  pg_atomic_uint32 wanted;         // there is something to do for the worker before its nap is over
  pg_atomic_uint32 entries;        // of the index table
  pg_atomic_uint32 sweep_at;       // so many entries, where no worker removes those of dropped indexes (shmem/sweep.h)
  uint64 requests;                 // posted so far; under `lock`
  ConditionVariable request_done;
  TimestampTz reset_time;
  dshash_table_handle index_table;
};

extern SharedState* shared;

// Its other parts. REQUIRES: shared != nullptr.
WorkerRequest* SharedRequests();  // kWorkerRequests of them (worker/requests.h), under `lock`
EventRing* SharedEvents();
HotPageTable* SharedHotPages();
SuccessionTable* SharedSuccessions();

bool Preloaded();

// Attaches the block if this process has not yet. Never raises but for a cancel: where there is no memory nothing is counted, and it is tried again
// a minute later. REQUIRES: a transaction, no LWLock held. After the first time, a look at a pointer.
bool AttachShared();
inline bool Counting() { return likely(shared != nullptr) || AttachShared(); }

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
