// A table's paths, made again where its row counts were corrected after the server had made them.
//
// Used by row_counts.cpp and heap_work.cpp.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// Paths that are not the server's own stay.
void MakePathsAgain(PlannerInfo* root, RelOptInfo* rel);

// The server's own, with these of the table's indexes, in place of all that there are.
void MakePathsWith(PlannerInfo* root, RelOptInfo* rel, List* some_indexes);

}  // namespace xtree
