// SQL function xtree_build_state(index oid, OUT built, OUT stale, OUT distinct_keys, OUT rows_per_key), behind the view
// pg_stat_xtree_indexes: what the meta page says. Anybody may call it: it tells numbers, as PostgreSQL's own statistics
// do, and no values.
//
// It waits for nobody: where the index is locked, as while it is reindexed, the columns are NULL. The lock that it
// takes is given back at once, and the relation is not opened, so that a view over thousands of indexes fills no cache.
#include "index/meta_page.h"
#include "pg/compat.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(xtree_build_state);
}

namespace xtree {

namespace {

struct ShownState {
  bool known;
  bool built;
  bool stale;
  uint64_t counted_rows;
  uint64_t distinct_keys;
};

struct IndexFile {
  bool found;
  bool temporary;
  bool permanent;
  pg::FileLocator locator;
};

IndexFile FindFile(Oid index) {
  IndexFile file = {};
  const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
  if (!HeapTupleIsValid(tuple)) return file;
  const auto* row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
  file.found = row->relkind == RELKIND_INDEX;
  file.temporary = row->relpersistence == RELPERSISTENCE_TEMP;
  file.permanent = row->relpersistence == RELPERSISTENCE_PERMANENT;
  file.locator = pg::LocatorOf(*row);
  ReleaseSysCache(tuple);
  return file;
}

// REQUIRES: a lock on the index.
ShownState ReadState(Oid index) {
  const IndexFile file = FindFile(index);
  if (!file.found) return {};
  if (file.temporary) return {true, true, false, 0, 0};  // never deferred; its pages are in its session's buffers
  const SMgrRelation storage = pg::OpenStorage(file.locator);
  if (!smgrexists(storage, MAIN_FORKNUM) || smgrnblocks(storage, MAIN_FORKNUM) == 0) return {};
  const MetaContent meta = TakeMeta(pg::ReadBufferOfFile(file.locator, kMetaBlock, file.permanent));
  if (meta.magic != kMetaMagic) return {};
  return {true, meta.build_state == static_cast<uint8_t>(MetaBuildState::kBuilt), (meta.build_flags & kMetaBuildStale) != 0,
          meta.counted_rows, meta.distinct_keys};
}

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_build_state(PG_FUNCTION_ARGS) {
  using namespace xtree;
  TupleDesc description;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) elog(ERROR, "return type must be a row type");
  const Oid index = PG_GETARG_OID(0);
  ShownState state = {};
  if (ConditionalLockRelationOid(index, AccessShareLock)) {
    state = ReadState(index);
    UnlockRelationOid(index, AccessShareLock);
  }
  const double keys = static_cast<double>(state.distinct_keys);
  const bool no_keys = !state.built || state.distinct_keys == 0;
  Datum values[] = {BoolGetDatum(state.built), BoolGetDatum(state.stale), Int64GetDatum(static_cast<int64>(state.distinct_keys)),
                    Float8GetDatum(no_keys ? 0 : static_cast<double>(state.counted_rows) / keys)};
  bool nulls[] = {!state.known, !state.known, no_keys, no_keys};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}
