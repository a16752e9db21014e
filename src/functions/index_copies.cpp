// See index_copies.h.
#include "functions/index_copies.h"

namespace xtree {

namespace {

void CopyGuarded(SharedIndex* from, IndexCopy* to) {
  SharedIndexLock lock(from);
  to->state = from->state;
  to->strategy = from->strategy;
  to->blocks = static_cast<int64>(from->blocks);
  to->resident_bytes = from->resident_bytes;
  to->pinned_bytes = from->pinned_bytes;
  to->load_us = from->load_us;
  to->first_access = from->first_access;
  to->last_error_time = from->last_error_time;
  memcpy(to->last_error, from->last_error, sizeof(to->last_error));
  to->build = from->build;
}

void Copy(SharedIndex* from, void* context) {
  auto* copies = static_cast<IndexCopies*>(context);
  if (from->key.database != copies->database) return;
  const size_t place = copies->count++;
  if (place >= copies->room) return;
  IndexCopy* to = &copies->copy[place];
  to->index = from->key.index;
  to->mapped_by = pg_atomic_read_u32(&from->mapped_by);
  to->counters = OwnCounters(from);
  to->column_use = CopyColumnUse(from->column_use);
  to->last_access = static_cast<TimestampTz>(pg_atomic_read_u64(&from->last_access));
  CopyGuarded(from, to);
}

}  // namespace

// Entries may come while we look, hence again with more room.
IndexCopies CopyIndexes(Oid database) {
  IndexCopies copies = {database, 0, 0, nullptr};
  do {
    copies.room = copies.count + copies.count / 8 + 16;
    copies.copy = static_cast<IndexCopy*>(MemoryContextAllocHuge(CurrentMemoryContext, copies.room * sizeof(IndexCopy)));
    copies.count = 0;
    ForEachSharedIndex(Copy, &copies);
  } while (copies.count > copies.room);
  return copies;
}

}  // namespace xtree
