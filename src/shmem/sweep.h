// What the worker does where it runs, sessions do for themselves where there is none: entries of indexes that were dropped leave the table.
//
// A session that drops an index need not even have loaded this library. So it is the catalogs that are asked, and whoever makes the
// number of entries double, or reads how many there are, asks them.
#pragma once

#include "shmem/index_table.h"

namespace xtree {

// Removes entries of indexes and databases that are gone, unless a session holds a reference. REQUIRES: shared != nullptr, a transaction. May raise.
void SweepDropped();

// Likewise, if there are twice as many entries as the last sweep left. Never raises but for a cancel.
void SweepNowAndThen();

}  // namespace xtree
