// SQL function xtree_recall(index regclass, k integer, queries integer, distance text): how many of the k nearest rows searches with the
// session's settings find, beside exact ones, and how long both take.
//
// Queries are rows of the table, each of which looks for its neighbours. The caller must be allowed to read the table, and sees it as any query of
// his. The plans are made with the index where it serves at all. AccessShareLock, as queries take.
#include "index/index_access.h"
#include "index/index_state.h"
#include "pg/compat.h"
#include "pg/settings.h"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "parser/parse_func.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

PG_FUNCTION_INFO_V1(xtree_recall);
}

namespace xtree {

namespace {

struct Recall {
  double found;  // of the exact ones' rows
  double wanted;
  double exact_seconds;
  double seconds;
};

// The parts of statements about the index, as text.
struct IndexText {
  char* table;
  char* column;     // the vector: a column or an expression
  char* predicate;  // with AND before it
  Oid type;
  double rows;
};

// A column of an index as a query writes it. (The server's function is not in a header.)
char* ColumnText(Oid index, int column) {
  const Oid types[] = {OIDOID, INT4OID, BOOLOID};
  List* name = list_make2(makeString(pstrdup("pg_catalog")), makeString(pstrdup("pg_get_indexdef")));
  const Oid function = LookupFuncName(name, 3, types, false);
  return TextDatumGetCString(OidFunctionCall3(function, ObjectIdGetDatum(index), Int32GetDatum(column + 1), BoolGetDatum(false)));
}

// The first column that is kept in clusters.
IndexText TextOf(Oid oid) {
  RequireIndex(oid);
  const Relation index = index_open(oid, AccessShareLock);
  if (!IsXtreeIndex(index))
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not an xtree index", RelationGetRelationName(index))));
  const IndexState* state = CopyIndexState(index, MetaUse::kRequired);
  if (state->vectors.dimensions == 0)
    ereport(ERROR,
            (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("index \"%s\" keeps no vectors in clusters", RelationGetRelationName(index)),
             errdetail("Searches of other indexes are exact."),
             errhint("Vectors of more than %d dimensions are kept so, or with the option structure = clusters.", kMostDimensionsOfTree)));
  const Oid table = index->rd_index->indrelid;
  IndexText text{};
  text.table = quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
  text.column = ColumnText(oid, state->vectors.column);
  text.type = TupleDescAttr(RelationGetDescr(index), state->vectors.column)->atttypid;
  text.rows = std::max<double>(index->rd_rel->reltuples, 1);
  List* predicate = RelationGetIndexPredicate(index);
  text.predicate = pstrdup("");
  if (predicate != NIL) {
    List* context = deparse_context_for(get_rel_name(table), table);
    const auto* all = reinterpret_cast<Node*>(make_ands_explicit(predicate));
    text.predicate = psprintf(" AND (%s)", deparse_expression(const_cast<Node*>(all), context, false, false));
  }
  index_close(index, NoLock);
  return text;
}

void Set(const char* name, const char* value) {
  set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

SPIPlanPtr Prepare(const char* statement, int arguments, Oid* types) {
  const SPIPlanPtr plan = SPI_prepare(statement, arguments, types);
  if (plan == nullptr) elog(ERROR, "could not prepare \"%s\"", statement);
  return plan;
}

// The distances of the rows that it finds, ascending, into `distances`; returns their number.
int Search(SPIPlanPtr plan, Datum* arguments, double* distances, double* seconds) {
  instr_time begin, end;
  INSTR_TIME_SET_CURRENT(begin);
  if (SPI_execute_plan(plan, arguments, nullptr, true, 0) != SPI_OK_SELECT) elog(ERROR, "a search returns no rows");
  INSTR_TIME_SET_CURRENT(end);
  INSTR_TIME_SUBTRACT(end, begin);
  *seconds += INSTR_TIME_GET_DOUBLE(end);
  const auto found = static_cast<int>(SPI_processed);
  for (int i = 0; i < found; i++) {
    bool isnull;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);
    distances[i] = isnull ? std::numeric_limits<double>::infinity() : DatumGetFloat8(value);
  }
  SPI_freetuptable(SPI_tuptable);
  return found;
}

// A plan is made under the settings that it is to run with.
struct Searches {
  SPIPlanPtr exact;
  SPIPlanPtr asked;
};

void Compare(const Searches& searches, Datum* arguments, int k, double* memory, Recall* recall) {
  double *exact = memory, *asked = memory + k;
  const int nest = NewGUCNestLevel();
  Set("xtree.probes", "0");
  Set("xtree.search_epsilon", "-1");
  Set("xtree.recall_target", "1");
  const int wanted = Search(searches.exact, arguments, exact, &recall->exact_seconds);
  AtEOXact_GUC(true, nest);
  const int found = Search(searches.asked, arguments, asked, &recall->seconds);
  recall->wanted += wanted;
  if (wanted == 0) return;
  const double farthest = exact[wanted - 1];
  for (int i = 0; i < std::min(found, wanted); i++) recall->found += !(asked[i] > farthest);
}

// Rows with finite distances to themselves: others have no neighbours.
void TakeQueries(const IndexText& text, int queries, SPITupleTable** rows, int* count) {
  const double percent = std::min(100.0, 100.0 * (queries * 1.5 + 50) / text.rows);
  const char* statement = psprintf("SELECT ctid, %s FROM %s TABLESAMPLE BERNOULLI (%.9g) WHERE %s IS NOT NULL%s LIMIT %d", text.column,
                                   text.table, percent, text.column, text.predicate, queries);
  if (SPI_execute(statement, true, 0) != SPI_OK_SELECT) elog(ERROR, "could not take a sample");
  *rows = SPI_tuptable;
  *count = static_cast<int>(SPI_processed);
}

Recall Measure(const IndexText& text, const char* distance, int k, int queries) {
  SPITupleTable* rows;
  int count;
  TakeQueries(text, queries, &rows, &count);
  Oid types[] = {text.type, TIDOID};
  const char* statement =
      psprintf("SELECT (%s %s $1)::pg_catalog.float8 FROM %s WHERE ctid OPERATOR(pg_catalog.<>) $2%s ORDER BY %s %s $1 LIMIT %d",
               text.column, distance, text.table, text.predicate, text.column, distance, k);
  const Searches searches = {Prepare(statement, 2, types), Prepare(statement, 2, types)};
  auto* memory = static_cast<double*>(palloc(sizeof(double) * 2 * static_cast<Size>(k)));
  Recall recall{};
  for (int i = 0; i < count; i++) {
    bool isnull;
    Datum arguments[] = {SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull), SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull)};
    Compare(searches, arguments, k, memory, &recall);
  }
  return recall;
}

int RequirePositive(const char* name, int value, int most) {
  if (value >= 1 && value <= most) return value;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is %d, and must be from 1 to %d", name, value, most)));
}

const char* RequireDistance(const char* distance) {
  for (const char* known : {"<->", "<#>", "<=>", "<+>"})
    if (strcmp(distance, known) == 0) return known;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is not a distance of vectors", distance),
                  errhint("It is one of <->, <#>, <=> and <+>.")));
}

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_recall(PG_FUNCTION_ARGS) {
  using namespace xtree;
  const int k = RequirePositive("k", PG_GETARG_INT32(1), 10000), queries = RequirePositive("queries", PG_GETARG_INT32(2), 100000);
  const char* distance = RequireDistance(text_to_cstring(PG_GETARG_TEXT_PP(3)));
  TupleDesc description;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) elog(ERROR, "return type must be a row type");
  const IndexText text = TextOf(PG_GETARG_OID(0));
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "could not connect to SPI");
  const int nest = NewGUCNestLevel();
  Set("enable_seqscan", "off");
  Set("enable_sort", "off");
  const Recall recall = Measure(text, distance, k, queries);
  AtEOXact_GUC(true, nest);
  SPI_finish();
  const double searches = std::max(1.0, recall.wanted / k);
  Datum values[] = {Float8GetDatum(recall.wanted > 0 ? recall.found / recall.wanted : 1), Float8GetDatum(recall.seconds / searches * 1000),
                    Float8GetDatum(recall.exact_seconds / searches * 1000)};
  bool nulls[] = {recall.wanted == 0, recall.wanted == 0, recall.wanted == 0};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}
