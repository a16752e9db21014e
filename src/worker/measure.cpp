// See measure.h.
#include "worker/measure.h"

#include <sys/resource.h>

#include "registry/file_mapping.h"
#include "worker/worker_process.h"

namespace xtree {

namespace {

constexpr TimestampTz kTimeSlice = USECS_PER_SEC / 10;

}  // namespace

int64 MeasureResident(SharedIndex* index) {
  const IndexStatus status = StatusOf(index);
  if (!status.has_file()) return 0;
  FileMapping mapping;
  const int64 bytes = mapping.Map(status.file.locator) == nullptr ? mapping.ResidentBytes() : 0;
  mapping.Unmap();
  SharedIndexLock lock(index);
  index->resident_bytes = bytes;
  return bytes;
}

void MeasureSome(const IndexList& list) {
  static int next = 0;
  const TimestampTz end = GetCurrentTimestamp() + kTimeSlice;
  for (int i = 0; i < list.count; i++) {
    next = next + 1 < list.count ? next + 1 : 0;
    MeasureResident(list.index[next]);
    Breathe();
    if (GetCurrentTimestamp() > end) return;
  }
}

Ranking RankByUse(const IndexList& list, bool (*wanted)(const IndexStatus& status)) {
  Ranking out = {static_cast<Rank*>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Rank) * std::max(1, list.count))), 0};
  for (int i = 0; i < list.count; i++) {
    const IndexStatus status = StatusOf(list.index[i]);
    if (wanted(status)) out.rank[out.count++] = {list.index[i], status, LastUse(list.index[i], status)};
  }
  std::sort(out.rank, out.rank + out.count, [](const Rank& a, const Rank& b) { return a.used < b.used; });
  return out;
}

int64 MemoryInUse(const IndexList& list) {
  int64 bytes = static_cast<int64>(pg_atomic_read_u64(&shared->private_bytes));
  for (int i = 0; i < list.count; i++) bytes += StatusOf(list.index[i]).resident_bytes;
  return bytes;
}

void ShowMemory(const IndexList& list) {
  MemoryStatus now = {};
  for (int i = 0; i < list.count; i++) {
    const IndexStatus status = StatusOf(list.index[i]);
    now.resident_bytes += status.resident_bytes;
    now.pinned_bytes += status.pinned_bytes;
  }
  struct rlimit limit;
  const bool limited = getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
  MemoryStatus* status = &shared->memory;
  status->resident_bytes = now.resident_bytes;
  status->pinned_bytes = now.pinned_bytes;
  status->memlock_limit = limited ? static_cast<int64>(limit.rlim_cur) : -1;
  LWLockRelease(&shared->lock);
}

}  // namespace xtree
