// xtree.predictive_load: indexes that will be wanted are loaded ahead of time, with the pages that were in memory when they were last used.
//
//   before the hours at which an index is used daily or weekly, by its history (worker/sampling.h)
//   with the index that it follows in sessions: sessions ask for it (registry, shmem/successions.h)
//   after a restart, those that were loaded before
#pragma once

#include "registry/file_mapping.h"
#include "worker/held_indexes.h"

namespace xtree {

// Asks for indexes whose use is expected to begin soon.
void LoadExpected(const IndexList& list);
// Is the index kept, though nobody has used it for a while, because its use is expected now?
bool IsExpected(SharedIndex* index, TimestampTz now);

// Keeps what is in memory of an index that is about to be evicted.
void SaveHotSet(SharedIndex* index, const IndexStatus& status);
// The same of all that are loaded; now and then, and at a shutdown.
void SaveHotSetsNowAndThen(const IndexList& list);
void SaveHotSets(const IndexList& list);

// Once, when the server has started: asks for the indexes that were loaded before, the last used ones first, as far as xtree.memory_budget goes.
void RestoreHotSets();

// Of an index that was asked for ahead and is now loaded: reads in the pages that were in memory, and takes the hot ones for hot.
void ReadHotSetIn(SharedIndex* index, const FileMapping& mapping);

}  // namespace xtree
