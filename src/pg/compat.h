// Every difference between PostgreSQL's major versions (15 to 19) that this project meets is in the headers src/pg/compat*.h, and no other
// file tests PG_VERSION_NUM. Here: relations, their files and pages, WAL, settings. compat_version.h: which versions there are;
// compat_am.h: the access method's routine; compat_planner.h; compat_commands.h: what VACUUM, builds and checks call; compat_process.h: the
// worker and shared memory; compat_statistics.h: the server's cumulative statistics; compat_collation.h; compat_explain.h; compat_stream.h: read
// streams; compat_types.h: what operator classes call.
#pragma once

#include "pg/postgres_api.h"

#include <cstdlib>

extern "C" {
#include "access/gist_private.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "common/relpath.h"
#include "storage/fd.h"
#include "storage/lmgr.h"
#include "storage/smgr.h"
#include "utils/guc.h"
#include "utils/rangetypes.h"
}

namespace pg {

#if PG_VERSION_NUM >= 160000
using FileLocator = RelFileLocator;
using FileNumber = RelFileNumber;
inline const FileLocator& LocatorOf(Relation rel) { return rel->rd_locator; }
inline FileNumber FileNumberOf(Relation rel) { return rel->rd_locator.relNumber; }
inline FileNumber FileNumberOf(const FileLocator& locator) { return locator.relNumber; }
inline bool NewInTransaction(Relation rel) {
  return rel->rd_createSubid != InvalidSubTransactionId || rel->rd_newRelfilelocatorSubid != InvalidSubTransactionId ||
         rel->rd_firstRelfilelocatorSubid != InvalidSubTransactionId;
}
#else
using FileLocator = RelFileNode;
using FileNumber = Oid;
inline const FileLocator& LocatorOf(Relation rel) { return rel->rd_node; }
inline FileNumber FileNumberOf(Relation rel) { return rel->rd_node.relNode; }
inline FileNumber FileNumberOf(const FileLocator& locator) { return locator.relNode; }
// Was the relation, or its file, made by this transaction?
inline bool NewInTransaction(Relation rel) {
  return rel->rd_createSubid != InvalidSubTransactionId || rel->rd_newRelfilenodeSubid != InvalidSubTransactionId ||
         rel->rd_firstRelfilenodeSubid != InvalidSubTransactionId;
}
#endif

// Does the relation belong to one session, as a temporary one does?
inline bool BelongsToSession(Relation rel) {
#if PG_VERSION_NUM >= 170000
  return rel->rd_backend != INVALID_PROC_NUMBER;
#else
  return rel->rd_backend != InvalidBackendId;
#endif
}

// The file of a relation of this database, by its row of pg_class.
inline FileLocator LocatorOf(const FormData_pg_class& row) {
  return {row.reltablespace != InvalidOid ? row.reltablespace : MyDatabaseTableSpace, MyDatabaseId, row.relfilenode};
}

// A range as it is, without a call of its type's canonical function.
inline RangeType* SerializeRange(TypeCacheEntry* type, RangeBound* lower, RangeBound* upper) {
#if PG_VERSION_NUM >= 160000
  return range_serialize(type, lower, upper, false, nullptr);
#else
  return range_serialize(type, lower, upper, false);
#endif
}

// Path of the first segment, relative to the data directory, palloc()ed.
inline char* MainForkPath(const FileLocator& locator) {
#if PG_VERSION_NUM >= 180000
  return pstrdup(relpathperm(locator, MAIN_FORKNUM).str);
#else
  return relpathperm(locator, MAIN_FORKNUM);
#endif
}

// A permanent relation's files.
inline SMgrRelation OpenStorage(const FileLocator& locator) {
#if PG_VERSION_NUM >= 170000
  return smgropen(locator, INVALID_PROC_NUMBER);
#else
  return smgropen(locator, InvalidBackendId);
#endif
}
inline void CloseAllStorage() {
#if PG_VERSION_NUM >= 170000
  smgrdestroyall();
#else
  smgrcloseall();
#endif
}

// A page of a permanent or unlogged relation's main fork, by the name of its file.
inline Buffer ReadBufferOfFile(const FileLocator& locator, BlockNumber block, bool permanent, BufferAccessStrategy strategy = nullptr) {
  return ReadBufferWithoutRelcache(locator, MAIN_FORKNUM, block, RBM_NORMAL, strategy, permanent);
}

// Appends a page to the relation: zeroed, pinned, exclusively locked before anybody else can reach it.
inline Buffer ExtendLocked(Relation rel) {
#if PG_VERSION_NUM >= 160000
  BufferManagerRelation extended = {};  // as BMR_REL() names it, but for the warning of compilers that miss some of its fields
  extended.rel = rel;
  return ExtendBufferedRel(extended, MAIN_FORKNUM, nullptr, EB_LOCK_FIRST);
#else
  const bool shared = !RELATION_IS_LOCAL(rel);
  if (shared) LockRelationForExtension(rel, ExclusiveLock);
  const Buffer buffer = ReadBuffer(rel, P_NEW);
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  if (shared) UnlockRelationForExtension(rel, ExclusiveLock);
  return buffer;
#endif
}

// Runs `change`, which sets hints on a page that is locked shared, where that may be done now. From 19 on nobody changes
// a page under a share lock while it may be written (its checksum would be that of another moment), and the server says when one may.
template <typename Change>
void ChangeHints(Buffer buffer, Change change) {
#if PG_VERSION_NUM >= 190000
  if (!BufferBeginSetHintBits(buffer)) return;
  change();
  BufferFinishSetHintBits(buffer, true, true);
#else
  change();
  MarkBufferDirtyHint(buffer, true);
#endif
}

// The LSN of a change that is not logged, above that of every one before.
inline XLogRecPtr FakeLsn(Relation index) {
#if PG_VERSION_NUM >= 190000
  return XLogGetFakeLSN(index);
#else
  return gistGetFakeLSN(index);
#endif
}

// This process's part of a table that is scanned in parallel. From 19 on with options of the scan, none of which concerns a build.
inline TableScanDesc JoinParallelScan(Relation table, ParallelTableScanDesc scan) {
#if PG_VERSION_NUM >= 190000
  return table_beginscan_parallel(table, scan, SO_NONE);
#else
  return table_beginscan_parallel(table, scan);
#endif
}

// GiST's record of a deleted page's reuse.
inline void LogPageReuse(Relation index, Relation heap, BlockNumber block, FullTransactionId delete_xid) {
#if PG_VERSION_NUM >= 160000
  gistXLogPageReuse(index, heap, block, delete_xid);
#else
  (void)heap;
  gistXLogPageReuse(index, block, delete_xid);
#endif
}

// The newest transaction that removed one of these rows, which index entries known to be dead point to.
inline TransactionId LatestRemovedXid(Relation index, Relation heap, BlockNumber block, const xtree::TupleId* tuples, int count) {
  TM_IndexDeleteOp op = {};
  op.irel = index;
  op.iblknum = block;
  op.ndeltids = count;
  op.deltids = static_cast<TM_IndexDelete*>(palloc(count * sizeof(TM_IndexDelete)));
  op.status = static_cast<TM_IndexStatus*>(palloc0(count * sizeof(TM_IndexStatus)));
  for (int i = 0; i < count; i++) {
    op.deltids[i].tid = xtree::ToItemPointer(tuples[i]);
    op.deltids[i].id = static_cast<int16>(i);
    op.status[i].knowndeletable = true;
  }
  const TransactionId horizon = table_index_delete_tuples(heap, &op);
  pfree(op.deltids);
  pfree(op.status);
  return horizon;
}

// The full id of a transaction that lies in the past.
inline uint64_t FullXid(TransactionId xid) {
  const FullTransactionId next = ReadNextFullTransactionId();
  return U64FromFullTransactionId(next) - static_cast<uint32_t>(XidFromFullTransactionId(next) - xid);
}

// Before 16 both take a char pointer that they do not write through.
inline void ExtendFork(Relation rel, ForkNumber fork, BlockNumber block, const uint8_t* page) {
  smgrextend(RelationGetSmgr(rel), fork, block, reinterpret_cast<char*>(const_cast<uint8_t*>(page)), true);
}
inline void WriteFork(Relation rel, ForkNumber fork, BlockNumber block, const uint8_t* page) {
  smgrwrite(RelationGetSmgr(rel), fork, block, reinterpret_cast<char*>(const_cast<uint8_t*>(page)), true);
}

inline void RegisterBufferData(uint8_t id, const uint8_t* data, uint32_t length) {
  XLogRegisterBufData(id, reinterpret_cast<char*>(const_cast<uint8_t*>(data)), length);
}

// Some servers have storage managers of their own beside `md`: pages on other machines, encrypted files.
inline bool KeptInPlainFiles(Relation rel) { return RelationGetSmgr(rel)->smgr_which == 0; }

// Does the server bypass the page cache, so that a mapping and the server's writes know nothing of each other?
inline bool DirectIo() {
#if PG_VERSION_NUM >= 160000
  return (io_direct_flags & IO_DIRECT_DATA) != 0;
#else
  return false;
#endif
}

// Memory for the extra data of a setting's check hook; nullptr when there is none.
inline void* AllocateSettingExtra(size_t bytes) {
#if PG_VERSION_NUM >= 160000
  return guc_malloc(LOG, bytes);
#else
  return malloc(bytes);
#endif
}
inline void FreeSettingExtra(void* extra) {
#if PG_VERSION_NUM >= 160000
  guc_free(extra);
#else
  free(extra);
#endif
}

}  // namespace pg
