// The hot page table: sampled accesses to pages, in a bounded table in shared memory with decaying frequencies.
//
// Scans sample one page visit in kSampleEvery and hand the sample in when they end; where the lock of its part of the table is
// taken, the sample is dropped rather than waited for. A part is a set of 8 places; the least frequent page that is not pinned gives way to
// a new one.
#pragma once

#include "shmem/index_table.h"

namespace xtree {

inline constexpr int kSampleEvery = 32;

struct HotPage {
  IndexKey key;  // index 0: the place is free
  BlockNumber block;
  int level;         // 0: leaf
  uint64 accesses;   // estimated: samples times kSampleEvery
  double frequency;  // accesses per second, decayed with a half-life of kHalfLife seconds, as of last_access
  TimestampTz first_access;
  TimestampTz last_access;
  bool pinned;  // by the worker
};

inline constexpr double kHalfLife = 60;

// hotness = frequency * recency weight + accesses * volume weight: the weight of recency halves every kHalfLife seconds
// without an access, that of volume is small, so a page that once was hot does not stay so for ever.
double Hotness(const HotPage& page, TimestampTz now);

struct HotPageTable;

size_t HotPageTableBytes(int pages);
void InitializeHotPageTable(void* memory, int pages, int tranche);

struct PageSample {
  BlockNumber block;
  int level;
};
// Never raises, never waits. Does nothing without shared memory.
void RecordSamples(IndexKey key, const PageSample* samples, int count);

// Copies of all pages in use, into memory of the current context.
HotPage* CopyHotPages(int* count);

struct HotPages {
  HotPage* page;
  int count;
};
// The same, by index and block; and those of one index among them, which are not copied.
HotPages CopyHotPagesInOrder();
HotPages PagesOf(const HotPages& in_order, IndexKey key);

// Takes pages of an index that were hot before a restart, as if the time from `saved` until now had not passed. Those that are known stay as they
// are.
void RestorePages(const HotPage* pages, int count, TimestampTz saved);

// The worker: marks a page as pinned or not; forgets an index (index 0: everything).
void MarkPinned(IndexKey key, BlockNumber block, bool pinned);
void MarkUnpinned(IndexKey key);  // all of its pages
void ForgetPages(IndexKey key);

// Counting starts anew for the pages of an index (index 0: of all), whoever asks; pins stay known.
void ResetPages(IndexKey key);

}  // namespace xtree
