// See index_table.h. A table entry is the key and where the SharedIndex is.
#include "shmem/index_table.h"

#include "shmem/attempt.h"

namespace xtree {

namespace {

struct TableEntry {
  IndexKey key;
  dsa_pointer body;
};
static_assert(sizeof(TableEntry) == sizeof(IndexKey) + sizeof(dsa_pointer));

SharedIndex* BodyOf(const TableEntry* entry) { return static_cast<SharedIndex*>(dsa_get_address(SharedArea(), entry->body)); }

void Initialize(SharedIndex* index, IndexKey key, dsa_pointer self) {
  index->key = key;
  index->self = self;
  pg_atomic_init_u32(&index->references, 1);  // the table's
  pg_atomic_init_u32(&index->mapped_by, 0);
  pg_atomic_init_u32(&index->running, 0);
  pg_atomic_init_u32(&index->generation, 0);
  for (pg_atomic_uint64& counter : index->counters.value) pg_atomic_init_u64(&counter, 0);
  InitializeColumnUse(&index->column_use);
  pg_atomic_init_u64(&index->last_access, 0);
  SpinLockInit(&index->mutex);
  index->options.memory_quota_kb = -1;
}

void DropReference(SharedIndex* index) {
  if (pg_atomic_sub_fetch_u32(&index->references, 1) == 0) dsa_free(SharedArea(), index->self);
}

}  // namespace

const char* NameOf(LoadState state) {
  static const char* const names[] = {"registered", "loading", "loaded", "unloading", "failed"};
  return names[static_cast<int>(state)];
}

const char* NameOf(SharedBuildStage stage) {
  static const char* const names[] = {"", "queued", "building", "failed"};
  return names[static_cast<int>(stage)];
}

const char* NameOf(Strategy strategy) {
  static const char* const names[] = {"auto", "resident", "paged", "streamed"};
  return names[static_cast<int>(strategy)];
}

const char* NameOf(UnloadReason reason) {
  static const char* const names[] = {"idle", "memory budget", "memory quota", "on request"};
  return names[static_cast<int>(reason)];
}

SharedIndex* AcquireSharedIndex(IndexKey key) {
  dshash_table* table = SharedIndexTable();
  bool found;
  auto* entry = static_cast<TableEntry*>(dshash_find_or_insert(table, &key, &found));
  if (!found) {
    entry->body = dsa_allocate_extended(SharedArea(), sizeof(SharedIndex), DSA_ALLOC_ZERO | DSA_ALLOC_NO_OOM);
    if (!DsaPointerIsValid(entry->body)) {
      dshash_delete_entry(table, entry);
      ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of shared memory for the statistics of xtree indexes"),
                      errhint("Look at dynamic_shared_memory_type and the space that it has.")));
    }
    Initialize(BodyOf(entry), key, entry->body);
    pg_atomic_fetch_add_u32(&shared->entries, 1);
  }
  SharedIndex* index = BodyOf(entry);
  pg_atomic_fetch_add_u32(&index->references, 1);
  dshash_release_lock(table, entry);
  return index;
}

SharedIndex* AcquireToCount(IndexKey key) {
  if (Preloaded()) return AcquireSharedIndex(key);
  struct Acquisition {
    IndexKey key;
    SharedIndex* index;
  } acquisition = {key, nullptr};
  const auto acquire = [](void* argument) {
    auto* wanted = static_cast<Acquisition*>(argument);
    wanted->index = AcquireSharedIndex(wanted->key);
  };
  return AttemptForStatistics(acquire, &acquisition) ? acquisition.index : nullptr;
}

SharedIndex* FindSharedIndex(IndexKey key) {
  dshash_table* table = SharedIndexTable();
  auto* entry = static_cast<TableEntry*>(dshash_find(table, &key, false));
  if (entry == nullptr) return nullptr;
  SharedIndex* index = BodyOf(entry);
  pg_atomic_fetch_add_u32(&index->references, 1);
  dshash_release_lock(table, entry);
  return index;
}

void ReleaseSharedIndex(SharedIndex* index) { DropReference(index); }

void ForEachSharedIndex(void (*visit)(SharedIndex* index, void* context), void* context) {
  dshash_seq_status status;
  dshash_seq_init(&status, SharedIndexTable(), false);
  while (const void* entry = dshash_seq_next(&status)) visit(BodyOf(static_cast<const TableEntry*>(entry)), context);
  dshash_seq_term(&status);
}

void RemoveSharedIndex(IndexKey key) {
  dshash_table* table = SharedIndexTable();
  auto* entry = static_cast<TableEntry*>(dshash_find(table, &key, true));
  if (entry == nullptr) return;
  SharedIndex* index = BodyOf(entry);
  dshash_delete_entry(table, entry);
  pg_atomic_fetch_sub_u32(&shared->entries, 1);
  DropReference(index);
}

bool RemoveUnreferenced(IndexKey key) {
  dshash_table* table = SharedIndexTable();
  auto* entry = static_cast<TableEntry*>(dshash_find(table, &key, true));
  if (entry == nullptr) return false;
  SharedIndex* index = BodyOf(entry);
  if (pg_atomic_read_u32(&index->references) > 1) {
    dshash_release_lock(table, entry);
    return false;
  }
  dshash_delete_entry(table, entry);
  pg_atomic_fetch_sub_u32(&shared->entries, 1);
  DropReference(index);
  return true;
}

bool WasUsed(SharedIndex* index) {
  if (pg_atomic_read_u64(&index->last_access) != 0) return true;
  SharedIndexLock lock(index);
  return index->first_access != 0;
}

bool BeginLoadAhead(SharedIndex* index) {
  const TimestampTz now = GetCurrentTimestamp();
  SharedIndexLock lock(index);
  if (index->state != LoadState::kRegistered || index->file.inode == 0 || index->dropped) return false;
  index->state = LoadState::kLoading;
  index->state_since = now;
  index->load_ahead = true;
  return true;
}

void SetState(SharedIndex* index, LoadState state) {
  const TimestampTz now = GetCurrentTimestamp();
  SharedIndexLock lock(index);
  index->state = state;
  index->state_since = now;
}

bool SetFailure(SharedIndex* index, const char* message) {
  const TimestampTz now = GetCurrentTimestamp();
  SharedIndexLock lock(index);
  const bool again = index->failures > 0 && strncmp(index->last_error, message, sizeof(index->last_error) - 1) == 0;
  index->failures++;
  index->state = LoadState::kFailed;
  index->state_since = index->last_error_time = now;
  strlcpy(index->last_error, message, sizeof(index->last_error));
  return !again;
}

}  // namespace xtree
