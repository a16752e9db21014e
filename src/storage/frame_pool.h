// FramePool: the frames of ordered scans, kept from scan to scan of a session.
//
// A frame holds a page and more, so each would be a malloc() of its own and go back with the scan; and glibc returns the end of its
// heap to the system whenever more than 128 kB of it are free. Scans that read a dozen pages spent two thirds of their time in page
// faults. Called by BufferReader; no locks, no WAL. At most kMostKept bytes are kept in a session.
#pragma once

#include "pg/postgres_api.h"

namespace xtree {

// One scan's share. Trivially destructible, all zeroes is a valid state: whoever owns it calls GiveBack when the scan ends, also by
// an ERROR.
class FramePool {
 public:
  static constexpr Size kMostKept = 1024 * 1024;

  // Until GiveBack. nullptr: too large for the pool, to be had elsewhere.
  void* Take(Size bytes);
  void GiveBack();

 private:
  struct Chunk {
    Chunk* next;
  };
  static constexpr Size kChunk = 24 * 1024;  // the frame of any layout with one or two keys; only what is used is real memory

  Chunk* taken_ = nullptr;
  static Chunk* kept_;
  static Size kept_bytes_;
};

}  // namespace xtree
