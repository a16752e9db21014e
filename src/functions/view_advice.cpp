// SQL functions xtree_stat_columns(), a row per index of this database that has an entry in shared memory: which columns its scans asked for
// (shmem/column_use.h); and xtree_crowding(index oid): how many nodes of the tree lie over one place now (core/estimate/crowding.h). Both for the
// view xtree_recommendations; anybody may call them, as they tell how an index is used and what shape it has, and no value.
#include "core/estimate/crowding.h"
#include "functions/index_copies.h"
#include "functions/view_rows.h"
#include "index/index_access.h"
#include "index/index_state.h"
#include "pg/guard.h"
#include "pg/subtransaction.h"
#include "storage/buffer_store.h"

extern "C" {
#include "access/relation.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(xtree_stat_columns);
PG_FUNCTION_INFO_V1(xtree_crowding);
}

namespace xtree {

namespace {

struct Measurement {
  Oid index;
  double crowding;  // 0: not known
};

bool IsReadable(Relation index) {
  return IsXtreeIndex(index) && index->rd_index->indisvalid && !RELATION_IS_OTHER_TEMP(index) &&
         (RelationIsPermanent(index) || !RecoveryInProgress()) && RelationGetNumberOfBlocks(index) > 1;
}

// Its locks go with the subtransaction.
void Measure(void* argument) {
  auto* measurement = static_cast<Measurement*>(argument);
  if (get_rel_relkind(measurement->index) != RELKIND_INDEX || !ConditionalLockRelationOid(measurement->index, AccessShareLock)) return;
  const Relation index = try_relation_open(measurement->index, NoLock);
  if (index == nullptr) return;
  if (IsReadable(index)) {
    const IndexState* state = CopyIndexState(index, MetaUse::kRequired);
    if (state->build_state == MetaBuildState::kBuilt && !state->undecided)
      measurement->crowding = Guarded(index, [&] {
        BufferStore store(index, nullptr, state->layout);
        return CrowdingOfTop(store, state->layout);
      });
  }
  relation_close(index, NoLock);
}

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_stat_columns(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RowWriter row(fcinfo);
  if (!Counting()) return 0;
  const IndexCopies copies = CopyIndexes(MyDatabaseId);
  for (size_t i = 0; i < copies.count; i++) {
    const ColumnUseCopy& use = copies.copy[i].column_use;
    const uint64_t columns = use.asked & ~kAskedForValues;
    row.Id(copies.copy[i].index).Count(static_cast<int64>(columns)).Truth((use.asked & kAskedForValues) != 0);
    row.Count(use.scans).Time(use.since).Put();
  }
  return 0;
}

// NULL where it is locked, not built, one page, or damaged, of which its scans are to tell.
extern "C" Datum xtree_crowding(PG_FUNCTION_ARGS) {
  using namespace xtree;
  Measurement measurement = {PG_GETARG_OID(0), 0};
  if (RunInSubtransaction(Measure, &measurement) != nullptr || measurement.crowding == 0) PG_RETURN_NULL();
  PG_RETURN_FLOAT8(measurement.crowding);
}
