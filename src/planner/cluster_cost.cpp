// See cluster_cost.h.
//
// The server charges a table's distances with the table's own pages and one comparison a row, whatever it takes to fetch vectors that are stored
// out of line. So codes are priced in parts of what it thinks that the same rows of the table cost, by what was measured of both: then the index
// is chosen where it wins, and where the server is wrong about its own plans both are wrong alike. Pages are not charged for the same reason.
#include "planner/cluster_cost.h"

#include <cmath>

#include "am/cluster_order.h"
#include "index/vector_models.h"
#include "planner/limit_paths.h"
#include "pg/settings.h"

extern "C" {
#include "access/genam.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
}

namespace xtree {

namespace {

// Of a row's cost in the table, for its code (docs/vectors.md has the measurements).
constexpr double kCodeOfRow = 0.1;

// The share of the clusters that a search looks at before it returns a row.
double ShareLookedAt(const IndexPath* path, const IndexState& state) {
  if (state.vectors.model_id == 0) return 1;
  if (!ApproximateSearches()) return 1;
  const Relation index = index_open(path->indexinfo->indexoid, NoLock);
  const VectorModel& model = UseModel(index, state.vectors, CurrentMemoryContext);
  index_close(index, NoLock);
  const double clusters = model.clusters();
  double probes = settings.probes;
  if (probes <= 0) probes = settings.search_epsilon >= 0 ? std::sqrt(clusters) : ProbesForRecall(model, settings.recall_target);
  return probes <= 0 ? 1 : std::min(1.0, probes / clusters);
}

}  // namespace

bool OrdersByClusters(const IndexPath* path, const IndexState& state) {
  ListCell* cell;
  foreach (cell, path->indexorderbycols)
    if (IsInClusters(state, lfirst_int(cell))) return true;
  return false;
}

bool SearchesClusters(const IndexPath* path, const IndexState& state) {
  ListCell* cell;
  foreach (cell, path->indexclauses) {
    const IndexClause* clause = lfirst_node(IndexClause, cell);
    if (IsInClusters(state, clause->indexcol) && IsLimitClause(clause)) return true;
  }
  return OrdersByClusters(path, state);
}

ClusterCosts CostOfClusters(PlannerInfo* root, const IndexPath* path, const IndexState& state, double share) {
  QualCost distance;
  cost_qual_eval(&distance, path->indexorderbys, root);
  const Cost row = cpu_tuple_cost + distance.per_tuple;
  const double codes = share * std::max(path->indexinfo->tuples, 1.0);
  const Cost all = distance.startup + codes * row * kCodeOfRow;
  return {path->indexorderbys != NIL ? all * ShareLookedAt(path, state) : all, all};
}

}  // namespace xtree
