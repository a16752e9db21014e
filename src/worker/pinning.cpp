// See pinning.h. Of each index with pins the worker keeps a Holding: its mapping, and bitmaps of blocks. A renewal says anew what is
// wanted; the difference to what is locked is carried out. Holdings live until their index is unpinned, or nothing of it is wanted.
#include "worker/pinning.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include "pg/settings.h"
#include "registry/file_mapping.h"
#include "shmem/event_log.h"
#include "shmem/hot_pages.h"
#include "worker/measure.h"
#include "worker/page_access.h"
#include "worker/worker_process.h"

namespace xtree {

namespace {

constexpr BlockNumber kStep = 1024 * 1024 / kPageSize;      // locked by one call: what is left of a limit is used up in such steps
constexpr TimestampTz kWalkAgainAfter = 60 * USECS_PER_SEC;  // directory pages of a paged index

// One bit a block.
struct BlockSet {
  uint64* word;
  bool Has(BlockNumber block) const { return (word[block / 64] >> (block % 64)) & 1; }
  void Add(BlockNumber block) { word[block / 64] |= UINT64CONST(1) << (block % 64); }
  void Remove(BlockNumber block) { word[block / 64] &= ~(UINT64CONST(1) << (block % 64)); }
};

struct Holding {
  SharedIndex* index;  // with a reference
  FileMapping mapping;
  BlockNumber blocks;  // that the sets have room for
  BlockSet locked;
  BlockSet wanted;
  BlockSet requested;  // by xtree_pin_hot()
  BlockSet directory;  // of a paged index
  TimestampTz walked;
  int64 locked_bytes;
  TimestampTz refused_since;  // unpinned on request: nothing is wanted while the index is of the load of that time; 0: not refused
  Holding* next;
};

Holding* holdings = nullptr;
MemoryContext pin_context = nullptr;

// What may still be locked in this renewal, and what was wanted beyond it.
struct Allowance {
  int64 lockable;
  int64 limit;     // of the setting
  int64 refused;   // bytes
  int error;       // of mlock()
};

size_t WordsOf(BlockNumber blocks) { return (size_t{blocks} + 63) / 64; }

BlockSet MakeSet(BlockNumber blocks) {
  return {static_cast<uint64*>(MemoryContextAllocExtended(pin_context, WordsOf(blocks) * sizeof(uint64), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO))};
}

Holding* FindHolding(const SharedIndex* index) {
  for (Holding* holding = holdings; holding != nullptr; holding = holding->next) {
    if (holding->index == index) return holding;
  }
  return nullptr;
}

void ShowPinned(Holding* holding) {
  SharedIndexLock lock(holding->index);
  holding->index->pinned_bytes = holding->locked_bytes;
}

void Close(Holding* holding) {
  if (!holding->mapping.mapped()) return;
  holding->mapping.Unmap();  // unlocks
  for (BlockSet set : {holding->locked, holding->wanted, holding->requested, holding->directory}) pfree(set.word);
  holding->blocks = 0;
  holding->locked_bytes = 0;
  holding->walked = 0;
  ShowPinned(holding);
}

void Remove(Holding* holding) {
  Close(holding);
  Holding** link = &holdings;
  while (*link != holding) link = &(*link)->next;
  *link = holding->next;
  ReleaseSharedIndex(holding->index);
  pfree(holding);
}

Holding* Add(SharedIndex* index) {
  if (pin_context == nullptr) pin_context = AllocSetContextCreate(TopMemoryContext, "xtree pins", ALLOCSET_DEFAULT_SIZES);
  auto* holding = static_cast<Holding*>(MemoryContextAllocZero(pin_context, sizeof(Holding)));
  holding->index = index;
  holding->mapping = FileMapping();
  pg_atomic_fetch_add_u32(&index->references, 1);
  holding->next = holdings;
  holdings = holding;
  return holding;
}

// Maps the file as it is now; nothing is locked any more. False: it cannot be mapped.
bool Map(Holding* holding, const IndexStatus& status) {
  if (holding->mapping.Map(status.file.locator) != nullptr) return false;
  if (!(holding->mapping.identity() == status.file)) {
    holding->mapping.Unmap();
    return false;
  }
  holding->blocks = holding->mapping.file_blocks();
  holding->locked = MakeSet(holding->blocks);
  holding->wanted = MakeSet(holding->blocks);
  holding->requested = MakeSet(holding->blocks);
  holding->directory = MakeSet(holding->blocks);
  return true;
}

// The same, and what was requested of this file stays so.
bool Open(Holding* holding, const IndexStatus& status) {
  const bool same_file = holding->mapping.mapped() && holding->mapping.identity() == status.file;
  const BlockNumber blocks = holding->blocks;
  BlockSet requested = {nullptr};
  if (same_file) {
    requested = MakeSet(blocks);
    memcpy(requested.word, holding->requested.word, WordsOf(blocks) * sizeof(uint64));
  }
  Close(holding);
  const bool mapped = Map(holding, status);
  if (mapped && same_file) memcpy(holding->requested.word, requested.word, WordsOf(std::min(blocks, holding->blocks)) * sizeof(uint64));
  if (same_file) pfree(requested.word);
  return mapped;
}

// The holding of an index of which something may be pinned, open; else nullptr.
Holding* Usable(SharedIndex* index, const IndexStatus& status) {
  if (status.state != LoadState::kLoaded || status.strategy == Strategy::kStreamed || status.dropped) return nullptr;
  Holding* holding = FindHolding(index);
  if (holding == nullptr) holding = Add(index);
  if (holding->refused_since == status.state_since) return nullptr;
  holding->refused_since = 0;
  const bool current = holding->mapping.mapped() && holding->mapping.identity() == status.file;
  const bool grown = current && status.blocks > holding->mapping.file_blocks() + holding->mapping.file_blocks() / 8;
  return (current && !grown) || Open(holding, status) ? holding : nullptr;
}

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
  for (Holding* holding = holdings; holding != nullptr; holding = holding->next) {
    for (BlockNumber block = 0; block < holding->blocks; block++) {
      if (holding->requested.Has(block)) Want(holding, block, 1, allowance);
    }
  }
}

Holding* HoldingOf(const IndexList& list, const HotPage& page) {
  SharedIndex* index = list.Find(page.key);
  return index == nullptr ? nullptr : Usable(index, StatusOf(index));
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

void WantDirectory(Holding* holding, Allowance* allowance) {
  const TimestampTz now = GetCurrentTimestamp();
  if (now - holding->walked > kWalkAgainAfter) {
    memset(holding->directory.word, 0, WordsOf(holding->blocks) * sizeof(uint64));
    ForEachDirectoryPage(holding->mapping,
                         [](BlockNumber block, void* set) { static_cast<BlockSet*>(set)->Add(block); }, &holding->directory);
    holding->walked = now;
  }
  for (BlockNumber block = 0; block < holding->blocks; block++) {
    if (holding->directory.Has(block)) Want(holding, block, 1, allowance);
  }
}

// Whole, or not at all: half of it would keep out the next one.
void WantWhole(Holding* holding, Allowance* allowance) {
  const int64 bytes = int64{holding->blocks} * kPageSize;
  if (bytes <= allowance->lockable) {
    Want(holding, 0, holding->blocks, allowance);
  } else if (bytes <= allowance->limit) {
    Populate(holding->mapping, 0, holding->blocks);
    allowance->limit -= bytes;
    allowance->refused += bytes;
  }
}

// The most recently used first.
void WantByStrategy(const IndexList& list, Allowance* allowance) {
  const Ranking ranking = RankByUse(list, [](const IndexStatus& status) { return status.state == LoadState::kLoaded; });
  for (Strategy strategy : {Strategy::kPaged, Strategy::kResident}) {
    for (int i = ranking.count - 1; i >= 0 && allowance->limit > 0; i--) {
      const Rank& recent = ranking.rank[i];
      if (recent.status.strategy != strategy) continue;
      const int64 bytes = static_cast<int64>(recent.status.blocks) * kPageSize;
      if (strategy == Strategy::kResident && bytes > allowance->limit) continue;
      Holding* holding = Usable(recent.index, recent.status);
      if (holding == nullptr) continue;
      if (strategy == Strategy::kPaged) WantDirectory(holding, allowance);
      if (strategy == Strategy::kResident) WantWhole(holding, allowance);
    }
  }
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
  for (Holding* holding = holdings; holding != nullptr; holding = holding->next) {
    const int64 before = holding->locked_bytes;
    UnlockUnwanted(holding);
    LogChange(*holding, before);
  }
  for (Holding* holding = holdings; holding != nullptr; holding = holding->next) {
    const int64 before = holding->locked_bytes;
    LockWanted(holding, allowance);
    LogChange(*holding, before);
    ShowPinned(holding);
  }
}

void RemoveUnused() {
  for (Holding* holding = holdings; holding != nullptr;) {
    Holding* next = holding->next;
    const IndexStatus status = StatusOf(holding->index);
    const bool gone = status.state != LoadState::kLoaded;
    const bool unused = holding->locked_bytes == 0 && holding->refused_since == 0 && holding->walked == 0;
    if (gone || unused) Remove(holding);
    holding = next;
  }
}

void ClearWanted() {
  for (Holding* holding = holdings; holding != nullptr; holding = holding->next) {
    if (holding->blocks > 0) memset(holding->wanted.word, 0, WordsOf(holding->blocks) * sizeof(uint64));
  }
}

void MarkHotPages(const HotPage* page, int count) {
  for (int i = 0; i < count; i++) {
    bool locked = false;
    for (Holding* holding = holdings; holding != nullptr && !locked; holding = holding->next) {
      const IndexKey& key = holding->index->key;
      if (key.index == page[i].key.index && key.database == page[i].key.database)
        locked = page[i].block < holding->blocks && holding->locked.Has(page[i].block);
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
  WantByStrategy(list, &allowance);
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
  for (Holding* holding = holdings; holding != nullptr; holding = holding->next) {
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
  Remove(holding);
  MarkUnpinned(index->key);
  if (bytes > 0) LogEvent(EventKind::kUnpin, index->key, bytes, "0 bytes are pinned now");
  return bytes;
}

int64 UnpinUntilLoaded(SharedIndex* index) {
  const int64 bytes = Unpin(index);
  Add(index)->refused_since = StatusOf(index).state_since;
  return bytes;
}

}  // namespace xtree
