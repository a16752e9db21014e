// See column_use.h.
#include "shmem/column_use.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace xtree {

void InitializeColumnUse(ColumnUse* use) {
  pg_atomic_init_u64(&use->asked, 0);
  pg_atomic_init_u64(&use->scans, 0);
  pg_atomic_init_u64(&use->since, static_cast<uint64>(GetCurrentTimestamp()));
}

// The number of scans first: then it is at most too small for the bits.
void ResetColumnUse(ColumnUse* use) {
  pg_atomic_write_u64(&use->scans, 0);
  pg_atomic_write_u64(&use->asked, 0);
  pg_atomic_write_u64(&use->since, static_cast<uint64>(GetCurrentTimestamp()));
}

ColumnUseCopy CopyColumnUse(ColumnUse& use) {
  const auto scans = static_cast<int64>(pg_atomic_read_u64(&use.scans));
  return {pg_atomic_read_u64(&use.asked), scans, static_cast<int64>(pg_atomic_read_u64(&use.since))};
}

}  // namespace xtree
