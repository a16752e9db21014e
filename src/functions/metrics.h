// The parts of xtree_metrics(). Names of indexes and tables are labels; nothing of what is in them is.
#pragma once

#include "functions/exposition.h"

namespace xtree {

// xtree_index_* and xtree_database_*: the indexes of this database, as pg_stat_xtree_indexes and pg_stat_xtree_builds have them.
void ExposeIndexes(Exposition* exposition);

// xtree_memory_*, xtree_worker_*, xtree_events_total and the histograms: the whole server.
void ExposeServer(Exposition* exposition);

}  // namespace xtree
