// Which pages of an index were in memory, and which of them were hot: kept in a file (index_files.h), so that they can be read in again before
// anybody asks, after a restart or an eviction. The worker writes and reads.
#pragma once

#include "history/index_files.h"
#include "shmem/hot_pages.h"

namespace xtree {

struct PageRange {
  BlockNumber first;
  BlockNumber count;
};

struct HotSet {
  pg::FileLocator locator;  // of the file that it is about
  LoadOptions options;
  Oid table;
  bool loaded;  // it was not evicted
  TimestampTz last_access;
  TimestampTz saved;
  PageRange* range;  // in memory, in order
  int ranges;
  HotPage* page;  // tracked
  int pages;
};

inline constexpr int kMostRanges = 100000;

// False, with errno: it could not be written. The former set stays then.
bool WriteHotSet(IndexKey key, const HotSet& set);
// In memory of the current context. False: there is none that is of use.
bool ReadHotSet(IndexKey key, HotSet* out);

}  // namespace xtree
