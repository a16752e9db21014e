// The order in which the server tests a scan's or a join's conditions on a row: by what security and cost say.
//
// In the planner; may read the catalog. No locks.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// The RestrictInfos in that order; those that are alike in both stay as they are.
List* InOrderOfTests(PlannerInfo* root, const List* conditions);

}  // namespace xtree
