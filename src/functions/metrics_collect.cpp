// See metrics_indexes.h. No lock is held longer than for one index. Names are looked up for those that are listed; one that is gone by then is not
// listed.
#include "functions/exposition.h"
#include "functions/metrics_indexes.h"
#include "index/options.h"
#include "registry/file_mapping.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/index.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "storage/sinval.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace xtree {

namespace {

const IndexOptions* Parse(Datum reloptions, bool null) {
  return reinterpret_cast<const IndexOptions*>(xtreeoptions(null ? Datum{0} : reloptions, false));
}

bool IsDeferred(HeapTuple tuple, TupleDesc description) {
  bool null;
  const Datum reloptions = heap_getattr(tuple, Anum_pg_class_reloptions, description, &null);
  return !null && Parse(reloptions, null)->build == static_cast<int>(BuildReloption::kDeferred);
}

void Append(DatabaseFacts* database, int* room, const FormData_pg_class& row, bool deferred) {
  if (database->count == *room) {
    *room *= 2;
    database->index = static_cast<IndexFacts*>(repalloc_huge(database->index, sizeof(IndexFacts) * *room));
  }
  IndexFacts* facts = &database->index[database->count++];
  memset(static_cast<void*>(facts), 0, sizeof(*facts));
  facts->index = row.oid;
  facts->name_space = row.relnamespace;
  facts->name = row.relname;
  facts->rows = row.reltuples;
  facts->deferred = deferred;
  facts->file = FileOf(row);
  facts->build_progress = -1;
}

DatabaseFacts ReadCatalog() {
  int room = 256;
  const Relation classes = table_open(RelationRelationId, AccessShareLock);
  DatabaseFacts database = {static_cast<IndexFacts*>(palloc(sizeof(IndexFacts) * room)), 0, SharedInvalidMessageCounter};
  ScanKeyData key;
  ScanKeyInit(&key, Anum_pg_class_relam, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(get_index_am_oid("xtree", false)));
  const SysScanDesc scan = systable_beginscan(classes, InvalidOid, false, nullptr, 1, &key);
  while (const HeapTuple tuple = systable_getnext(scan)) {
    const auto* row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    if (row->relkind == RELKIND_INDEX) Append(&database, &room, *row, IsDeferred(tuple, RelationGetDescr(classes)));
  }
  systable_endscan(scan);
  table_close(classes, AccessShareLock);
  return database;
}

bool OidLess(const IndexFacts& a, const IndexFacts& b) { return a.index < b.index; }

void ReadShared(const DatabaseFacts& database) {
  if (!Counting()) return;
  const IndexCopies copies = CopyIndexes(MyDatabaseId);
  for (size_t i = 0; i < copies.count; i++) {
    IndexFacts wanted = {};
    wanted.index = copies.copy[i].index;
    IndexFacts* end = database.index + database.count;
    IndexFacts* facts = std::lower_bound(database.index, end, wanted, OidLess);
    if (facts == end || facts->index != wanted.index) continue;  // dropped, or made by a transaction that goes on
    facts->used = &copies.copy[i];
    facts->counters = facts->used->counters;
  }
  if (!ServerKeepsCounters()) return;
  for (int i = 0; i < database.count; i++) database.index[i].counters = ServersCounters({MyDatabaseId, database.index[i].index});
}

// A built index has a root, so more than a meta page. One that is not built has more only while a build goes on or after one that failed, and
// then mostly says so in the catalog or in shared memory: not where its option `build` was reset between that failure and the server's start.
bool SurelyBuilt(const IndexFacts& facts) {
  const bool wanted = facts.used != nullptr && (facts.used->build.stage != SharedBuildStage::kNone || facts.used->build.demand > 0);
  return facts.blocks > kRootBlock && !facts.deferred && !wanted;
}

// Reading ten thousand meta pages takes longer than all else. So it is done where somebody sees each, or where there is a doubt.
void ReadFiles(const DatabaseFacts& database) {
  const BufferAccessStrategy ring = GetAccessStrategy(BAS_BULKREAD);
  for (int i = 0; i < database.count; i++) {
    CHECK_FOR_INTERRUPTS();
    IndexFacts* facts = &database.index[i];
    if (!facts->file.temporary) (void)IdentifyFile(facts->file.locator, &facts->blocks);
    if (facts->labels == nullptr && SurelyBuilt(*facts)) {
      facts->build = {true, true, false, 0, 0};
    } else {
      facts->build = FactsOf(facts->index, facts->file, database.invalidations, ring);
    }
  }
  FreeAccessStrategy(ring);
}

// More scans come first, then more entries returned, then the older index.
bool MoreUsed(const IndexFacts* a, const IndexFacts* b) {
  for (const Counter counter : {Counter::kScans, Counter::kTuples}) {
    if (a->counters[counter] != b->counters[counter]) return a->counters[counter] > b->counters[counter];
  }
  return a->index < b->index;
}

LoadOptions OptionsOf(HeapTuple row) {
  bool null;
  const Datum reloptions = SysCacheGetAttr(RELOID, row, Anum_pg_class_reloptions, &null);
  return LoadOptionsOf(Parse(reloptions, null));
}

// Nothing where the index, its table or its schema is gone.
void Detail(IndexFacts* facts, const char* database_name) {
  const Oid table = IndexGetRelation(facts->index, true);
  const char* table_name = OidIsValid(table) ? get_rel_name(table) : nullptr;
  const char* schema_name = get_namespace_name(facts->name_space);
  const HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(facts->index));
  if (!HeapTupleIsValid(row)) return;
  facts->options = OptionsOf(row);
  ReleaseSysCache(row);
  if (table_name == nullptr || schema_name == nullptr) return;
  StringInfoData labels;
  initStringInfo(&labels);
  AppendLabel(&labels, "datname", database_name);
  AppendLabel(&labels, "schemaname", schema_name);
  AppendLabel(&labels, "relname", table_name);
  AppendLabel(&labels, "indexrelname", NameStr(facts->name));
  facts->labels = labels.data;
}

// By the view, which knows who may see what others are doing.
constexpr char kProgress[] =
    "SELECT index_relid, datid, blocks_done, blocks_total, tuples_done, tuples_total, lockers_done, lockers_total "
    "FROM pg_catalog.pg_stat_progress_create_index";

double Share(HeapTuple row, TupleDesc description) {
  for (int column = 3; column <= 7; column += 2) {
    bool done_null, total_null;
    const int64 done = DatumGetInt64(SPI_getbinval(row, description, column, &done_null));
    const int64 total = DatumGetInt64(SPI_getbinval(row, description, column + 1, &total_null));
    if (!done_null && !total_null && total > 0) return static_cast<double>(done) / static_cast<double>(total);
  }
  return -1;
}

void NoteProgress(const DatabaseFacts& database, HeapTuple row, TupleDesc description) {
  bool null;
  const Oid in_database = DatumGetObjectId(SPI_getbinval(row, description, 2, &null));
  if (null || in_database != MyDatabaseId) return;
  IndexFacts wanted = {};
  wanted.index = DatumGetObjectId(SPI_getbinval(row, description, 1, &null));
  IndexFacts* end = database.index + database.count;
  IndexFacts* facts = std::lower_bound(database.index, end, wanted, OidLess);
  if (!null && facts != end && facts->index == wanted.index) facts->build_progress = Share(row, description);
}

void ReadProgress(const DatabaseFacts& database) {
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
  if (SPI_execute(kProgress, true, 0) != SPI_OK_SELECT) elog(ERROR, "the progress of builds cannot be read");
  for (uint64 i = 0; i < SPI_processed; i++) NoteProgress(database, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
  SPI_finish();
}

// Temporary indexes are not: nothing of them is counted, and they come and go.
void DetailListed(const DatabaseFacts& database, int room) {
  auto** candidate = static_cast<IndexFacts**>(palloc(sizeof(IndexFacts*) * (database.count + 1)));
  int candidates = 0;
  for (int i = 0; i < database.count; i++) {
    if (!database.index[i].file.temporary) candidate[candidates++] = &database.index[i];
  }
  const int listed = std::min(room, candidates);
  std::partial_sort(candidate, candidate + listed, candidate + candidates, MoreUsed);
  const char* database_name = get_database_name(MyDatabaseId);
  for (int i = 0; i < listed; i++) Detail(candidate[i], database_name);
  pfree(candidate);
  if (listed > 0) ReadProgress(database);
}

}  // namespace

DatabaseFacts CollectIndexes(int room) {
  const DatabaseFacts database = ReadCatalog();
  std::sort(database.index, database.index + database.count, OidLess);
  ReadShared(database);
  DetailListed(database, room);
  ReadFiles(database);
  return database;
}

}  // namespace xtree
