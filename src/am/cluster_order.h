// Scans in the order of a vector's distance over an index of clusters: core/cluster/cluster_scan.h with what a scan of PostgreSQL has.
//
// Rows come in the order of lower bounds, and the executor computes their distances and puts them in order. Plain data; may ereport.
#pragma once

#include "core/cluster/cluster_scan.h"
#include "index/index_state.h"

extern "C" {
#include "access/relscan.h"
}

namespace xtree {

struct ClusterOrder {
  ClusterScan scan;
  ClusterScan::Options options;
  VectorQuery query;
  bool null_query;
  bool nowhere;  // another process returns the rows of this parallel scan
  ClusterRow row;
};

// May its rows be found by a search of clusters, although it has no order by them: because they must be within a distance? Then so they are, in
// that order.
bool LimitsClusters(IndexScanDesc scan, const IndexState& state);

// Is the scan's order that of a vector in clusters? An ERROR where it is one of several terms, or of an index-only scan, which the planner avoids.
bool OrdersByClusters(IndexScanDesc scan, const IndexState& state);

// From the scan's ORDER BY and the session's settings; or, without an ORDER BY, from a limit of a distance, and then exact. In the current memory
// context, which lasts as long as the keys. `model`: of the index.
void PrepareClusterOrder(IndexScanDesc scan, const IndexState& state, const VectorModel& model, ClusterOrder* order);

// How many clusters are to be looked at for this recall of the 10 nearest, as it was measured when the model was made; 0: all.
uint32_t ProbesForRecall(const VectorModel& model, double recall);

// What the executor is to know of the order's current row.
void ReturnClusterRow(IndexScanDesc scan, const ClusterOrder& order);

}  // namespace xtree
