// See sweep.h.
#include "shmem/sweep.h"

#include "shmem/attempt.h"
#include "shmem/hot_pages.h"

extern "C" {
#include "utils/syscache.h"
}

namespace xtree {

namespace {

constexpr uint32 kFirstSweep = 64;

struct Keys {
  IndexKey* key;
  uint32 room;
  uint32 count;
};

// More that come meanwhile are left for the next time.
Keys CopyKeys() {
  Keys keys = {nullptr, pg_atomic_read_u32(&shared->entries) + 16, 0};
  keys.key = static_cast<IndexKey*>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(IndexKey) * keys.room));
  const auto copy = [](SharedIndex* index, void* argument) {
    auto* into = static_cast<Keys*>(argument);
    if (into->count < into->room) into->key[into->count++] = index->key;
  };
  ForEachSharedIndex(copy, &keys);
  return keys;
}

// An index that a transaction has made and not committed is not seen here, but referenced by its session if that has used it.
bool Exists(IndexKey key) {
  if (key.database == MyDatabaseId) return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(key.index));
  return SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(key.database));
}

}  // namespace

void SweepDropped() {
  const Keys keys = CopyKeys();
  for (uint32 i = 0; i < keys.count; i++) {
    if (!Exists(keys.key[i]) && RemoveUnreferenced(keys.key[i])) ForgetPages(keys.key[i]);
  }
  pfree(keys.key);
}

void SweepNowAndThen() {
  if (pg_atomic_read_u32(&shared->entries) < std::max(kFirstSweep, pg_atomic_read_u32(&shared->sweep_at))) return;
  (void)AttemptForStatistics([](void*) { SweepDropped(); }, nullptr);
  pg_atomic_write_u32(&shared->sweep_at, 2 * pg_atomic_read_u32(&shared->entries));
}

}  // namespace xtree
