// What EXPLAIN (XTREE) says of a scan, taken from the node of a plan that is not ended yet. Plain data; nothing raises.
#pragma once

#include "pg/compat_explain.h"

#ifdef XTREE_EXPLAIN_OPTION

#include "core/scan/scan_work.h"
#include "registry/index_registry.h"

namespace xtree {

// A node that scans an index, of whatever access method.
struct ExplainNode {
  Oid index;
  IndexScanDesc scan;                       // nullptr: this process has not scanned
  SharedIndexScanInstrumentation* workers;  // nullptr: there were none
  bool index_only;
};
// False: it is another node.
bool FindExplainNode(PlanState* plan, ExplainNode* out);

// Over all starts of a scan.
struct ScanReport {
  uint64_t searches;  // as core counts them
  ScanWork work;
  ScanCounts counts;
  uint64_t distance_rechecks;
  uint64_t clusters;  // of vectors that were looked at, 0: none are in such
  uint64_t all_clusters;
  uint64_t codes;
  bool approximate;        // the search of clusters that began last
  uint64_t lost_searches;  // of workers that had no room for a report

  void Add(const ScanReport& o) {
    searches += o.searches;
    work.Add(o.work);
    counts.Add(o.counts);
    distance_rechecks += o.distance_rechecks;
    clusters += o.clusters;
    all_clusters = std::max(all_clusters, o.all_clusters);
    codes += o.codes;
    approximate |= o.approximate;
    lost_searches += o.lost_searches;
  }
};

// REQUIRES: the index is ours.
ScanReport ReportOf(IndexScanDesc scan);

}  // namespace xtree

#endif
