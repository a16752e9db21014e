// Callbacks of other C code for the loading and unloading of an index in this backend (xtree.h). The registry fires them.
#pragma once

#include "pg/postgres_api.h"

namespace xtree {

// This backend has just mapped the index. Within a transaction, with a lock on the index; a callback may raise an ERROR, so the
// registry must be consistent: as after a mapping that no scan uses.
void FireLoad(Oid index);

// This backend has just let go of its mapping. At any moment at which invalidations are processed, outside of transactions and at
// exit too; callbacks neither touch catalogs nor raise.
void FireUnload(Oid index);

}  // namespace xtree
