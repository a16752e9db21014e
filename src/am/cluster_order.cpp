// See cluster_order.h.
#include "am/cluster_order.h"

#include "am/limit_keys.h"
#include "pg/settings.h"

extern "C" {
#include "access/skey.h"
#include "utils/datum.h"
}

namespace xtree {

namespace {

// 64 bytes are the alignment that queries ask for.
void* PallocAligned(Size bytes) {
  constexpr uintptr_t kAlignment = 64;
  const auto memory = reinterpret_cast<uintptr_t>(palloc(bytes + kAlignment));
  return reinterpret_cast<void*>((memory + kAlignment - 1) / kAlignment * kAlignment);
}

VectorMetric MetricOf(const XtreeVectorRoutine& routine, StrategyNumber strategy) {
  switch (routine.metric(strategy)) {
    case XTREE_METRIC_EUCLID:
      return VectorMetric::kEuclid;
    case XTREE_METRIC_INNER_PRODUCT:
      return VectorMetric::kInnerProduct;
    case XTREE_METRIC_COSINE:
      return VectorMetric::kCosine;
    case XTREE_METRIC_TAXICAB:
      return VectorMetric::kTaxicab;
  }
  elog(ERROR, "unrecognized metric of vectors");
}

VectorQuery QueryOf(const ScanKeyData& key, const XtreeVectorRoutine& routine, const VectorModel& model) {
  const int dimensions = model.dimensions();
  auto* coordinates = static_cast<double*>(palloc(sizeof(double) * dimensions));
  routine.coordinates(key.sk_argument, dimensions, coordinates);
  constexpr int kOtherRoundings = 8;  // of a root, of differences and products
  VectorQuery query(model, MetricOf(routine, key.sk_strategy), coordinates, routine.rounding * (dimensions + kOtherRoundings),
                    PallocAligned(VectorQuery::QueryBytes(dimensions)));
  query.RankClusters(static_cast<double*>(palloc_extended(sizeof(double) * 2 * static_cast<Size>(model.clusters()), MCXT_ALLOC_HUGE)));
  return query;
}

// Of each generation as many clusters as its own calibration says. None is left out of those that say nothing.
void TakeRecall(const ClusterModels& models, ClusterScan::Options* options) {
  options->probes = ProbesForRecall(models.model(models.newest()), settings.recall_target);
  for (int g = 0; g < models.newest(); g++) {
    const uint32_t probes = ProbesForRecall(models.model(g), settings.recall_target);
    options->probes_of[g] = probes > 0 ? probes : static_cast<uint32_t>(models.model(g).clusters());
  }
}

// The first of the settings that is set; none: exact.
void TakeSettings(const ClusterModels& models, ClusterScan::Options* options) {
  if (settings.probes > 0)
    options->probes = static_cast<uint32_t>(settings.probes);
  else if (settings.search_epsilon >= 0)
    options->epsilon = settings.search_epsilon;
  else if (settings.recall_target < 1)
    TakeRecall(models, options);
}

// `a` may be of NULL, from which nothing has a distance.
bool IsSameDistance(const ScanKeyData& a, const ScanKeyData& b) {
  return (a.sk_flags & SK_ISNULL) == 0 && a.sk_strategy == b.sk_strategy && a.sk_subtype == b.sk_subtype &&
         datum_image_eq(a.sk_argument, b.sk_argument, false, -1);
}

// The first limit of a distance from a vector in clusters: of this one, if it is said. Others are left to the executor, as this one is in the end.
bool FindLimit(IndexScanDesc scan, const IndexState& state, const ScanKeyData* of, ScanKey distance, double* limit) {
  for (int i = 0; i < scan->numberOfKeys; i++) {
    const ScanKeyData& key = scan->keyData[i];
    if (!IsLimitKey(key) || !IsInClusters(state, key.sk_attno - 1)) continue;
    if (!DistanceOfLimit(scan->indexRelation, key, distance, limit)) continue;
    if (of == nullptr || IsSameDistance(*of, *distance)) return true;
  }
  return false;
}

}  // namespace

bool FindClusterSearch(IndexScanDesc scan, const IndexState& state, bool limits_of_clusters, ClusterSearch* search) {
  bool in_clusters = false;
  for (int i = 0; i < scan->numberOfOrderBys; i++) in_clusters |= IsInClusters(state, scan->orderByData[i].sk_attno - 1);
  if (in_clusters && scan->numberOfOrderBys > 1) elog(ERROR, "an order by vectors in clusters cannot have further terms");
  if (in_clusters && scan->xs_want_itup) elog(ERROR, "an index-only scan cannot order by vectors in clusters");
  search->order = in_clusters ? &scan->orderByData[0] : nullptr;
  const bool may_limit = limits_of_clusters && (in_clusters || (scan->numberOfOrderBys == 0 && !scan->xs_want_itup));
  const bool limited = may_limit && FindLimit(scan, state, search->order, &search->limit_of, &search->limit);
  if (!limited) search->limit = std::numeric_limits<double>::quiet_NaN();
  return in_clusters || limited;
}

void PrepareClusterOrder(const ClusterSearch& search, const IndexState& state, const ClusterModels& models, ClusterOrder* order) {
  const ScanKeyData& key = search.order != nullptr ? *search.order : search.limit_of;
  order->nowhere = false;
  order->null_query = (key.sk_flags & SK_ISNULL) != 0;
  order->options = {};
  order->options.most_waiting = std::max<Size>(work_mem * Size{1024} / 16, 1024);
  if (order->null_query) return;
  const XtreeVectorRoutine& routine = *state.column[state.vectors.column].routine->vectors;
  for (int g = 0; g < models.count(); g++) order->query[g] = QueryOf(key, routine, models.model(g));
  order->options.limit = search.limit;
  if (search.order != nullptr) TakeSettings(models, &order->options);
}

uint32_t ProbesForRecall(const VectorModel& model, double recall) {
  for (const ProbeCalibration& calibration : model.head().calibration) {
    if (calibration.probes == 0) break;
    if (calibration.recall >= recall) return calibration.probes;
  }
  return 0;
}

void ReturnClusterRow(IndexScanDesc scan, const ClusterOrder& order) {
  if (scan->numberOfOrderBys == 0) return;
  scan->xs_orderbynulls[0] = order.row.null;
  scan->xs_orderbyvals[0] = Float8GetDatum(order.row.null ? 0 : order.row.bound);
  scan->xs_recheckorderby = !order.row.null;
}

}  // namespace xtree
