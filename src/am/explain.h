// EXPLAIN (XTREE): what is known of the xtree indexes that a plan scans and, with ANALYZE, what each scan did (docs/tuning.md).
//
//   explain.cpp          the option, and the hook that is called for each node of a plan
//   explain_scan.h       from a node of a running plan to what its scan counted
//   explain_workers.h    the same of parallel workers, whose nodes are gone when the plan is printed
//   explain_print.h      the properties, as text or structured
#pragma once

#include "pg/compat_explain.h"

namespace xtree {

// Called once, when the library is loaded. A server before 18 has no such thing, and says that it does not know the option.
#ifdef XTREE_EXPLAIN_OPTION
void OfferExplainOption();
#else
inline void OfferExplainOption() {}
#endif

}  // namespace xtree
