// Which major versions of PostgreSQL this project is written for, and headers that only some of them have. For postgres_api.h; what else differs
// is in compat.h.
#pragma once

#if PG_VERSION_NUM < 150000
#error "xtree needs PostgreSQL 15 or newer"
#elif PG_VERSION_NUM >= 190000
#error "xtree knows PostgreSQL 15 to 18: a newer one needs a look at src/pg/compat*.h first"
#endif

// Was part of postgres.h.
#if PG_VERSION_NUM >= 160000
extern "C" {
#include "varatt.h"
}
#endif
