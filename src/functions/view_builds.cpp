// SQL function xtree_build_state(index oid, OUT built, OUT stale, OUT distinct_keys, OUT rows_per_key), behind the view
// pg_stat_xtree_indexes: what the meta page says. Anybody may call it: it tells numbers, as PostgreSQL's own statistics
// do, and no values. Where the index is locked, as while it is reindexed, the columns are NULL.
#include "functions/build_facts.h"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"

PG_FUNCTION_INFO_V1(xtree_build_state);
}

extern "C" Datum xtree_build_state(PG_FUNCTION_ARGS) {
  using namespace xtree;
  TupleDesc description;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) elog(ERROR, "return type must be a row type");
  const BuildFacts state = FactsOf(PG_GETARG_OID(0));
  const double keys = static_cast<double>(state.distinct_keys);
  const bool no_keys = !state.built || state.distinct_keys == 0;
  Datum values[] = {BoolGetDatum(state.built), BoolGetDatum(state.stale), Int64GetDatum(static_cast<int64>(state.distinct_keys)),
                    Float8GetDatum(no_keys ? 0 : static_cast<double>(state.counted_rows) / keys)};
  bool nulls[] = {!state.known, !state.known, no_keys, no_keys};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}
