// The worker's part in deferred builds: it starts a short-lived process ("xtree build") for each index that is queued,
// in the order of demand, at most xtree.max_build_workers at a time. The worker itself has no database and builds
// nothing.
#pragma once

#include "worker/held_indexes.h"

namespace xtree {

// Called by the worker in each round.
void StartBuilds(const IndexList& list);

}  // namespace xtree
