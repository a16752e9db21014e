// The shared index table: one entry per xtree index that somebody has used since the server started (or that a clean shutdown
// remembered), in a dshash table that grows on demand. An untouched index has none.
//
// An entry (SharedIndex) stays where it is as long as somebody holds a reference; the worker removes those whose index is gone, or sessions do
// where there is none (shmem/sweep.h).
// Locking: counters are atomics that anybody adds to; the rest under the entry's spinlock `mutex`, a few stores at a time, no call
// in between.
#pragma once

#include <sys/types.h>

#include <compare>

#include "pg/compat.h"
#include "shmem/column_use.h"
#include "shmem/index_counters.h"
#include "shmem/shared_state.h"

namespace xtree {

struct IndexKey {
  Oid database;
  Oid index;

  friend auto operator<=>(const IndexKey&, const IndexKey&) = default;  // by database, then by index
};

// The life of an index as the whole server sees it (README.md, "Life of an index").
enum class LoadState : int {
  kRegistered,  // nobody has it, nothing is kept of it
  kLoading,     // somebody asked for it; the worker has not admitted it yet
  kLoaded,      // backends map it
  kUnloading,   // backends are asked to let it go
  kFailed,      // loading failed; tried again at the next access
};
const char* NameOf(LoadState state);

enum class Strategy : int {
  kAuto,      // as an option only: by size
  kResident,  // populated when it is loaded; every page may be pinned
  kPaged,     // mapped on demand; directory pages are kept hot
  kStreamed,  // leaves are advised ahead and released behind
};
const char* NameOf(Strategy strategy);

// Which file an index lives in, and that it is that file and not another of its name.
struct FileIdentity {
  pg::FileLocator locator;
  dev_t device;
  ino_t inode;  // of the first segment; 0: not known

  bool Names(const pg::FileLocator& other) const { return memcmp(&locator, &other, sizeof(locator)) == 0; }
  bool operator==(const FileIdentity& o) const { return Names(o.locator) && device == o.device && inode == o.inode; }
};

// Why the worker has an index let go.
enum class UnloadReason : int { kIdle, kBudget, kQuota, kRequest };
const char* NameOf(UnloadReason reason);

// Storage parameters that the worker needs, as the last backend that loaded the index found them.
struct LoadOptions {
  Strategy strategy;
  bool preload;
  int memory_quota_kb;  // -1: none
};

// What is done about a deferred index (shmem/build_demand.h).
enum class SharedBuildStage : int { kNone, kQueued, kBuilding, kFailed };
const char* NameOf(SharedBuildStage stage);

struct SharedBuildStatus {
  SharedBuildStage stage;
  Oid table;
  pid_t pid;             // of the builder
  int attempts;          // that came to nothing, since the index was last built
  uint64 demand;         // queries that would have used the index, likewise
  TimestampTz asked;     // when it was queued
  TimestampTz next_try;  // no attempt before; 0: at once
};

struct SharedIndex {
  IndexKey key;  // constant
  dsa_pointer self;

  pg_atomic_uint32 references;  // of backends and the worker; the table's own counts
  pg_atomic_uint32 mapped_by;   // backends that have it mapped
  pg_atomic_uint32 running;     // scans that go on now, through a mapping or not
  // Raised when mappings must go: a backend whose mapping is of another generation drops it as soon as no scan of it uses it.
  pg_atomic_uint32 generation;

  IndexCounters counters;  // unless the server keeps them
  ColumnUse column_use;
  pg_atomic_uint64 last_access;  // TimestampTz; 0: never

  slock_t mutex;  // guards what follows
  LoadState state;
  bool dropped;  // by a committed transaction, or its file is gone
  FileIdentity file;
  uint64 blocks;        // of the file, as last seen
  XLogRecPtr admitted;  // F_rel: every change up to here is in the file; 0: not admitted
  LoadOptions options;
  Oid table;          // that it is on, as the last backend that loaded it found it
  Strategy strategy;  // in force
  TimestampTz first_access;
  TimestampTz state_since;
  UnloadReason unload_reason;  // of state kUnloading
  int64 load_us;               // from the first access to the admission, of the last load
  int64 resident_bytes;        // in the page cache, by mincore()
  int64 pinned_bytes;
  int failures;  // to load it, one after the other
  char last_error[192];
  TimestampTz last_error_time;
  SharedBuildStatus build;
  TimestampTz sampled;  // when the last sample of its history was taken, by this server since it started
  // By its history, in use again from then to then: it is loaded ahead, and not evicted for idleness meanwhile. 0: nothing is expected.
  TimestampTz expected_from, expected_until;
  bool load_ahead;  // of state kLoading: nobody has asked for it yet, so that its hot pages are read in as well
};

// Has anybody scanned or loaded the index? An entry may be there only because queries asked for it to be built.
bool WasUsed(SharedIndex* index);

// The entry of an index, found or made, with a reference for the caller. REQUIRES: shared != nullptr. May raise.
SharedIndex* AcquireSharedIndex(IndexKey key);
// The same for counting alone: nullptr where there is no memory for it, unless the library was preloaded. REQUIRES: a transaction, no LWLock held.
SharedIndex* AcquireToCount(IndexKey key);
// The entry with a reference, or nullptr where there is none.
SharedIndex* FindSharedIndex(IndexKey key);
// Gives the reference back. Never raises.
void ReleaseSharedIndex(SharedIndex* index);

// Calls visit(entry) for each entry, under the table's locks: visit must be short, and must not raise or touch the table.
void ForEachSharedIndex(void (*visit)(SharedIndex* index, void* context), void* context);

// Removes the entry from the table; its memory lives on until the last reference is gone.
void RemoveSharedIndex(IndexKey key);

// The same, unless somebody holds a reference. True: it was there, and is not any more.
bool RemoveUnreferenced(IndexKey key);

// For the fields under `mutex`.
class SharedIndexLock {
 public:
  explicit SharedIndexLock(SharedIndex* index) : mutex_(&index->mutex) { SpinLockAcquire(mutex_); }
  ~SharedIndexLock() { SpinLockRelease(mutex_); }
  SharedIndexLock(const SharedIndexLock&) = delete;

 private:
  slock_t* mutex_;
};

// Has an index loaded that nobody has asked for yet. False: it is loaded already, or has no file that is known. The worker must be woken.
bool BeginLoadAhead(SharedIndex* index);

void SetState(SharedIndex* index, LoadState state);  // takes the mutex
// State failed, with the reason. False: for the same reason as the last time.
bool SetFailure(SharedIndex* index, const char* message);

}  // namespace xtree
