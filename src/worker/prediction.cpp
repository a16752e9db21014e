// See prediction.h.
#include "worker/prediction.h"

#include "history/hot_set.h"
#include "pg/settings.h"
#include "shmem/event_log.h"
#include "worker/page_access.h"
#include "worker/worker_process.h"

namespace xtree {

namespace {

constexpr TimestampTz kLead = USECS_PER_MINUTE;  // at least, before use is expected
constexpr TimestampTz kSaveAfter = 5 * USECS_PER_MINUTE;
constexpr BlockNumber kGap = 4;  // blocks that are not in memory, but are cheaper read than skipped

struct Expected {
  TimestampTz from, until;
  int64 load_us;
};

Expected ExpectedOf(SharedIndex* index) {
  SharedIndexLock lock(index);
  return {index->expected_from, index->expected_until, index->load_us};
}

// From when on it is to be loaded, until its use is over: a little ahead, and not less than the worker sees between two cycles.
bool IsTime(const Expected& expected, TimestampTz now) {
  const TimestampTz lead = std::max({kLead, 2 * expected.load_us, 2000 * static_cast<TimestampTz>(settings.naptime_ms)});
  return expected.from != 0 && now >= expected.from - lead && now < expected.until;
}

// Ranges of blocks in memory, in memory of the current context.
PageRange* RangesOf(const FileMapping& mapping, int* count) {
  int room = 64;
  auto* range = static_cast<PageRange*>(palloc(sizeof(PageRange) * room));
  int used = 0;
  mapping.ForEachResidentBlock([&](BlockNumber block) {
    if (used > 0 && block <= range[used - 1].first + range[used - 1].count + kGap) {
      range[used - 1].count = block - range[used - 1].first + 1;
      return;
    }
    if (used == kMostRanges) return;
    if (used == room) {
      room *= 2;
      range = static_cast<PageRange*>(repalloc(range, sizeof(PageRange) * room));
    }
    range[used++] = {block, 1};
  });
  *count = used;
  return range;
}

void Save(SharedIndex* index, const IndexStatus& status, const HotPages& all, bool loaded) {
  FileMapping* const mapping = NewPassingMapping();
  if (mapping->Map(status.file.locator) != nullptr || !(mapping->identity() == status.file)) {
    mapping->Unmap();
    return;
  }
  HotSet set = {};
  set.range = RangesOf(*mapping, &set.ranges);
  mapping->Unmap();
  const HotPages mine = PagesOf(all, index->key);
  set.page = mine.page;
  set.pages = mine.count;
  set.locator = status.file.locator;
  set.options = status.options;
  set.loaded = loaded;
  set.saved = GetCurrentTimestamp();
  set.last_access = LastUse(index, status);
  {
    SharedIndexLock lock(index);
    set.table = index->table;
  }
  if (!WriteHotSet(index->key, set))
    ereport(LOG, (errcode_for_file_access(),
                  errmsg("could not write which pages of the xtree index with OID %u were in memory: %m", index->key.index)));
  pfree(set.range);
}

struct Remembered {
  IndexKey key;
  HotSet set;
};

// Loaded before, the last used one first, as far as there is room.
Remembered* FindRemembered(int* count) {
  const IndexKeys keys = IndexesWithFile(IndexFile::kHotSet);
  auto* const out = static_cast<Remembered*>(palloc(sizeof(Remembered) * std::max(1, keys.count)));
  *count = 0;
  for (int i = 0; i < keys.count; i++) {
    Remembered* const next = &out[*count];
    next->key = keys.key[i];
    *count += ReadHotSet(next->key, &next->set) && next->set.loaded;
  }
  std::sort(out, out + *count, [](const Remembered& a, const Remembered& b) { return a.set.last_access > b.set.last_access; });
  return out;
}

int64 BytesOf(const HotSet& set) {
  int64 bytes = 0;
  for (int i = 0; i < set.ranges; i++) bytes += int64{set.range[i].count} * kPageSize;
  return bytes;
}

// False: its file is gone, or another.
bool AskAgain(const Remembered& remembered) {
  uint64_t blocks;
  const FileIdentity file = IdentifyFile(remembered.set.locator, &blocks);
  if (file.inode == 0 || blocks == 0) return false;
  SharedIndex* const index = AcquireSharedIndex(remembered.key);
  uint64 unused = 0;
  (void)pg_atomic_compare_exchange_u64(&index->last_access, &unused, static_cast<uint64>(remembered.set.last_access));
  {
    SharedIndexLock lock(index);
    if (index->file.inode == 0) {
      index->file = file;
      index->blocks = blocks;
      index->options = remembered.set.options;
      index->table = remembered.set.table;
    }
  }
  const bool begun = BeginLoadAhead(index);
  ReleaseSharedIndex(index);
  return begun;
}

}  // namespace

void LoadExpected(const IndexList& list) {
  if (!settings.predictive_load) return;
  const TimestampTz now = GetCurrentTimestamp();
  for (int i = 0; i < list.count; i++) {
    SharedIndex* const index = list.index[i];
    const Expected expected = ExpectedOf(index);
    if (!IsTime(expected, now) || !BeginLoadAhead(index)) continue;
    LogEvent(EventKind::kLoad, index->key, 0, "asked for ahead: it is used from %s on", timestamptz_to_str(expected.from));
    WakeWorker();
  }
}

bool IsExpected(SharedIndex* index, TimestampTz now) { return settings.predictive_load && IsTime(ExpectedOf(index), now); }

void SaveHotSet(SharedIndex* index, const IndexStatus& status) {
  if (settings.predictive_load) Save(index, status, CopyHotPagesInOrder(), false);
}

void SaveHotSets(const IndexList& list) {
  if (!settings.predictive_load) return;
  const HotPages all = CopyHotPagesInOrder();
  for (int i = 0; i < list.count; i++) {
    const IndexStatus status = StatusOf(list.index[i]);
    if (status.state == LoadState::kLoaded && !status.dropped && status.has_file()) Save(list.index[i], status, all, true);
  }
}

void SaveHotSetsNowAndThen(const IndexList& list) {
  static TimestampTz saved = 0;
  const TimestampTz now = GetCurrentTimestamp();
  if (now - saved < kSaveAfter) return;
  if (saved != 0) SaveHotSets(list);
  saved = now;
}

void RestoreHotSets() {
  if (!settings.predictive_load) return;
  int count, asked = 0;
  const Remembered* const remembered = FindRemembered(&count);
  int64 left = settings.memory_budget_kb < 0 ? PG_INT64_MAX : settings.memory_budget_kb * INT64CONST(1024);
  for (int i = 0; i < count; i++) {
    const int64 bytes = BytesOf(remembered[i].set);
    if (bytes > left || !AskAgain(remembered[i])) continue;
    left -= bytes;
    asked++;
    Breathe();
  }
  if (asked > 0) ereport(LOG, (errmsg("xtree worker loads %d indexes again that were loaded before the server was started", asked)));
}

void ReadHotSetIn(SharedIndex* index, const FileMapping& mapping) {
  HotSet set;
  if (!ReadHotSet(index->key, &set) || !mapping.identity().Names(set.locator)) return;
  int64 pages = 0;
  for (int i = 0; i < set.ranges; i++) {
    if (set.range[i].first >= mapping.file_blocks()) break;
    const BlockNumber count = std::min(set.range[i].count, mapping.file_blocks() - set.range[i].first);
    Populate(mapping, set.range[i].first, count);
    pages += count;
  }
  RestorePages(set.page, set.pages, set.saved);
  LogEvent(EventKind::kLoad, index->key, pages * kPageSize, "read in: pages that were in memory before");
}

}  // namespace xtree
