// What scans in parallel workers did. A worker's plan ends with it, long before the leader prints its own, and of an index scan core hands over the
// number of searches alone. So a worker leaves reports in shared memory, of its own segment, which is there without preloading too; the leader
// takes them away when it prints the node.
//
// A report is of one leader, one query (by a hash of its text) and one node of its plan. Workers are asked for reports by a bit beside
// those of `instrument_options`, which core passes on to them: without it, no worker looks at anything here.
//
// Lock: the segment's own, for a walk through its places. There are few: where no place is free, what is lost is said (lost_searches).
#pragma once

#include "am/explain_scan.h"

#ifdef XTREE_EXPLAIN_OPTION

namespace xtree {

// Called once, when the library is loaded.
void OfferReportsOfWorkers();

// From now on, until the current memory context is reset: queries that are instrumented ask their workers for reports.
void AskWorkersForReports();

// The sum of what workers have left of this node. REQUIRES: they have ended.
ScanReport TakeReportOfWorkers(PlanState* plan, const ExplainNode& node);

}  // namespace xtree

#endif
