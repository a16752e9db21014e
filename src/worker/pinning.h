// Pinning: pages that the worker mlock()s in mappings of its own, so that they stay in memory whatever else happens.
//
// Within pin_memory_limit and RLIMIT_MEMLOCK, in this order: pages that requests pinned, hot pages of any index (hottest first),
// directory pages of paged indexes, whole resident indexes (the most recently used first), parts of those that do not fit whole (hottest pages
// first). Of streamed indexes nothing is pinned.
#pragma once

#include "worker/held_indexes.h"

namespace xtree {

// Locks what is to be locked now and unlocks the rest.
void RenewPins(const IndexList& list);

// Pins the hottest tracked pages now, whatever their hotness, `bytes` at most (0: what the settings allow), until they are unpinned
// or evicted. Returns the bytes pinned for it; *indexes: how many indexes they belong to.
int64 PinHottest(const IndexList& list, int64 bytes, int64* indexes);

// Unpins an index and forgets about it. Returns the bytes that were pinned.
int64 Unpin(SharedIndex* index);
// The same, and nothing of it is pinned again until it is loaded anew.
int64 UnpinUntilLoaded(SharedIndex* index);

}  // namespace xtree
