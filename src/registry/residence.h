// Residence: which pages of a mapping were not in memory when this backend first came near them, so that a read through
// the mapping counts as what it was, one from disk or a hit, in EXPLAIN (BUFFERS), pg_statio and the share of hits.
//
// The kernel is asked once (mincore) for a window of pages, before any of them is touched; an absent page is counted at
// its first visit. What the kernel drops later shows as major page faults of the process: then everything is asked
// anew. So the price is a look at a word a page visit, and for each window less than the first touch of one of its 32
// pages (2.7 and 2.9 us on a virtual machine of two cores); and the count may miss pages that were dropped between two
// looks at the faults, but none of a cold index. For the reader and the prefetch. Plain data; Free() it. No locks,
// nothing raised: without memory for the windows every page counts as present.
#pragma once

#include "registry/file_mapping.h"

namespace xtree {

class Residence {
 public:
  // Was the page absent? Yes is said once. REQUIRES: block < mapping.blocks(), which has not been touched since it was
  // mapped or looked at.
  bool TakeAbsent(const FileMapping& mapping, BlockNumber block) {
    uint64_t* window = WindowOf(mapping, block);
    if (window == nullptr) return false;
    const uint64_t bit = uint64_t{1} << block % kWindow;
    if (likely((*window & bit) == 0)) return false;
    *window &= ~bit;
    return true;
  }

  // Is it absent? Leaves that to be counted by the visit.
  bool Absent(const FileMapping& mapping, BlockNumber block) {
    const uint64_t* window = WindowOf(mapping, block);
    return window != nullptr && (*window >> block % kWindow & 1) != 0;
  }

  // Forgets what it knows if this process has waited for the disk since the last call.
  void LookAgainAfterFaults();

  void Free();

 private:
  static constexpr BlockNumber kWindow = 32;                  // its blocks' bits: absent
  static constexpr uint64_t kKnown = uint64_t{1} << kWindow;  // the window was looked at

  uint64_t* WindowOf(const FileMapping& mapping, BlockNumber block) {
    if (unlikely(window_ == nullptr) && !Allocate(mapping)) return nullptr;
    uint64_t* window = &window_[block / kWindow];
    if (unlikely((*window & kKnown) == 0)) *window = LookAt(mapping, block / kWindow * kWindow);
    return window;
  }
  bool Allocate(const FileMapping& mapping);
  static uint64_t LookAt(const FileMapping& mapping, BlockNumber first);

  uint64_t* window_ = nullptr;  // malloc()ed
  size_t windows_ = 0;
};
static_assert(std::is_trivially_destructible_v<Residence>);

}  // namespace xtree
