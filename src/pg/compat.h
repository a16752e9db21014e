// Every difference between PostgreSQL's major versions (15 and newer) that this project meets. No other file tests
// PG_VERSION_NUM.
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
#include "storage/proc.h"
#include "storage/procsignal.h"
#include "storage/sinvaladt.h"
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

// For a process without a database: from now on it is asked to close files before they go away, as sessions are.
inline void JoinProcSignal() {
  SharedInvalBackendInit(true);
#if PG_VERSION_NUM >= 180000
  ProcSignalInit(nullptr, 0);
#elif PG_VERSION_NUM >= 170000
  ProcSignalInit(false, 0);
#else
  ProcSignalInit(MyBackendId);
#endif
}

// Has idle sessions of a database look at the invalidation messages, which they would do only at their next statement.
inline void SignalCatchup(Oid database) {
  for (uint32 i = 0; i < ProcGlobal->allProcCount; i++) {
    const PGPROC& proc = ProcGlobal->allProcs[i];
    if (proc.pid == 0 || proc.pid == MyProcPid || proc.databaseId != database) continue;
#if PG_VERSION_NUM >= 170000
    if (proc.vxid.procNumber != INVALID_PROC_NUMBER) (void)SendProcSignal(proc.pid, PROCSIG_CATCHUP_INTERRUPT, proc.vxid.procNumber);
#else
    if (proc.backendId != InvalidBackendId) (void)SendProcSignal(proc.pid, PROCSIG_CATCHUP_INTERRUPT, proc.backendId);
#endif
  }
}

// A page of a permanent or unlogged relation's main fork, by the name of its file.
inline Buffer ReadBufferOfFile(const FileLocator& locator, BlockNumber block, bool permanent) {
  return ReadBufferWithoutRelcache(locator, MAIN_FORKNUM, block, RBM_NORMAL, nullptr, permanent);
}

// Appends a page to the relation: zeroed, pinned, exclusively locked before anybody else can reach it.
inline Buffer ExtendLocked(Relation rel) {
#if PG_VERSION_NUM >= 160000
  return ExtendBufferedRel(BMR_REL(rel), MAIN_FORKNUM, nullptr, EB_LOCK_FIRST);
#else
  const bool shared = !RELATION_IS_LOCAL(rel);
  if (shared) LockRelationForExtension(rel, ExclusiveLock);
  const Buffer buffer = ReadBuffer(rel, P_NEW);
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  if (shared) UnlockRelationForExtension(rel, ExclusiveLock);
  return buffer;
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
