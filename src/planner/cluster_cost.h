// What a search for the nearest vectors costs in an index of clusters.
//
// For cost.cpp. Reads nothing but the index's state and, for approximate searches, its model; may ereport.
#pragma once

#include "index/index_state.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// Does the path order by a vector that is kept in clusters?
bool OrdersByClusters(const IndexPath* path, const IndexState& state);
// Or ask for those within a distance?
bool SearchesClusters(const IndexPath* path, const IndexState& state);

struct ClusterCosts {
  Cost startup;  // before the first row
  Cost total;    // without what rows cost that are returned
};

// `share`: of the index's leaves that the conditions leave.
ClusterCosts CostOfClusters(PlannerInfo* root, const IndexPath* path, const IndexState& state, double share);

}  // namespace xtree
