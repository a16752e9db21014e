// SQL procedure xtree_build(index regclass): builds a deferred index now and waits for it. A procedure, because it
// commits: it must hold no snapshot while it waits for those of others. For the index's owner; a partitioned index
// stands for those of all partitions.
#include "index/index_access.h"
#include "deferred/deferred_build.h"
#include "pg/compat_commands.h"
#include "pg/guard.h"

extern "C" {
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(xtree_build);
}

namespace xtree {

namespace {

void RequireOwnTransaction(FunctionCallInfo fcinfo) {
  const auto* context = reinterpret_cast<const CallContext*>(fcinfo->context);
  if (context != nullptr && IsA(context, CallContext) && !context->atomic && !IsSubTransaction()) return;
  ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                  errmsg("xtree_build() cannot run inside a transaction block, a function or an exception block"),
                  errdetail("It waits for the transactions of others, in transactions of its own."),
                  errhint("CALL it as a statement of its own.")));
}

// The indexes to build: the index, or those of all partitions. Ereports unless the caller may build them.
List* IndexesToBuild(Oid oid) {
  if (get_rel_relkind(oid) != RELKIND_PARTITIONED_INDEX) {
    CloseIndex(OpenXtreeIndex(oid, AccessShareLock, IndexRight::kMaintain), AccessShareLock);
    return list_make1_oid(oid);
  }
  if (!pg::MayMaintain(IndexGetRelation(oid, false), oid, GetUserId())) aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, get_rel_name(oid));
  List* leaves = NIL;
  ListCell* cell;
  foreach (cell, find_all_inheritors(oid, AccessShareLock, nullptr))
    if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_INDEX) leaves = lappend_oid(leaves, lfirst_oid(cell));
  return leaves;
}

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_build(PG_FUNCTION_ARGS) {
  using namespace xtree;
  if (PG_ARGISNULL(0)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("index must not be null")));
  RequireOwnTransaction(fcinfo);
  PreventCommandDuringRecovery("xtree_build()");
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  const List* indexes = IndexesToBuild(PG_GETARG_OID(0));
  SPI_commit();  // while it waits for another build of the table, that one must not wait for its snapshot
  const ListCell* cell;
  foreach (cell, indexes) (void)BuildDeferredIndex(lfirst_oid(cell), Waiting::kQueued);
  SPI_finish();
  PG_RETURN_VOID();
}
