// Opening an index for the inspection functions: is it an xtree index, and may the caller look at it?
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "storage/lockdefs.h"
}

#include "core/page_store.h"

namespace xtree {

// Is its access method ours?
bool IsXtreeIndex(Relation index);

// Ereports unless there is an index with this OID, of whatever access method, but for partitioned ones (ERRCODE_UNDEFINED_OBJECT,
// ERRCODE_WRONG_OBJECT_TYPE).
void RequireIndex(Oid oid);

// Whom it belongs to, as what functions show of it looks past row security; or who may build, load and unload it, who is, with PostgreSQL 17
// and newer, also whoever has MAINTAIN on the table.
enum class IndexRight { kOwn, kMaintain };

// Opens the table and its index with `lock`, the table first. Ereports: not an xtree index (ERRCODE_WRONG_OBJECT_TYPE), another
// session's temporary one (ERRCODE_FEATURE_NOT_SUPPORTED), not yet valid (ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), not the caller's
// right (ERRCODE_INSUFFICIENT_PRIVILEGE).
struct OpenIndex {
  Relation heap;
  Relation index;
};
OpenIndex OpenXtreeIndex(Oid index, LOCKMODE lock, IndexRight right = IndexRight::kOwn);

// From here on functions of the index (expressions, predicates) run as the table's owner and cannot change the session, as in every
// maintenance command; an ERROR switches back by itself.
struct OwnerContext {
  Oid user;
  int security;
  int settings;
};
OwnerContext SwitchToOwner(Relation heap);
void SwitchBack(const OwnerContext& context);

void CloseIndex(const OpenIndex& open, LOCKMODE lock);

}  // namespace xtree
