// The index table as the worker sees it: its entries with a reference each, so that none goes away while they are
// worked on, and copies of what their mutexes guard. For the files of this directory. Takes the table's locks for a
// moment while the list is made, an entry's mutex while it is copied.
#pragma once

#include "shmem/index_table.h"

namespace xtree {

// Index table entries with a reference each, held for a round; ReleaseIndexes() gives them back, also after an ERROR.
struct IndexList {
  SharedIndex* Find(IndexKey key) const;  // or nullptr

  SharedIndex** index;  // by key
  int count;
  int room;
};
const IndexList& HoldIndexes();
void ReleaseIndexes();

// A copy of what an entry's mutex guards.
struct IndexStatus {
  LoadState state;
  bool dropped;
  FileIdentity file;
  uint64 blocks;
  XLogRecPtr admitted;
  LoadOptions options;
  Strategy strategy;
  TimestampTz state_since;
  UnloadReason unload_reason;
  int64 resident_bytes;
  int64 pinned_bytes;

  bool has_file() const { return file.inode != 0; }
};
IndexStatus StatusOf(SharedIndex* index);

// When the index was last used, or loaded without being used.
TimestampTz LastUse(SharedIndex* index, const IndexStatus& status);

}  // namespace xtree
