// See deferral.h. What PostgreSQL calls ambuild for is found from its own traces: the index that it says it reindexes,
// and what a rewrite of the table leaves while it goes on: a new file of this transaction, and beside the table the
// transient one that the rows were written to, which is dropped after the indexes are built.
//
// The former state of an index whose table is rewritten is in its former file, which stays until the transaction ends
// and is named by the version of its pg_class row that this transaction replaced last.
#include "deferred/deferral.h"

#include "index/meta_page.h"
#include "pg/compat.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "tcop/pquery.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace xtree {

namespace {

// CLUSTER, VACUUM FULL, ALTER TABLE and REFRESH MATERIALIZED VIEW rewrite by way of such a table (make_new_heap()).
// TRUNCATE needs none, but leaves the table empty, which is looked at first. Not by what the session shows of itself,
// which track_activities = off turns off.
bool IsRewriteOf(Relation heap) {
  if (!pg::NewInTransaction(heap)) return false;
  char transient[NAMEDATALEN];
  snprintf(transient, sizeof(transient), "pg_temp_%u", RelationGetRelid(heap));
  return OidIsValid(get_relname_relid(transient, RelationGetNamespace(heap)));
}

// REINDEX CONCURRENTLY makes a new index as CREATE INDEX CONCURRENTLY does; neither runs within a function.
bool IsConcurrentReindex(const IndexInfo* info) {
  return info->ii_Concurrent && ActivePortal != nullptr && ActivePortal->commandTag == CMDTAG_REINDEX;
}

// Was this version of a row replaced by the transaction that runs, and by a part of it that has not failed?
bool ReplacedHere(HeapTuple tuple) {
  const HeapTupleHeader header = tuple->t_data;
  if ((header->t_infomask & HEAP_XMAX_INVALID) != 0 || HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask)) return false;
  return TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(header));
}

// The file that the index had before its present one; InvalidOid: none in this transaction.
pg::FileLocator FormerFile(Relation index) {
  pg::FileLocator former = {};
  CommandId last = 0;
  const Relation classes = table_open(RelationRelationId, AccessShareLock);
  ScanKeyData key;
  ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(RelationGetRelid(index)));
  const SysScanDesc scan = systable_beginscan(classes, ClassOidIndexId, true, SnapshotAny, 1, &key);
  while (const HeapTuple tuple = systable_getnext(scan)) {
    const auto* row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    if (!ReplacedHere(tuple) || row->relfilenode == pg::FileNumberOf(index)) continue;
    const CommandId replaced = HeapTupleHeaderGetCmax(tuple->t_data);
    if (replaced < last) continue;
    last = replaced;
    former = pg::LocatorOf(*row);
  }
  systable_endscan(scan);
  table_close(classes, AccessShareLock);
  return former;
}

// Was the index built before its table was rewritten? Yes, where that cannot be told; no, where it was made by the same
// command, which left its building to the end.
bool WasBuilt(Relation index) {
  const pg::FileLocator file = FormerFile(index);
  if (pg::FileNumberOf(file) == InvalidOid || !smgrexists(pg::OpenStorage(file), MAIN_FORKNUM)) return true;
  if (smgrnblocks(pg::OpenStorage(file), MAIN_FORKNUM) == 0) return false;
  const MetaContent meta = TakeMeta(pg::ReadBufferOfFile(file, kMetaBlock, RelationIsPermanent(index)));
  return meta.magic != kMetaMagic || meta.build_state == static_cast<uint8_t>(MetaBuildState::kBuilt);
}

bool MayDefer(Relation index) {
  return BuildReloptionOf(index) == BuildReloption::kDeferred && index->rd_rel->relpersistence != RELPERSISTENCE_TEMP &&
         !index->rd_index->indisexclusion;
}

}  // namespace

bool MustDefer(Relation heap, Relation index, const IndexInfo* info) {
  if (!MayDefer(index)) return false;
  const bool reindex = ReindexIsProcessingIndex(RelationGetRelid(index));
  if (!reindex && !IsConcurrentReindex(info)) return true;
  if (RelationGetNumberOfBlocks(heap) == 0) return true;
  return reindex && IsRewriteOf(heap) && !WasBuilt(index);
}

bool InitForkIsUnbuilt(Relation index) { return MayDefer(index); }

}  // namespace xtree
