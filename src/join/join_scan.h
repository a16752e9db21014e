// The executor's part of a tree join: a custom scan that walks through two trees (core/join/tree_join.h), fetches the rows of the pairs that it finds
// in batches, and tests all conditions on them again.
//
// Snapshots, SERIALIZABLE, mapped reads: as an index scan has them (am/scan.cpp): the query's MVCC snapshot, so that no pin outlives a page visit;
// under SERIALIZABLE every node of either tree that is visited is predicate-locked, and no page mapped. Where the executor checks a row anew that was
// locked (EvalPlanQual), the pair is made of the rows that it gives.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/extensible.h"
}

namespace xtree {

const CustomPathMethods* TreeJoinPathMethods();
const CustomScanMethods* TreeJoinScanMethods();

// Called once, when the library is loaded.
void RegisterTreeJoinScan();

}  // namespace xtree
