// See pinning.h. Of each index with pins the worker keeps a Holding: its mapping, and bitmaps of blocks. A renewal says anew what is
// wanted; the difference to what is locked is carried out.
#include "worker/pinning.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include "pg/settings.h"
#include "shmem/event_log.h"
#include "shmem/hot_pages.h"
#include "worker/measure.h"
#include "worker/page_access.h"
#include "worker/pin_holding.h"
#include "worker/worker_process.h"

namespace xtree {

namespace {

constexpr BlockNumber kStep = 1024 * 1024 / kPageSize;       // locked by one call: what is left of a limit is used up in such steps
constexpr TimestampTz kWalkAgainAfter = 60 * USECS_PER_SEC;  // directory pages of a paged index

// What may still be locked in this renewal, and what was wanted beyond it.
struct Allowance {
  int64 lockable;
  int64 limit;    // of the setting
  int64 refused;  // bytes
  int error;      // of mlock()
};

int64 LockableBytes() {
  const int64 setting = settings.pin_memory_limit_kb * INT64CONST(1024);
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return setting;
  return std::min(setting, static_cast<int64>(limit.rlim_cur));
}

// Wants [first, first + count), as far as it may be locked. What the setting allows, but not the system, is read ahead instead.
void Want(Holding* holding, BlockNumber first, BlockNumber count, Allowance* allowance) {
  const BlockNumber end = std::min(holding->blocks, first + std::min(count, holding->blocks));
  for (BlockNumber block = first; block < end; block++) {
    if (holding->wanted.Has(block)) continue;
    if (allowance->limit < kPageSize) return;
    allowance->limit -= kPageSize;
    if (allowance->lockable >= kPageSize) {
      allowance->lockable -= kPageSize;
      holding->wanted.Add(block);
    } else {
      allowance->refused += kPageSize;
      Populate(holding->mapping, block, 1);
    }
  }
}

void WantRequested(Allowance* allowance) {
  for (Holding* holding = FirstHolding(); holding != nullptr; holding = holding->next) {
    for (BlockNumber block = 0; block < holding->blocks; block++) {
      if (holding->requested.Has(block)) Want(holding, block, 1, allowance);
    }
  }
}

Holding* HoldingOf(const IndexList& list, const HotPage& page) {
  SharedIndex* index = list.Find(page.key);
  return index == nullptr ? nullptr : UsableHolding(index, StatusOf(index));
}

HotPage* HottestFirst(int* count) {
  const TimestampTz now = GetCurrentTimestamp();
  HotPage* page = CopyHotPages(count);
  std::sort(page, page + *count, [now](const HotPage& a, const HotPage& b) { return Hotness(a, now) > Hotness(b, now); });
  return page;
}

void WantHot(const IndexList& list, const HotPage* page, int count, Allowance* allowance) {
  const TimestampTz now = GetCurrentTimestamp();
  for (int i = 0; i < count && Hotness(page[i], now) >= settings.hot_page_threshold; i++) {
    Holding* holding = HoldingOf(list, page[i]);
    if (holding != nullptr) Want(holding, page[i].block, 1, allowance);
  }
}

// What the tree's directory consists of, looked up anew from time to time.
const BlockSet& DirectoryOf(Holding* holding) {
  const TimestampTz now = GetCurrentTimestamp();
  if (now - holding->walked > kWalkAgainAfter) {
    Clear(holding->directory, holding->blocks);
    ForEachDirectoryPage(
        holding->mapping, [](BlockNumber block, void* set) { static_cast<BlockSet*>(set)->Add(block); }, &holding->directory);
    holding->walked = now;
  }
  return holding->directory;
}

void WantDirectory(Holding* holding, Allowance* allowance) {
  const BlockSet& directory = DirectoryOf(holding);
  for (BlockNumber block = 0; block < holding->blocks; block++) {
    if (directory.Has(block)) Want(holding, block, 1, allowance);
  }
}

int64 UnwantedBytes(const Holding& holding) {
  int64 bytes = 0;
  for (BlockNumber block = 0; block < holding.blocks; block++) bytes += holding.wanted.Has(block) ? 0 : kPageSize;
  return bytes;
}

// False: it does not fit.
bool WantWhole(Holding* holding, Allowance* allowance) {
  const int64 bytes = UnwantedBytes(*holding);
  if (bytes > std::min(allowance->lockable, allowance->limit)) return false;
  if (bytes > 0) Want(holding, 0, holding->blocks, allowance);
  return true;
}

void WantIfLockable(Holding* holding, BlockNumber block, Allowance* allowance) {
  if (block < holding->blocks && std::min(allowance->lockable, allowance->limit) >= kPageSize) Want(holding, block, 1, allowance);
}

// What fits of an index that does not fit whole: the pages that scans visit most, then its directory, then what is locked already, so that not each
// cycle locks others, then any. What the setting allows beyond that, but not the system, is read ahead.
void WantPart(Holding* holding, const HotPage* page, int count, Allowance* allowance) {
  const IndexKey& key = holding->index->key;
  for (int i = 0; i < count; i++) {
    if (page[i].key == key) WantIfLockable(holding, page[i].block, allowance);
  }
  const BlockSet& directory = DirectoryOf(holding);
  for (BlockNumber block = 0; block < holding->blocks; block++) {
    if (directory.Has(block)) WantIfLockable(holding, block, allowance);
  }
  for (BlockNumber block = 0; block < holding->blocks; block++) {
    if (holding->locked.Has(block)) WantIfLockable(holding, block, allowance);
  }
  for (BlockNumber block = 0; block < holding->blocks; block++) WantIfLockable(holding, block, allowance);
  const int64 rest = UnwantedBytes(*holding);
  const int64 refused = std::min(rest, allowance->limit);
  if (rest <= allowance->limit) Populate(holding->mapping, 0, holding->blocks);
  allowance->limit -= refused;
  allowance->refused += refused / kPageSize * kPageSize;
}

// The most recently used first.
void WantDirectories(const Ranking& ranking, Allowance* allowance) {
  for (int i = ranking.count - 1; i >= 0 && allowance->limit >= kPageSize; i--) {
    const Rank& recent = ranking.rank[i];
    if (recent.status.strategy != Strategy::kPaged) continue;
    if (Holding* holding = UsableHolding(recent.index, recent.status)) WantDirectory(holding, allowance);
  }
}

// Whole indexes first, the most recently used before others: half of one that does not fit must not keep out the next one. Then parts of those.
void WantResident(const Ranking& ranking, const HotPage* page, int count, Allowance* allowance) {
  for (const bool whole : {true, false}) {
    for (int i = ranking.count - 1; i >= 0 && allowance->limit >= kPageSize; i--) {
      const Rank& recent = ranking.rank[i];
      if (recent.status.strategy != Strategy::kResident) continue;
      Holding* holding = UsableHolding(recent.index, recent.status);
      if (holding != nullptr && !WantWhole(holding, allowance) && !whole) WantPart(holding, page, count, allowance);
    }
  }
}

void WantByStrategy(const IndexList& list, const HotPage* page, int count, Allowance* allowance) {
  const Ranking ranking = RankByUse(list, [](const IndexStatus& status) { return status.state == LoadState::kLoaded; });
  WantDirectories(ranking, allowance);
  WantResident(ranking, page, count, allowance);
}

// Calls run(first, count) for the runs of blocks of which wanted(block) holds, none longer than kStep.
template <class Wanted, class Run>
void ForEachRun(BlockNumber blocks, Wanted&& wanted, Run&& run) {
  BlockNumber block = 0;
  while (block < blocks) {
    if (!wanted(block)) {
      block++;
      continue;
    }
    const BlockNumber first = block;
    while (block < blocks && block - first < kStep && wanted(block)) block++;
    run(first, block - first);
  }
}

void UnlockUnwanted(Holding* holding) {
  ForEachRun(
      holding->blocks, [&](BlockNumber block) { return holding->locked.Has(block) && !holding->wanted.Has(block); },
      [&](BlockNumber first, BlockNumber count) {
        holding->mapping.ForEachRange(first, count, [](uint8_t* begin, size_t bytes) { munlock(begin, bytes); });
        for (BlockNumber i = 0; i < count; i++) holding->locked.Remove(first + i);
        holding->locked_bytes -= int64{count} * kPageSize;
      });
}

void LockRun(Holding* holding, BlockNumber first, BlockNumber count, Allowance* allowance) {
  int error = 0;
  holding->mapping.ForEachRange(first, count, [&](uint8_t* begin, size_t bytes) {
    if (error == 0 && mlock(begin, bytes) != 0) error = errno;
  });
  if (error == 0) {
    for (BlockNumber i = 0; i < count; i++) holding->locked.Add(first + i);
    holding->locked_bytes += int64{count} * kPageSize;
  } else {
    holding->mapping.ForEachRange(first, count, [](uint8_t* begin, size_t bytes) { munlock(begin, bytes); });
    Populate(holding->mapping, first, count);
    allowance->refused += int64{count} * kPageSize;
    allowance->error = error;
  }
  Breathe();
}

void LockWanted(Holding* holding, Allowance* allowance) {
  ForEachRun(
      holding->blocks, [&](BlockNumber block) { return holding->wanted.Has(block) && !holding->locked.Has(block); },
      [&](BlockNumber first, BlockNumber count) { LockRun(holding, first, count, allowance); });
}

// Says honestly what was wanted and could not be locked.
void ShowRefusal(const Allowance& allowance) {
  if (allowance.refused == 0) return;
  char reason[sizeof(shared->memory.pin_failure)];
  snprintf(reason, sizeof(reason), "%s: " INT64_FORMAT " bytes were only read ahead",
           allowance.error != 0 ? strerror(allowance.error) : "RLIMIT_MEMLOCK is too low", allowance.refused);
  bool changed;
  LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
  MemoryStatus* status = &shared->memory;
  status->pin_failures++;
  changed = strcmp(status->pin_failure, reason) != 0;
  strlcpy(status->pin_failure, reason, sizeof(status->pin_failure));
  LWLockRelease(&shared->lock);
  if (changed) LogEvent(EventKind::kFailure, {}, allowance.refused, "not pinned: %s", reason);
}

void LogChange(const Holding& holding, int64 before) {
  const int64 change = holding.locked_bytes - before;
  if (change != 0)
    LogEvent(change > 0 ? EventKind::kPin : EventKind::kUnpin, holding.index->key, std::abs(change), INT64_FORMAT " bytes are pinned now",
             holding.locked_bytes);
}

// Nothing is locked before everything that must go is unlocked: the limit holds for the sum.
void CarryOut(Allowance* allowance) {
  for (Holding* holding = FirstHolding(); holding != nullptr; holding = holding->next) {
    const int64 before = holding->locked_bytes;
    UnlockUnwanted(holding);
    LogChange(*holding, before);
  }
  for (Holding* holding = FirstHolding(); holding != nullptr; holding = holding->next) {
    const int64 before = holding->locked_bytes;
    LockWanted(holding, allowance);
    LogChange(*holding, before);
    ShowPinned(holding);
  }
}

void RemoveUnused() {
  for (Holding* holding = FirstHolding(); holding != nullptr;) {
    Holding* next = holding->next;
    const IndexStatus status = StatusOf(holding->index);
    const bool gone = status.state != LoadState::kLoaded;
    const bool unused = holding->locked_bytes == 0 && holding->refused_since == 0 && holding->walked == 0;
    if (gone || unused) RemoveHolding(holding);
    holding = next;
  }
}

void MarkHotPages(const HotPage* page, int count) {
  for (int i = 0; i < count; i++) {
    bool locked = false;
    for (Holding* holding = FirstHolding(); holding != nullptr && !locked; holding = holding->next) {
      if (holding->index->key == page[i].key) locked = page[i].block < holding->blocks && holding->locked.Has(page[i].block);
    }
    if (locked != page[i].pinned) MarkPinned(page[i].key, page[i].block, locked);
  }
}

}  // namespace

void RenewPins(const IndexList& list) {
  Allowance allowance = {LockableBytes(), settings.pin_memory_limit_kb * INT64CONST(1024), 0, 0};
  int count;
  const HotPage* page = HottestFirst(&count);
  ClearWanted();
  WantRequested(&allowance);
  WantHot(list, page, count, &allowance);
  WantByStrategy(list, page, count, &allowance);
  CarryOut(&allowance);
  RemoveUnused();
  MarkHotPages(page, count);
  ShowRefusal(allowance);
}

int64 PinHottest(const IndexList& list, int64 bytes, int64* indexes) {
  const int64 limit = settings.pin_memory_limit_kb * INT64CONST(1024);
  if (bytes == 0 || bytes > limit) bytes = limit;
  int count;
  const HotPage* page = HottestFirst(&count);
  for (int i = 0; i < count && bytes >= kPageSize; i++) {
    Holding* holding = HoldingOf(list, page[i]);
    if (holding == nullptr || page[i].block >= holding->blocks || holding->requested.Has(page[i].block)) continue;
    holding->requested.Add(page[i].block);
    bytes -= kPageSize;
  }
  RenewPins(list);
  int64 pinned = 0;
  *indexes = 0;
  for (Holding* holding = FirstHolding(); holding != nullptr; holding = holding->next) {
    int64 mine = 0;
    for (BlockNumber block = 0; block < holding->blocks; block++)
      mine += holding->requested.Has(block) && holding->locked.Has(block) ? kPageSize : 0;
    pinned += mine;
    *indexes += mine > 0;
  }
  return pinned;
}

int64 Unpin(SharedIndex* index) {
  Holding* holding = FindHolding(index);
  if (holding == nullptr) return 0;
  const int64 bytes = holding->locked_bytes;
  RemoveHolding(holding);
  MarkUnpinned(index->key);
  if (bytes > 0) LogEvent(EventKind::kUnpin, index->key, bytes, "0 bytes are pinned now");
  return bytes;
}

int64 UnpinUntilLoaded(SharedIndex* index) {
  const int64 bytes = Unpin(index);
  AddHolding(index)->refused_since = StatusOf(index).state_since;
  return bytes;
}

}  // namespace xtree
