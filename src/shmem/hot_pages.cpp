// See hot_pages.h.
#include "shmem/hot_pages.h"

#include <cmath>

#include "shmem/shared_state.h"

extern "C" {
#include "common/hashfn.h"
}

namespace xtree {

namespace {

constexpr int kPlaces = 8;  // of a set
constexpr int kLocks = 16;
constexpr double kVolumeWeight = 1e-6;

struct Set {
  HotPage page[kPlaces];
};

}  // namespace

struct HotPageTable {
  uint32_t sets;
  LWLockPadded lock[kLocks];  // set i under lock i % kLocks
  Set set[FLEXIBLE_ARRAY_MEMBER];
};

namespace {

uint32_t SetsFor(int pages) { return static_cast<uint32_t>(std::max(1, (pages + kPlaces - 1) / kPlaces)); }

double Decay(TimestampTz from, TimestampTz to) {
  const double seconds = std::max<double>(0, static_cast<double>(to - from)) / USECS_PER_SEC;
  return std::exp2(-seconds / kHalfLife);
}

bool Same(const HotPage& page, IndexKey key, BlockNumber block) { return page.block == block && page.key == key; }

// The frequency that one sampled access stands for: spread over the mean life of a decaying count.
constexpr double kSampleFrequency = kSampleEvery * 0.6931471805599453 / kHalfLife;

// The frequency by which a page holds its place.
double Claim(const HotPage& page, TimestampTz now) {
  return page.key.index == InvalidOid ? -1 : page.frequency * Decay(page.last_access, now);
}

// The place of a page, or that of the least frequent one. Pinned pages keep theirs, unless all of the set are: then the least frequent of them gives
// way, if nobody has visited it for a while. nullptr: there is none.
HotPage* PlaceFor(Set* set, IndexKey key, BlockNumber block, TimestampTz now) {
  HotPage* least[2] = {nullptr, nullptr};  // not pinned, pinned
  for (HotPage& page : set->page) {
    if (Same(page, key, block)) return &page;
    HotPage*& candidate = least[page.pinned];
    if (candidate == nullptr || Claim(page, now) < Claim(*candidate, now)) candidate = &page;
  }
  HotPage* place = least[0] != nullptr ? least[0] : least[1];
  if (place->pinned && Claim(*place, now) >= kSampleFrequency / 2) return nullptr;
  *place = HotPage{key, block, 0, 0, 0, now, now, false};
  return place;
}

uint32_t SetOf(const HotPageTable& table, IndexKey key, BlockNumber block) {
  const uint32_t words[3] = {key.database, key.index, block};
  return hash_bytes(reinterpret_cast<const unsigned char*>(words), sizeof(words)) % table.sets;
}

}  // namespace

double Hotness(const HotPage& page, TimestampTz now) {
  return page.frequency * Decay(page.last_access, now) + static_cast<double>(page.accesses) * kVolumeWeight;
}

size_t HotPageTableBytes(int pages) { return offsetof(HotPageTable, set) + sizeof(Set) * SetsFor(pages); }

void InitializeHotPageTable(void* memory, int pages, int tranche) {
  auto* table = static_cast<HotPageTable*>(memory);
  memset(static_cast<void*>(table), 0, HotPageTableBytes(pages));
  table->sets = SetsFor(pages);
  for (LWLockPadded& lock : table->lock) LWLockInitialize(&lock.lock, tranche);
}

void RecordSamples(IndexKey key, const PageSample* samples, int count) {
  if (shared == nullptr || count == 0) return;
  HotPageTable* table = SharedHotPages();
  const TimestampTz now = GetCurrentTimestamp();
  for (int i = 0; i < count; i++) {
    const uint32_t set = SetOf(*table, key, samples[i].block);
    LWLock* lock = &table->lock[set % kLocks].lock;
    if (!LWLockConditionalAcquire(lock, LW_EXCLUSIVE)) continue;
    if (HotPage* page = PlaceFor(&table->set[set], key, samples[i].block, now); page != nullptr) {
      page->level = samples[i].level;
      page->accesses += kSampleEvery;
      page->frequency = page->frequency * Decay(page->last_access, now) + kSampleFrequency;
      page->last_access = now;
    }
    LWLockRelease(lock);
  }
}

void RestorePages(const HotPage* pages, int count, TimestampTz saved) {
  HotPageTable* table = SharedHotPages();
  const TimestampTz now = GetCurrentTimestamp();
  const TimestampTz passed = std::max<TimestampTz>(0, now - saved);
  for (int i = 0; i < count; i++) {
    const uint32_t set = SetOf(*table, pages[i].key, pages[i].block);
    LWLock* lock = &table->lock[set % kLocks].lock;
    LWLockAcquire(lock, LW_EXCLUSIVE);
    HotPage* const page = PlaceFor(&table->set[set], pages[i].key, pages[i].block, now);
    if (page != nullptr && page->accesses == 0) {
      *page = pages[i];
      page->pinned = false;
      page->first_access = std::min(pages[i].first_access, now);
      page->last_access = std::min(pages[i].last_access + passed, now);
    }
    LWLockRelease(lock);
  }
}

HotPage* CopyHotPages(int* count) {
  HotPageTable* table = SharedHotPages();
  auto* out = static_cast<HotPage*>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(HotPage) * kPlaces * table->sets));
  *count = 0;
  for (uint32_t set = 0; set < table->sets; set++) {
    LWLock* lock = &table->lock[set % kLocks].lock;
    LWLockAcquire(lock, LW_SHARED);
    for (const HotPage& page : table->set[set].page) {
      if (page.key.index != InvalidOid) out[(*count)++] = page;
    }
    LWLockRelease(lock);
  }
  return out;
}

HotPages CopyHotPagesInOrder() {
  HotPages all = {};
  all.page = CopyHotPages(&all.count);
  std::sort(all.page, all.page + all.count,
            [](const HotPage& a, const HotPage& b) { return a.key != b.key ? a.key < b.key : a.block < b.block; });
  return all;
}

HotPages PagesOf(const HotPages& in_order, IndexKey key) {
  HotPage* const end = in_order.page + in_order.count;
  HotPage* const first = std::lower_bound(in_order.page, end, key, [](const HotPage& page, IndexKey k) { return page.key < k; });
  HotPage* const past = std::upper_bound(first, end, key, [](IndexKey k, const HotPage& page) { return k < page.key; });
  return {first, static_cast<int>(past - first)};
}

void MarkPinned(IndexKey key, BlockNumber block, bool pinned) {
  HotPageTable* table = SharedHotPages();
  const uint32_t set = SetOf(*table, key, block);
  LWLock* lock = &table->lock[set % kLocks].lock;
  LWLockAcquire(lock, LW_EXCLUSIVE);
  for (HotPage& page : table->set[set].page) {
    if (Same(page, key, block)) page.pinned = pinned;
  }
  LWLockRelease(lock);
}

namespace {

template <class Change>
void ChangePages(IndexKey key, Change&& change) {
  HotPageTable* table = SharedHotPages();
  for (uint32_t set = 0; set < table->sets; set++) {
    LWLock* lock = &table->lock[set % kLocks].lock;
    LWLockAcquire(lock, LW_EXCLUSIVE);
    for (HotPage& page : table->set[set].page) {
      if (key.index == InvalidOid || page.key == key) change(&page);
    }
    LWLockRelease(lock);
  }
}

}  // namespace

void ForgetPages(IndexKey key) {
  ChangePages(key, [](HotPage* page) { *page = HotPage{}; });
}

void MarkUnpinned(IndexKey key) {
  ChangePages(key, [](HotPage* page) { page->pinned = false; });
}

void ResetPages(IndexKey key) {
  const TimestampTz now = GetCurrentTimestamp();
  ChangePages(
      key, [now](HotPage* page) { *page = page->pinned ? HotPage{page->key, page->block, page->level, 0, 0, now, now, true} : HotPage{}; });
}

}  // namespace xtree
