// Which major versions of PostgreSQL this project is written for, headers that only some of them have, and their pages' headers. For
// postgres_api.h; what else differs is in compat.h.
#pragma once

#if PG_VERSION_NUM < 150000
#error "xtree needs PostgreSQL 15 or newer"
#elif PG_VERSION_NUM >= 200000
#error "xtree knows PostgreSQL 15 to 19: a newer one needs a look at src/pg/compat*.h first"
#endif

// Was part of postgres.h.
#if PG_VERSION_NUM >= 160000
extern "C" {
#include "varatt.h"
}
#endif

namespace pg {

// Where the halves of a page's LSN are in it. From 19 on it is one number, which on a little-endian machine is kept with its halves exchanged.
#if PG_VERSION_NUM >= 190000
constexpr size_t kLsnHighAt = 0, kLsnLowAt = 4;
#else
constexpr size_t kLsnHighAt = offsetof(PageXLogRecPtr, xlogid), kLsnLowAt = offsetof(PageXLogRecPtr, xrecoff);
#endif

inline void WriteChecksum(Page page, BlockNumber block) {
#if PG_VERSION_NUM >= 190000
  PageSetChecksum(page, block);
#else
  PageSetChecksumInplace(page, block);
#endif
}

}  // namespace pg
