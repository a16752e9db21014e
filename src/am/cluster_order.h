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

// What the scan looks for in clusters.
struct ClusterSearch {
  const ScanKeyData* order;  // its ORDER BY; nullptr: the rows within a limit of the distance
  ScanKeyData limit_of;      // the limit's distance
  double limit;              // NaN: none
};

struct ClusterOrder {
  ClusterScan scan;
  ClusterScan::Options options;
  VectorQuery query[kMaxGenerations];
  bool null_query;
  bool nowhere;  // another process returns the rows of this parallel scan
  ClusterRow row;
};

// Is the scan's order that of a vector in clusters? Or has it none, but may be answered by a search of clusters, because its rows must be within a
// distance? Then so they are, in that order. An ERROR where it is one of several terms, or of an index-only scan, which the planner avoids.
// `limits_of_clusters`: among its keys are limits of distances from vectors in clusters.
bool FindClusterSearch(IndexScanDesc scan, const IndexState& state, bool limits_of_clusters, ClusterSearch* search);

// From what it looks for and the session's settings; without an ORDER BY exact. In the current memory context, which lasts as long as the keys.
// `models`: of the index.
void PrepareClusterOrder(const ClusterSearch& search, const IndexState& state, const ClusterModels& models, ClusterOrder* order);

// How many clusters are to be looked at for this recall of the 10 nearest, as it was measured when the model was made; 0: all.
uint32_t ProbesForRecall(const VectorModel& model, double recall);

// What the executor is to know of the order's current row.
void ReturnClusterRow(IndexScanDesc scan, const ClusterOrder& order);

}  // namespace xtree
