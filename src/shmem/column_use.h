// Which columns of an index its scans have conditions on, or are ordered by: a bit each, set once, so that a scan costs a look at it.
//
// A part of the index's entry in our own table on all servers, because bits are no counters. They begin with the entry, with each start of the server
// and with pg_stat_xtree_reset(), and so does the number of scans beside them, which says how much it means that a bit is not set.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "port/atomics.h"
}

namespace xtree {

inline constexpr uint64_t AskedColumn(int column) { return uint64_t{1} << column; }
inline constexpr uint64_t kAskedForValues = uint64_t{1} << 63;  // an index-only scan

struct ColumnUse {
  pg_atomic_uint64 asked;
  pg_atomic_uint64 scans;
  pg_atomic_uint64 since;  // TimestampTz
};

struct ColumnUseCopy {
  uint64_t asked;
  int64 scans;
  int64 since;
};

void InitializeColumnUse(ColumnUse* use);
void ResetColumnUse(ColumnUse* use);
ColumnUseCopy CopyColumnUse(ColumnUse& use);

inline void NoteColumnUse(ColumnUse* use, uint64_t asked, uint64_t scans) {
  if ((pg_atomic_read_u64(&use->asked) & asked) != asked) (void)pg_atomic_fetch_or_u64(&use->asked, asked);
  (void)pg_atomic_fetch_add_u64(&use->scans, static_cast<int64>(scans));
}

}  // namespace xtree
