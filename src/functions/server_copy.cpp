// See server_copy.h.
#include "functions/server_copy.h"

#include "pg/settings.h"

namespace xtree {

namespace {

void CountIndex(SharedIndex* index, void* context) {
  IndexCounts* counts = static_cast<IndexCounts*>(context);
  if (!WasUsed(index)) return;
  counts->registered++;
  SharedIndexLock lock(index);
  counts->loaded += index->state == LoadState::kLoaded;
}

}  // namespace

ServerCopy CopyServer() {
  LWLockAcquire(&shared->lock, LW_SHARED);
  const ServerCopy copy = {shared->worker, shared->memory, shared->reset_time};
  LWLockRelease(&shared->lock);
  return copy;
}

IndexCounts CountIndexes() {
  IndexCounts counts;
  ForEachSharedIndex(CountIndex, &counts);
  return counts;
}

int64 PrivateBytes() { return static_cast<int64>(pg_atomic_read_u64(&shared->private_bytes)); }

int64 BudgetBytes() { return settings.memory_budget_kb < 0 ? -1 : int64{settings.memory_budget_kb} * 1024; }

double Pressure(const MemoryStatus& memory, int64 private_bytes) {
  return static_cast<double>(memory.resident_bytes + private_bytes) / static_cast<double>(BudgetBytes());
}

}  // namespace xtree
