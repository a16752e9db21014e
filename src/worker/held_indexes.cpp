// See held_indexes.h. The list is malloc()ed, so that it outlives the memory of a round and its references are given
// back after an ERROR too.
#include "worker/held_indexes.h"

#include <cstdlib>

namespace xtree {

namespace {

IndexList held = {};

struct Collected {
  IndexList* list;
  bool out_of_memory;
};

void Collect(SharedIndex* index, void* context) {
  IndexList* list = static_cast<Collected*>(context)->list;
  if (list->count == list->room) {
    const int room = std::max(64, list->room * 2);
    auto** grown = static_cast<SharedIndex**>(realloc(list->index, sizeof(SharedIndex*) * room));
    if (grown == nullptr) {
      static_cast<Collected*>(context)->out_of_memory = true;
      return;
    }
    list->index = grown;
    list->room = room;
  }
  pg_atomic_fetch_add_u32(&index->references, 1);
  list->index[list->count++] = index;
}

}  // namespace

SharedIndex* IndexList::Find(IndexKey key) const {
  SharedIndex** const end = index + count;
  SharedIndex** const found = std::lower_bound(index, end, key, [](const SharedIndex* a, IndexKey b) { return a->key < b; });
  return found != end && (*found)->key == key ? *found : nullptr;
}

const IndexList& HoldIndexes() {
  ReleaseIndexes();
  Collected collected = {&held, false};
  ForEachSharedIndex(Collect, &collected);
  if (collected.out_of_memory) ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
  std::sort(held.index, held.index + held.count, [](const SharedIndex* a, const SharedIndex* b) { return a->key < b->key; });
  return held;
}

void ReleaseIndexes() {
  while (held.count > 0) ReleaseSharedIndex(held.index[--held.count]);
}

IndexStatus StatusOf(SharedIndex* index) {
  SharedIndexLock lock(index);
  return {index->state,    index->dropped,     index->file,          index->blocks,         index->admitted,    index->options,
          index->strategy, index->state_since, index->unload_reason, index->resident_bytes, index->pinned_bytes};
}

TimestampTz LastUse(SharedIndex* index, const IndexStatus& status) {
  const TimestampTz last_access = static_cast<TimestampTz>(pg_atomic_read_u64(&index->last_access));
  return status.state == LoadState::kLoaded ? std::max(last_access, status.state_since) : last_access;
}

}  // namespace xtree
