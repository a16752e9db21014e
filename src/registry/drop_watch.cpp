// See drop_watch.h. The list of this transaction's drops lives in its memory context; each holds a reference to the entry, so that
// nothing that may fail is left to do after the commit.
#include "registry/drop_watch.h"

#include "pg/compat_process.h"
#include "registry/index_registry.h"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "commands/defrem.h"
#include "utils/syscache.h"
}

namespace xtree {

namespace {

struct Drop {
  SharedIndex* index;
  int level;  // of the (sub)transaction that it stands and falls with
  Drop* next;
};

Drop* drops = nullptr;
object_access_hook_type previous_hook = nullptr;

// Where there is no worker only the entry that this session has itself, for its registry to forget: the rest is not left to those that drop, who
// may have loaded the library too late to notice (shmem/sweep.h).
SharedIndex* EntryOf(IndexKey key) {
  if (Preloaded()) return FindSharedIndex(key);
  SharedIndex* index = RegisteredEntryOf(key.index);
  if (index != nullptr) pg_atomic_fetch_add_u32(&index->references, 1);
  return index;
}

// The memory first: an ERROR must not leave with the reference.
void NoteIndex(IndexKey key) {
  auto* drop = static_cast<Drop*>(MemoryContextAlloc(TopTransactionContext, sizeof(Drop)));
  *drop = {EntryOf(key), GetCurrentTransactionNestLevel(), drops};
  if (drop->index != nullptr) {
    drops = drop;
  } else {
    pfree(drop);
  }
}

// Nobody can be connected to it any more, so no entry can be added.
void NoteDatabase(Oid database) {
  struct Found {
    Oid database;
    IndexKey* key;
    int count;
    int room;
  } found = {database, nullptr, 0, 0};
  // Twice, because the visit must not allocate: to count, and to collect.
  const auto visit = [](SharedIndex* index, void* argument) {
    auto* all = static_cast<Found*>(argument);
    if (index->key.database != all->database) return;
    if (all->count < all->room) all->key[all->count] = index->key;
    all->count++;
  };
  ForEachSharedIndex(visit, &found);
  found.room = found.count;
  found.key = static_cast<IndexKey*>(palloc(sizeof(IndexKey) * std::max(1, found.room)));
  found.count = 0;
  ForEachSharedIndex(visit, &found);
  for (int i = 0; i < std::min(found.count, found.room); i++) NoteIndex(found.key[i]);
  pfree(found.key);
}

bool IsXtreeIndex(Oid relation) {
  const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
  if (!HeapTupleIsValid(tuple)) return false;
  const auto* row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
  const bool is_index = row->relkind == RELKIND_INDEX;
  const Oid method = row->relam;
  ReleaseSysCache(tuple);
  return is_index && method == get_am_oid("xtree", true);
}

void OnObjectAccess(ObjectAccessType access, Oid class_id, Oid object, int column, void* argument) {
  if (previous_hook != nullptr) previous_hook(access, class_id, object, column, argument);
  if (access != OAT_DROP || shared == nullptr || column != 0) return;
  if (class_id == RelationRelationId && IsXtreeIndex(object)) {
    NoteIndex({MyDatabaseId, object});
    DropCountersAtCommit({MyDatabaseId, object});
  }
  if (class_id == DatabaseRelationId && Preloaded()) NoteDatabase(object);
}

void Commit() {
  const bool any = drops != nullptr;
  for (; drops != nullptr; drops = drops->next) {
    {
      SharedIndexLock lock(drops->index);
      drops->index->dropped = true;
    }
    ReleaseSharedIndex(drops->index);
  }
  if (any) WakeWorker();
}

// Forgets the drops of this level and those within it.
void Forget(int level) {
  while (drops != nullptr && drops->level >= level) {
    ReleaseSharedIndex(drops->index);
    drops = drops->next;
  }
}

void OnTransactionEnd(XactEvent event, void*) {
  switch (event) {
    case XACT_EVENT_COMMIT:
      Commit();
      break;
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PREPARE:
      Forget(0);
      break;
    default:
      break;
  }
}

// Drops are noted with ascending levels, newest first: a subtransaction's are at the head of the list.
void OnSubtransactionEnd(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
  const int level = GetCurrentTransactionNestLevel();
  if (event == SUBXACT_EVENT_ABORT_SUB) Forget(level);
  if (event != SUBXACT_EVENT_COMMIT_SUB) return;
  for (Drop* drop = drops; drop != nullptr && drop->level >= level; drop = drop->next) drop->level = level - 1;
}

}  // namespace

void WatchDrops() {
  if (!Preloaded() && !pg::kNamedSegments) return;
  previous_hook = object_access_hook;
  object_access_hook = OnObjectAccess;
  RegisterXactCallback(OnTransactionEnd, nullptr);
  RegisterSubXactCallback(OnSubtransactionEnd, nullptr);
}

}  // namespace xtree
