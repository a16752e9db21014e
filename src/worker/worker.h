// The background worker "xtree worker": admits indexes, evicts them, pins hot pages, measures, remembers. One process, without a
// database, so that it is in nobody's way; it works on files and shared memory alone.
//
// Each round it serves requests and loads what was asked for; once in naptime it makes a cycle of everything else. Its own functions
// are called by nobody else. An ERROR anywhere ends the round; what the process held is released and the next round begins.
#pragma once

#include "shmem/index_table.h"

namespace xtree {

// Called by _PG_init while the server starts.
void RegisterWorker();

// The rest is for the files of this directory.

// Between two steps that take time: has signals and reloads take effect; does not return when the server stops.
// REQUIRES: no lock is held.
void Breathe();

// What an ERROR leaves behind: locks, buffers, files. The worker has no transaction whose abort would do it.
void ReleaseAfterError();

// What the worker is doing, for its view.
void ShowActivity(const char* what);

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
