// SQL function xtree_metrics() returns text: what the views tell, in the text format of Prometheus. Anybody may call it, as the views, because it has
// their numbers and none of their texts.
#include "functions/metrics.h"

extern "C" {
#include "fmgr.h"

PG_FUNCTION_INFO_V1(xtree_metrics);
}

extern "C" Datum xtree_metrics(PG_FUNCTION_ARGS) {
  using namespace xtree;
  (void)fcinfo;
  Exposition exposition = {};
  ExposeIndexes(&exposition);
  ExposeServer(&exposition);
  PG_RETURN_DATUM(exposition.Text());
}
