// Which of an operator family's operators is equality, for what core does with an index without a query of its own (from PostgreSQL 18 on).
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "access/stratnum.h"
}

namespace xtree {

// InvalidStrategy: none is. Only what B-tree takes for equality counts, not `~=` of geometry. May read the catalog and ereport.
StrategyNumber EqualStrategyOf(Oid family);

}  // namespace xtree
