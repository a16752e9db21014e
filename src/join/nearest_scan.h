// The executor's part of a nearest join: a custom scan that takes the outer rows of its child, a nested loop, in batches, finds the nearest rows of
// each in the tree (core/join/batch_nearest.h), fetches them in the order of the heap, and has them pass through the expressions of the
// child's inner plan. Rows leave in the order of the outer rows, those of one in the order of their distances, as the nested loop would return them.
//
// Whatever is not as in the usual case is left to the child: single outer rows to its inner plan (nearest_batch.h), everything to the child itself
// where the plan is another than this node understands, where an MVCC snapshot is missing, and in EvalPlanQual.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/extensible.h"
}

namespace xtree {

const CustomPathMethods* NearestPathMethods();
const CustomScanMethods* NearestScanMethods();

// Called once, when the library is loaded.
void RegisterNearestScan();

}  // namespace xtree
