// Eviction: which indexes have to leave memory, and how they do.
//
// An index leaves in two steps. BeginUnload marks it and wakes the sessions that may have it mapped; running scans keep their mapping
// to their end. FinishUnloads, called again and again, frees the page cache of those that nobody maps any more.
#pragma once

#include "worker/held_indexes.h"

namespace xtree {

// False: there is nothing to let go.
bool BeginUnload(SharedIndex* index, UnloadReason reason);

// Returns how many are still mapped.
int FinishUnloads(const IndexList& list);

// What the settings ask for: idle timeout, quotas, memory budget.
void EvictBySettings(const IndexList& list);

// Files that went away, or became others: their mappings are let go. Entries of dropped indexes are removed.
void LetGoOfLostFiles(const IndexList& list);
void RemoveDropped(const IndexList& list);

// Begins to unload the least recently used indexes until `bytes` will be free. Calls begun(index, context) for each.
void UnloadCold(const IndexList& list, int64 bytes, UnloadReason reason, void (*begun)(SharedIndex* index, void* context), void* context);
// Those that nobody used for so long. database 0: any.
void UnloadIdle(const IndexList& list, Oid database, int64 idle_us, UnloadReason reason, void (*begun)(SharedIndex* index, void* context),
                void* context);

}  // namespace xtree
