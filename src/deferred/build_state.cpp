// See build_state.h.
#include "deferred/build_state.h"

#include "core/estimate/crowding.h"
#include "index/meta_page.h"
#include "pg/compat.h"
#include "pg/settings.h"
#include "shmem/build_demand.h"

extern "C" {
#include "access/xact.h"
#include "replication/logicalworker.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
}

namespace xtree {

namespace {

[[noreturn]] void ReportUnbuilt(Relation index) {
  ereport(ERROR,
          (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("index \"%s\" is not built yet", RelationGetRelationName(index)),
           errdetail("It was created with build = deferred, and nobody has built it since."),
           errhint("CALL xtree_build('%s') builds it now, and so does REINDEX.", RelationGetRelationName(index))));
  pg_unreachable();
}

}  // namespace

// The build has waited for the snapshots of its own server, so that later ones may all use the index; but not for those
// of a standby.
bool UsableFrom(const IndexState& state, TransactionId xmin) {
  if (state.build_state != MetaBuildState::kBuilt) return false;
  if (state.usable_from_xid == 0 || !TransactionStartedDuringRecovery()) return true;
  return pg::FullXid(xmin) >= state.usable_from_xid;
}

// An apply worker looks rows up by any index that knows equality (from PostgreSQL 18 on), without a plan. It tries again after the ERROR.
void RequireBuilt(Relation index, IndexState* state) {
  if (state->build_state == MetaBuildState::kBuilt) return;
  if (RereadMeta(index, state) && state->build_state == MetaBuildState::kBuilt) return;
  if (IsLogicalWorker() && QueriesAskForBuilds()) NoteDemand(index->rd_index->indrelid, RelationGetRelid(index));
  ReportUnbuilt(index);
}

// The planner leaves such an index out; but a plan may be older than the snapshot that it is run with, where snapshots
// are imported.
void RequireUsable(Relation index, const IndexState& state, Snapshot snapshot) {
  if (!IsMVCCSnapshot(snapshot) || UsableFrom(state, snapshot->xmin)) return;
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("index \"%s\" was built after this transaction took its snapshot", RelationGetRelationName(index)),
                  errhint("Begin a new transaction.")));
}

void WriteUnbuilt(Relation index, const IndexState& state) {
  PageImage image;
  InitializeMetaPage(state, MetaBuildState::kUnbuilt, nullptr, 0, &image);
  AppendMetaPage(index, image);
}

// Under a share lock first: only the first of all writers needs the exclusive one, and each statement looks once.
void MarkStale(Relation index, IndexState* state) {
  if (state->stale) return;
  if ((TakeMeta(ReadBuffer(index, kMetaBlock)).build_flags & kMetaBuildStale) == 0) {
    EditMeta(index, [](MetaContent* meta) {
      if (meta->build_state == static_cast<uint8_t>(MetaBuildState::kUnbuilt)) meta->build_flags |= kMetaBuildStale;
    });
  }
  state->stale = true;
  if (index->rd_amcache != nullptr) static_cast<IndexState*>(index->rd_amcache)->stale = true;
}

void SetUnbuilt(Relation index) {
  EditMeta(index, [](MetaContent* meta) {
    meta->build_state = static_cast<uint8_t>(MetaBuildState::kUnbuilt);
    meta->levels = 0;
    memset(static_cast<void*>(meta->level), 0, sizeof(meta->level));
    memset(static_cast<void*>(meta->column_statistics), 0, sizeof(meta->column_statistics));
    meta->heap_spread = 0;
  });
  CacheInvalidateRelcache(index);
}

void SetReady(Relation index, const BuiltTree& built) {
  EditMeta(index, [&](MetaContent* meta) {
    meta->dimensions = 0;
    for (int i = 0; i < meta->columns; i++) {
      meta->column[i] = built.encoding[i];
      meta->dimensions = static_cast<uint16_t>(meta->dimensions + built.encoding[i].dimensions);
    }
    NoteVectors(built.vectors, meta);
    meta->build_state = static_cast<uint8_t>(MetaBuildState::kReady);
    meta->levels = static_cast<uint16_t>(built.statistics.levels);
    memcpy(static_cast<void*>(meta->level), built.statistics.level, meta->levels * sizeof(LevelStatistics));
    std::copy_n(built.statistics.column, meta->columns, meta->column_statistics);
    meta->heap_spread = built.statistics.heap_spread;
    NoteBuild(built.rows, built.distinct_keys, CrowdingOfTop(built.statistics.crowding, built.statistics.levels), meta);
  });
  CacheInvalidateRelcache(index);
}

void SetBuilt(Relation index, uint64_t usable_from_xid) {
  EditMeta(index, [=](MetaContent* meta) {
    meta->build_state = static_cast<uint8_t>(MetaBuildState::kBuilt);
    meta->build_flags &= ~kMetaBuildStale;
    meta->usable_from_xid = usable_from_xid;
  });
  CacheInvalidateRelcache(index);
}

}  // namespace xtree
