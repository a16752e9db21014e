// What a backend asks of the worker, as it lies in shared memory. worker/requests.h posts, waits and serves.
#pragma once

#include "shmem/index_table.h"

namespace xtree {

enum class RequestKind : int {
  kLoad,        // admit the index `key` now
  kUnload,      // evict the index `key`
  kUnloadCold,  // evict the least recently used indexes until `amount` bytes are free
  kUnloadIdle,  // evict the indexes of database `key.database` (0: of all) that nobody used for `amount` microseconds
  kPinHot,      // pin the hottest pages now, at most `amount` bytes (0: as much as the settings allow)
  kUnpin,       // pin nothing of the index `key` until it is loaded anew; key.index 0: of no index of the database
};

struct RequestAnswer {
  int64 indexes;      // that it was done for
  int64 bytes;        // of memory freed or pinned
  int64 waiting;      // of `indexes`: still mapped, by sessions whose scans or statements go on; they let go when those end
  char problem[160];  // empty, or why it was not done
};

struct WorkerRequest {
  enum State : int { kFree, kPosted, kServing, kDone, kAbandoned };
  State state;
  uint64 number;  // order of posting
  RequestKind kind;
  IndexKey key;
  int64 amount;
  RequestAnswer answer;
};

inline constexpr int kWorkerRequests = 32;  // at the same time; more wait

}  // namespace xtree
