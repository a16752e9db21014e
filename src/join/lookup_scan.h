// The executor's part of a lookup join: a custom scan that takes its outer rows in batches, goes down the inner table's tree once for each
// (core/join/batch_lookup.h), fetches what it finds in the order of the heap, and tests on each pair what the keys do not say for certain.
//
// Snapshots, SERIALIZABLE, mapped reads, EvalPlanQual: as a tree join has them (join_scan.h).
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/extensible.h"
}

namespace xtree {

const CustomPathMethods* LookupPathMethods();
const CustomScanMethods* LookupScanMethods();

// Called once, when the library is loaded.
void RegisterLookupScan();

}  // namespace xtree
