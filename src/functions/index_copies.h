// What the shared table knows of the indexes of a database, copied for views and metrics: nothing is formatted under its locks.
#pragma once

#include "shmem/index_table.h"

namespace xtree {

struct IndexCopy {
  Oid index;
  LoadState state;
  Strategy strategy;
  uint32 mapped_by;
  int64 blocks;
  int64 resident_bytes, pinned_bytes;
  CounterValues counters;
  ColumnUseCopy column_use;
  int64 load_us;
  TimestampTz first_access, last_access, last_error_time;
  char last_error[sizeof(SharedIndex::last_error)];
  SharedBuildStatus build;
};

struct IndexCopies {
  Oid database;
  size_t room;
  size_t count;  // that there are; beyond `room` they were not copied
  IndexCopy* copy;
};

// In memory of the current context, in no order. REQUIRES: shared != nullptr.
IndexCopies CopyIndexes(Oid database);

}  // namespace xtree
