// See explain_scan.h.
#include "am/explain_scan.h"

#ifdef XTREE_EXPLAIN_OPTION

#include "am/tree_scan.h"

namespace xtree {

bool FindExplainNode(PlanState* plan, ExplainNode* out) {
  switch (nodeTag(plan)) {
    case T_IndexScanState: {
      const auto* state = reinterpret_cast<IndexScanState*>(plan);
      *out = {reinterpret_cast<IndexScan*>(plan->plan)->indexid, state->iss_ScanDesc, state->iss_SharedInfo, false};
      return true;
    }
    case T_IndexOnlyScanState: {
      const auto* state = reinterpret_cast<IndexOnlyScanState*>(plan);
      *out = {reinterpret_cast<IndexOnlyScan*>(plan->plan)->indexid, state->ioss_ScanDesc, state->ioss_SharedInfo, true};
      return true;
    }
    case T_BitmapIndexScanState: {
      const auto* state = reinterpret_cast<BitmapIndexScanState*>(plan);
      *out = {reinterpret_cast<BitmapIndexScan*>(plan->plan)->indexid, state->biss_ScanDesc, state->biss_SharedInfo, false};
      return true;
    }
    default:
      return false;
  }
}

ScanReport ReportOf(IndexScanDesc scan) {
  const auto* state = static_cast<const TreeScan*>(scan->opaque);
  ScanReport report = {};
  report.searches = scan->instrument != nullptr ? scan->instrument->nsearches : 0;
  report.work = state->window.work();
  report.work.Add(state->nearest.work());
  if (state->cluster_memory != nullptr) {
    const ClusterScan& scan_of_clusters = state->cluster_memory->scan;
    report.work.Add(scan_of_clusters.work());
    report.clusters = scan_of_clusters.cluster_work().clusters;
    report.codes = scan_of_clusters.cluster_work().codes;
    report.all_clusters = static_cast<uint64_t>(state->models->clusters());
    report.approximate = state->cluster_memory->options.approximate();
  }
  report.counts = state->reader.TotalCounts();
  report.distance_rechecks = state->distance_rechecks;
  return report;
}

}  // namespace xtree

#endif
