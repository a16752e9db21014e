// Does ambuild build an index, or leave it unbuilt? Asked where an index gets a new file, with the table locked.
//
//   CREATE INDEX [CONCURRENTLY]                 unbuilt
//   REINDEX in any form                         built, unless the table is empty
//   TRUNCATE, CLUSTER, VACUUM FULL,             as it was; unbuilt where the table is empty now
//   ALTER TABLE that rewrites the table
//
// That is with build = deferred. Built at once whatever the option says: indexes of temporary tables, which only their
// own session could build later, and those of exclusion constraints, which must know every row.
#pragma once

#include "index/index_state.h"

extern "C" {
#include "nodes/execnodes.h"
}

namespace xtree {

bool MustDefer(Relation heap, Relation index, const IndexInfo* info);

// Of the init fork of an unlogged index, which stands for an empty table.
bool InitForkIsUnbuilt(Relation index);

}  // namespace xtree
