// SQL functions xtree_build_state(index oid, OUT built, OUT stale, OUT distinct_keys, OUT rows_per_key), behind the view pg_stat_xtree_indexes,
// and xtree_tree_state(index oid, OUT built_at, OUT height, OUT pages, OUT entries, OUT fill, OUT built_rows, OUT built_crowding,
// OUT dimensions, OUT vectors, OUT outgrown_vectors, OUT drift), behind xtree_recommendations: what the
// meta page says. Anybody may call them: they tell numbers, as PostgreSQL's own statistics do, and no values. Where the index is locked, as while
// it is reindexed, the columns are NULL.
#include "functions/build_facts.h"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(xtree_build_state);
PG_FUNCTION_INFO_V1(xtree_tree_state);
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

extern "C" Datum xtree_tree_state(PG_FUNCTION_ARGS) {
  using namespace xtree;
  TupleDesc description;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) elog(ERROR, "return type must be a row type");
  const BuildFacts facts = FactsOf(PG_GETARG_OID(0));
  Datum values[] = {TimestampTzGetDatum(facts.built_at * USECS_PER_SEC),
                    Int32GetDatum(facts.height),
                    Int64GetDatum(static_cast<int64>(facts.pages)),
                    Int64GetDatum(static_cast<int64>(facts.entries)),
                    Float8GetDatum(facts.fill),
                    Int64GetDatum(static_cast<int64>(facts.counted_rows)),
                    Float8GetDatum(facts.built_crowding),
                    Int32GetDatum(facts.dimensions),
                    Int64GetDatum(static_cast<int64>(facts.vectors)),
                    Int64GetDatum(static_cast<int64>(facts.outgrown_vectors)),
                    Float8GetDatum(facts.drift)};
  const bool nothing = facts.height == 0;
  bool nulls[] = {facts.built_at == 0,       nothing, nothing, nothing, facts.fill < 0,  nothing,
                  facts.built_crowding == 0, nothing, nothing, nothing, facts.drift == 0};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}
