#include "index/index_access.h"

#include "index/options.h"
#include "pg/compat_commands.h"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
}

namespace xtree {

namespace {

void Require(IndexRight right, Oid table, Oid index) {
  const bool granted = right == IndexRight::kMaintain ? pg::MayMaintain(table, index, GetUserId()) : pg::OwnsRelation(index, GetUserId());
  if (!granted) aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, get_rel_name(index));
}

void RequireUsable(Relation index) {
  if (!IsXtreeIndex(index))
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not an xtree index", RelationGetRelationName(index))));
  if (RELATION_IS_OTHER_TEMP(index))
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot look at the temporary index \"%s\" of another session", RelationGetRelationName(index))));
  if (!index->rd_index->indisvalid)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("index \"%s\" is not valid", RelationGetRelationName(index)),
                    errhint("Its creation has not finished or has failed; REINDEX it or drop it.")));
}

}  // namespace

void RequireIndex(Oid oid) {
  const char kind = get_rel_relkind(oid);
  const char* name = get_rel_name(oid);
  if (name == nullptr) ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no relation with OID %u", oid)));
  if (kind == RELKIND_PARTITIONED_INDEX)
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is a partitioned index", name),
                    errhint("Name the index of a partition; pg_partition_tree lists them.")));
  if (kind != RELKIND_INDEX) ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not an index", name)));
}

bool IsXtreeIndex(Relation index) { return index->rd_indam != nullptr && index->rd_indam->amoptions == xtreeoptions; }

OpenIndex OpenXtreeIndex(Oid oid, LOCKMODE lock, IndexRight right) {
  RequireIndex(oid);
  const Oid heap_oid = IndexGetRelation(oid, false);
  Require(right, heap_oid, oid);
  OpenIndex open{};
  open.heap = table_open(heap_oid, lock);
  open.index = index_open(oid, lock);
  if (open.index->rd_index->indrelid != heap_oid)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("index with OID %u was dropped and made anew meanwhile", oid)));
  Require(right, heap_oid, oid);
  RequireUsable(open.index);
  return open;
}

OwnerContext SwitchToOwner(Relation heap) {
  OwnerContext context;
  GetUserIdAndSecContext(&context.user, &context.security);
  SetUserIdAndSecContext(heap->rd_rel->relowner, context.security | SECURITY_RESTRICTED_OPERATION);
  context.settings = NewGUCNestLevel();
  pg::RestrictNames();
  return context;
}

void SwitchBack(const OwnerContext& context) {
  AtEOXact_GUC(false, context.settings);
  SetUserIdAndSecContext(context.user, context.security);
}

void CloseIndex(const OpenIndex& open, LOCKMODE lock) {
  index_close(open.index, lock);
  table_close(open.heap, lock);
}

}  // namespace xtree
