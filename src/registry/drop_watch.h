// Sees to it that the shared index table forgets what a committed transaction dropped: an index, or a database with all of its.
//
// Installed by _PG_init in every process that may count (shared_state.h). A drop is noted when it is executed and takes effect when
// its transaction commits: the entry is marked, and the worker removes it. A prepared transaction's drops are not seen; those entries
// keep a few hundred bytes, and nothing else, until a restart.
#pragma once

namespace xtree {

void WatchDrops();

}  // namespace xtree
