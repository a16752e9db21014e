// What the worker and sessions wrote down of the whole server, copied for views and metrics. REQUIRES everywhere: shared != nullptr.
#pragma once

#include "shmem/index_table.h"
#include "shmem/shared_state.h"

namespace xtree {

struct ServerCopy {
  WorkerStatus worker;
  MemoryStatus memory;
  TimestampTz reset_time;
};

ServerCopy CopyServer();

struct IndexCounts {
  int64 registered = 0;
  int64 loaded = 0;
};

// As the table says at this moment, not when the worker last looked: a view beside pg_stat_xtree_indexes must agree with it.
IndexCounts CountIndexes();

// That sessions keep of indexes at this moment.
int64 PrivateBytes();

// xtree.memory_budget; -1: no limit.
int64 BudgetBytes();

// What is used of the budget. REQUIRES: there is one, above 0.
double Pressure(const MemoryStatus& memory, int64 private_bytes);

}  // namespace xtree
