// What outlives the server: pg_stat/xtree.stat holds the indexes to load at the start of the server, and after a clean shutdown the
// statistics of all indexes. A file that is damaged, or of another version, is ignored.
#pragma once

#include "worker/held_indexes.h"

namespace xtree {

// The first worker of a server's life: reads the file, makes entries, asks for the preloaded ones. Logs a report of what is known.
void RestoreIndexes();

// Writes the list of indexes to preload, if it has changed since it was written last.
void SavePreloadList(const IndexList& list);

// At a shutdown: writes everything.
void SaveStatistics();

}  // namespace xtree
