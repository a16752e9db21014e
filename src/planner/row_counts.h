// The planner's row counts, corrected by what the trees know.
//
// PostgreSQL's estimators answer with a constant for most operators of types without an order: a thousandth of the rows lies in any box. The
// planner asks them before it makes paths, where nobody can come between. So when it has made the first table's paths
// (set_rel_pathlist_hook), all tables of the query are gone through once: the selectivity that is cached with each condition of that kind
// (RestrictInfo.norm_selec, .outer_selec) is replaced by what the tree says, and from these the tables' rows, those of tables that they are
// partitions of, and those of paths that depend on other tables. Then the paths are made again. Joins are planned afterwards, so their
// sizes follow. Where conditions are several columns of one index, the tree sees how they are correlated, and its rows are the table's.
//
// Nothing of the catalog, of operators or of functions is altered. Estimators that look at statistics (ranges, networks, scalars, PostGIS) are left
// alone where there is one condition.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// Called once, when the library is loaded, after the other hooks of the planner.
void CorrectRowCounts();

// Has that been done for this query? Paths that are made before will be made again.
bool RowCountsAreCorrected(PlannerInfo* root);

}  // namespace xtree
