// SQL functions xtree_estimate(statement text) and xtree_estimate(relation regclass, VARIADIC columns text[]): what an index would be like.
//
// AccessShareLock on the table, and on its partitions, of which the index would have one each. Rows are read with the transaction's snapshot.
#include "build/build_estimate.h"
#include "pg/compat.h"

extern "C" {
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(xtree_estimate);
PG_FUNCTION_INFO_V1(xtree_estimate_columns);
}

namespace xtree {

namespace {

void RequireTable(Relation relation) {
  const char kind = relation->rd_rel->relkind;
  const char* name = RelationGetRelationName(relation);
  if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW && kind != RELKIND_PARTITIONED_TABLE)
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("cannot create an index on \"%s\"", name),
                    errhint("Only tables, materialized views and partitioned tables have indexes.")));
  if (RELATION_IS_OTHER_TEMP(relation))
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot look at the temporary table \"%s\" of another session", name)));
  if (RecoveryInProgress() && kind != RELKIND_PARTITIONED_TABLE && !RelationIsPermanent(relation))
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("the unlogged table \"%s\" has no rows on a standby", name),
                    errhint("Ask its primary.")));
}

void AddTable(Oid table, const IndexStmt* statement, Oid asked, BuildEstimate* all) {
  const Relation heap = table_open(table, AccessShareLock);
  RequireTable(heap);
  const SketchedIndex sketch = SketchIndex(heap, statement, asked);
  if (heap->rd_rel->relkind != RELKIND_PARTITIONED_TABLE) AddEstimate(EstimateIndexBuild(heap, sketch), all);
  table_close(heap, NoLock);
}

// Of a partitioned table what its partitions' indexes take together. Foreign tables have none.
BuildEstimate EstimateFor(Oid table, const IndexStmt* statement) {
  BuildEstimate all = {};
  AddTable(table, statement, table, &all);  // a partitioned one is looked at for its privileges, and columns
  if (get_rel_relkind(table) != RELKIND_PARTITIONED_TABLE) return all;
  ListCell* cell;
  foreach (cell, find_all_inheritors(table, AccessShareLock, nullptr)) {
    const Oid partition = lfirst_oid(cell);
    const char kind = get_rel_relkind(partition);
    if (kind == RELKIND_RELATION) AddTable(partition, statement, table, &all);
  }
  return all;
}

Datum IntervalOf(double seconds) {
  auto* interval = static_cast<Interval*>(palloc0(sizeof(Interval)));
  constexpr double kMost = 1e9;
  interval->time = static_cast<TimeOffset>(std::min(seconds, kMost) * USECS_PER_SEC);
  return IntervalPGetDatum(interval);
}

Datum RowOf(FunctionCallInfo fcinfo, const BuildEstimate& estimate) {
  TupleDesc description;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) elog(ERROR, "return type must be a row type");
  const double now = static_cast<double>(maintenance_work_mem) * 1024;
  Datum values[] = {Int64GetDatum(static_cast<int64>(estimate.rows)),
                    Int64GetDatum(static_cast<int64>(estimate.sampled)),
                    Int64GetDatum(static_cast<int64>(estimate.bytes)),
                    Int32GetDatum(estimate.height),
                    Int64GetDatum(static_cast<int64>(estimate.memory)),
                    BoolGetDatum(estimate.memory <= now),
                    IntervalOf(estimate.seconds[0]),
                    IntervalOf(estimate.seconds[1])};
  bool nulls[std::size(values)] = {};
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls));
}

List* ColumnsOf(ArrayType* array) {
  Datum* element;
  bool* isnull;
  int count;
  List* columns = NIL;
  deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &element, &isnull, &count);
  for (int i = 0; i < count; i++) {
    if (isnull[i])
      ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a column of the index is NULL"), errhint("Name each column.")));
    columns = lappend(columns, ParseIndexColumn(TextDatumGetCString(element[i])));
  }
  if (columns == NIL)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("an index has at least one column"),
                    errhint("Name the columns after the table.")));
  return columns;
}

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_estimate(PG_FUNCTION_ARGS) {
  using namespace xtree;
  const IndexStmt* statement = ParseIndexStatement(text_to_cstring(PG_GETARG_TEXT_PP(0)));
  const Oid table = RangeVarGetRelid(statement->relation, AccessShareLock, false);
  return RowOf(fcinfo, EstimateFor(table, statement));
}

extern "C" Datum xtree_estimate_columns(PG_FUNCTION_ARGS) {
  using namespace xtree;
  const Oid table = PG_GETARG_OID(0);
  if (get_rel_name(table) == nullptr) ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no relation with OID %u", table)));
  IndexStmt* statement = makeNode(IndexStmt);
  statement->accessMethod = pstrdup("xtree");
  statement->relation = makeRangeVar(nullptr, get_rel_name(table), -1);
  statement->indexParams = ColumnsOf(PG_GETARG_ARRAYTYPE_P(1));
  return RowOf(fcinfo, EstimateFor(table, statement));
}
