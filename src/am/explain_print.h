// The output of EXPLAIN (XTREE): a line of text on the index and two on the scan, zeroes left out; or one group "XTree" with all of it.
#pragma once

#include "am/explain_scan.h"

#ifdef XTREE_EXPLAIN_OPTION

namespace xtree {

// `report` is nullptr where the plan was not run. May read the tree's root.
void PrintIndex(Relation index, const ExplainNode& node, const ScanReport* report, ExplainState* es);

}  // namespace xtree

#endif
