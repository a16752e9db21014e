// The functions behind the view pg_stat_xtree_indexes: what shared memory knows of the indexes of this database, the storage
// parameters of an index that nobody has touched, and the size of a file.
//
// Anybody may call them, as anybody may read PostgreSQL's own statistics, but for errors (error_access.h). They open no relation and take
// no lock on one: a view over thousands of indexes neither fills the relation cache nor waits for a REINDEX. Entries are copied under the
// table's locks first; rows are made from the copies.
#include "index/index_state.h"
#include "registry/file_mapping.h"
#include "functions/error_access.h"
#include "functions/index_copies.h"
#include "functions/view_rows.h"

extern "C" {
PG_FUNCTION_INFO_V1(xtree_preloaded);
PG_FUNCTION_INFO_V1(xtree_counted);
PG_FUNCTION_INFO_V1(xtree_stat_indexes);
PG_FUNCTION_INFO_V1(xtree_storage_options);
PG_FUNCTION_INFO_V1(xtree_file_bytes);
}

namespace xtree {

namespace {

void Put(RowWriter& row, const IndexCopy& index) {
  row.Id(index.index).Text(NameOf(index.state));
  row.Text(index.strategy == Strategy::kAuto ? "" : NameOf(index.strategy));
  const bool mapped = Preloaded();  // else nothing is, and nobody measures
  const auto put = [&](int64 count) { row.Add(Int64GetDatum(count), !mapped); };
  put(index.mapped_by > 0 ? index.blocks * BLCKSZ : 0);
  put(index.resident_bytes);
  put(index.pinned_bytes);
  row.Add(Int32GetDatum(static_cast<int>(index.mapped_by)), !mapped);
  const CounterValues counters = ServerKeepsCounters() ? ServersCounters({MyDatabaseId, index.index}) : index.counters;
  put(counters[Counter::kLoads]);
  put(counters[Counter::kUnloads]);
  put(counters[Counter::kEvictions]);
  row.Count(counters[Counter::kScans]).Count(counters[Counter::kTuples]);
  put(counters[Counter::kMappedPages]);
  row.Count(counters[Counter::kBufferPages]).Count(counters[Counter::kAbsentPages]);
  put(counters[Counter::kRetries]);
  put(counters[Counter::kFaults]);
  row.Count(counters[Counter::kPrefetches]).Duration(counters[Counter::kPrefetchUs]);
  row.Time(index.first_access).Time(index.last_access);
  if (index.load_us == 0) {
    row.Null();
  } else {
    row.Duration(index.load_us);
  }
  row.Text(MayReadErrors(index.index) ? index.last_error : "").Time(index.last_error_time);
  row.Text(NameOf(index.build.stage)).Count(static_cast<int64>(index.build.demand)).Time(index.build.next_try).Put();
}

bool HasEntry(IndexKey key) {
  SharedIndex* index = FindSharedIndex(key);
  if (index == nullptr) return false;
  ReleaseSharedIndex(index);
  return true;
}

// The server may know more than our table, which begins empty and takes what our own file has.
void PutOthersOfServer(RowWriter& row) {
  ListCell* cell;
  foreach (cell, IndexesWithServersCounters(MyDatabaseId)) {
    IndexCopy other = {};
    other.index = lfirst_oid(cell);
    if (!HasEntry({MyDatabaseId, other.index})) Put(row, other);
  }
}

}  // namespace

}  // namespace xtree

// xtree_preloaded() returns bool: do a worker and mappings exist?
extern "C" Datum xtree_preloaded(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  PG_RETURN_BOOL(xtree::Preloaded());
}

// xtree_counted() returns bool: is there shared memory, so that uses are counted?
extern "C" Datum xtree_counted(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  PG_RETURN_BOOL(xtree::Counting());
}

// A row per index of this database that has an entry in shared memory, or counters of the server's; none without shared memory.
extern "C" Datum xtree_stat_indexes(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RowWriter row(fcinfo);
  if (!Counting()) return 0;
  const IndexCopies copies = CopyIndexes(MyDatabaseId);
  for (size_t i = 0; i < copies.count; i++) Put(row, copies.copy[i]);
  PutOthersOfServer(row);
  return 0;
}

// xtree_storage_options(reloptions text[], OUT strategy, OUT preload, OUT memory_quota): how pg_class.reloptions says that an index
// is loaded, defaults included.
extern "C" Datum xtree_storage_options(PG_FUNCTION_ARGS) {
  using namespace xtree;
  TupleDesc description;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) elog(ERROR, "return type must be a row type");
  const Datum reloptions = PG_ARGISNULL(0) ? Datum{0} : PG_GETARG_DATUM(0);
  const LoadOptions options = LoadOptionsOf(reinterpret_cast<const IndexOptions*>(xtreeoptions(reloptions, false)));
  Datum values[] = {CStringGetTextDatum(NameOf(options.strategy)), BoolGetDatum(options.preload),
                    Int64GetDatum(int64{options.memory_quota_kb} * 1024)};
  bool nulls[] = {false, false, options.memory_quota_kb < 0};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}

// xtree_file_bytes(tablespace oid, filenode oid): length of a permanent or unlogged relation's main fork; NULL where there is no file
// of that name in this database any more.
extern "C" Datum xtree_file_bytes(PG_FUNCTION_ARGS) {
  using namespace xtree;
  const Oid tablespace = PG_GETARG_OID(0);
  uint64_t blocks;
  const FileIdentity file =
      IdentifyFile({tablespace == InvalidOid ? MyDatabaseTableSpace : tablespace, MyDatabaseId, PG_GETARG_OID(1)}, &blocks);
  if (file.inode == 0) PG_RETURN_NULL();
  PG_RETURN_INT64(static_cast<int64>(blocks) * BLCKSZ);
}
