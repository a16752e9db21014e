// Planner support functions and xtree indexes.
//
// A function such as PostGIS's ST_Intersects has a planner support function that turns a call into an index condition. It is
// told the operator family of the index's column, and may refuse families that it does not know. So where a type routine
// names a family of another access method with the very operators of the column's own, the planner is told that one. Plans
// are the same otherwise: the planner asks a family for operators and nothing else, and the executor goes by the catalog.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// Is it an index of this access method?
bool IsXtree(const IndexOptInfo* index);

// One that exists, and has all of the table's rows?
bool IsWholeXtree(const IndexOptInfo* index);

// One that exists, and has not all rows, but all that the query asks for?
bool HasAllRowsAskedFor(const IndexOptInfo* index);

// Called once, when the library is loaded: that is before the first index of a session is planned with, since the
// relation cache asks for the handler.
void OfferPlannerFamilies();

}  // namespace xtree
