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

double ProbesOf(const VectorModel& model, double clusters_of_newest) {
  const double clusters = model.clusters();
  if (settings.probes > 0) return settings.probes * clusters / clusters_of_newest;
  if (settings.search_epsilon >= 0) return std::sqrt(clusters);
  const uint32_t probes = ProbesForRecall(model, settings.recall_target);
  return probes > 0 ? probes : clusters;
}

// The share of the codes that a search looks at before it returns a row: of each generation those of some clusters.
double ShareLookedAt(const IndexPath* path, const IndexState& state) {
  if (!ApproximateSearches() || state.vectors.generations == 0) return 1;
  const Relation index = index_open(path->indexinfo->indexoid, NoLock);
  const UsedModels& used = UseModels(index, CurrentMemoryContext);
  index_close(index, NoLock);
  const ClusterModels& models = used.models;
  double rows = 0, looked_at = 0;
  for (int g = 0; g < models.count(); g++) {
    const VectorModel& model = models.model(g);
    const double of_generation = static_cast<double>(used.facts.generation[g].rows) + 1;
    rows += of_generation;
    looked_at += of_generation * std::min(1.0, ProbesOf(model, models.model(models.newest()).clusters()) / model.clusters());
  }
  return looked_at / rows;
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
