// SQL functions xtree_build_state(index oid, OUT built, OUT stale, OUT distinct_keys, OUT rows_per_key), behind the view pg_stat_xtree_indexes,
// and xtree_tree_state(index oid, OUT built_at, OUT height, OUT pages, OUT entries, OUT fill, OUT built_rows), behind xtree_recommendations: what the meta page
// says. Anybody may call them: they tell numbers, as PostgreSQL's own statistics do, and no values.
//
// They wait for nobody: where the index is locked, as while it is reindexed, the columns are NULL. The lock that it
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
PG_FUNCTION_INFO_V1(xtree_tree_state);
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

enum class FileKind { kNone, kTemporary, kIndex };

// The meta page of an index's file. kTemporary: its pages are in its session's buffers. kNone: there is none, or the index is locked, as while it is
// reindexed.
FileKind ReadMeta(Oid index, MetaContent* meta) {
  if (!ConditionalLockRelationOid(index, AccessShareLock)) return FileKind::kNone;
  FileKind kind = FileKind::kNone;
  const IndexFile file = FindFile(index);
  if (file.found && file.temporary) kind = FileKind::kTemporary;
  if (file.found && !file.temporary) {
    const SMgrRelation storage = pg::OpenStorage(file.locator);
    if (smgrexists(storage, MAIN_FORKNUM) && smgrnblocks(storage, MAIN_FORKNUM) > 0) {
      *meta = TakeMeta(pg::ReadBufferOfFile(file.locator, kMetaBlock, file.permanent));
      if (meta->magic == kMetaMagic) kind = FileKind::kIndex;
    }
  }
  UnlockRelationOid(index, AccessShareLock);
  return kind;
}

ShownState ReadState(Oid index) {
  MetaContent meta;
  const FileKind kind = ReadMeta(index, &meta);
  if (kind == FileKind::kNone) return {};
  if (kind == FileKind::kTemporary) return {true, true, false, 0, 0};  // never deferred
  return {true, meta.build_state == static_cast<uint8_t>(MetaBuildState::kBuilt), (meta.build_flags & kMetaBuildStale) != 0,
          meta.counted_rows, meta.distinct_keys};
}

// The used share of the leaves, by what an entry takes. Negative: nobody knows, as with INCLUDE columns, of whatever length.
double FillOfLeaves(const MetaContent& meta) {
  if (meta.levels == 0 || meta.level[0].pages == 0 || (meta.feature_flags & kFeatureInclude) != 0) return -1;
  double bytes = sizeof(TupleId);
  for (int i = 0; i < std::min<int>(meta.columns, kMaxColumns); i++)
    bytes += meta.column[i].dimensions * meta.column[i].width * (meta.column[i].extended + 1);
  return static_cast<double>(meta.level[0].entries) * bytes / (meta.level[0].pages * static_cast<double>(kSpecialOffset - kPageHeaderSize));
}

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_build_state(PG_FUNCTION_ARGS) {
  using namespace xtree;
  TupleDesc description;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) elog(ERROR, "return type must be a row type");
  const ShownState state = ReadState(PG_GETARG_OID(0));
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
  MetaContent meta;
  const bool known = ReadMeta(PG_GETARG_OID(0), &meta) == FileKind::kIndex && meta.levels <= kMaxLevel;
  if (!known) meta = {};
  int64 pages = 0;
  for (int level = 0; level < meta.levels; level++) pages += meta.level[level].pages;
  const double fill = FillOfLeaves(meta);
  Datum values[] = {TimestampTzGetDatum(meta.built_at * USECS_PER_SEC),
                    Int32GetDatum(meta.levels),
                    Int64GetDatum(pages),
                    Int64GetDatum(static_cast<int64>(meta.level[0].entries)),
                    Float8GetDatum(fill),
                    Int64GetDatum(static_cast<int64>(meta.counted_rows))};
  const bool nothing = meta.levels == 0;
  bool nulls[] = {meta.built_at == 0, nothing, nothing, nothing, fill < 0, nothing};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}
