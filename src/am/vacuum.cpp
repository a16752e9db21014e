// ambulkdelete and amvacuumcleanup: one physical walk over the index (core/write/tree_vacuum.h says what it locks and why), then empty leaves
// are unlinked, the free space map is brought up to date and the meta page's statistics are renewed; and in the end an index of clusters may get new
// ones (am/vacuum_clusters.h).
//
// A cleanup without a bulkdelete before it (nothing was dead, or INDEX_CLEANUP off then) walks as well, with nothing to remove: pages
// that a crash leaked or that have become reusable are found only so. An ANALYZE does nothing. Neither is there anything to do in an
// index that is not built.
#include "deferred/build_state.h"
#include "am/entry_points.h"
#include "am/vacuum_clusters.h"
#include "index/meta_page.h"
#include "core/write/tree_vacuum.h"
#include "pg/compat_commands.h"
#include "pg/guard.h"
#include "storage/buffer_store.h"

extern "C" {
#include "access/genam.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"
}

namespace xtree {

namespace {

BlockNumber PagesNow(Relation index) {
  return PgCall([&] {
    const bool shared = !RELATION_IS_LOCAL(index);
    if (shared) LockRelationForExtension(index, ExclusiveLock);
    const BlockNumber pages = RelationGetNumberOfBlocks(index);
    if (shared) UnlockRelationForExtension(index, ExclusiveLock);
    return pages;
  });
}

// Splits may extend the index while it is walked: until no new block appears.
void WalkAllBlocks(Relation index, BufferStore* store, TreeVacuum* vacuum) {
  BlockNumber block = kRootBlock;
  for (BlockNumber pages = PagesNow(index); block < pages; pages = PagesNow(index)) {
    store->WillOpenRange(block, pages);
    for (; block < pages; block++) {
      PgCall([] { pg::VacuumDelayPoint(); });
      vacuum->Process(block);
    }
  }
}

void RenewStatistics(Relation index, const TreeVacuum& vacuum, const ClusterCounts* clusters, BufferStore* store) {
  std::vector<LevelStatistics> levels = vacuum.levels();
  levels.resize(std::min<size_t>(levels.size(), kMaxLevel));
  const uint64_t now = store->NextTransactionId();
  ColumnStatistics column[kMaxColumns];
  vacuum.leaf_sample().Fit(levels.empty() ? 0 : levels[0].nodes, column);
  const float heap_spread = vacuum.leaf_sample().HeapSpread();
  PgCall([&] {
    EditMeta(index, [&](MetaContent* meta) {
      for (size_t i = 0; i < levels.size(); i++) {
        levels[i].overlap = i < meta->levels ? meta->level[i].overlap : 0;  // measured by builds
        meta->level[i] = levels[i];
      }
      meta->levels = static_cast<uint16_t>(levels.size());
      std::copy_n(column, meta->columns, meta->column_statistics);
      meta->heap_spread = heap_spread;
      meta->statistics_xid = now;
      if (clusters != nullptr) clusters->Note(meta);
    });
  });
}

// nullptr: there are none.
TreeVacuum::Clusters WatchClusters(ClusterCounts* clusters, BufferStore* store) {
  if (clusters == nullptr) return {};
  clusters->FindClosed(store);
  return {[clusters](const NodeView& leaf) { clusters->AddLeaf(leaf); }, [clusters](uint64_t id) { return clusters->UsesModel(id); }};
}

void Walk(const IndexVacuumInfo* info, IndexBulkDeleteCallback dead, void* callback_state, IndexBulkDeleteResult* result) {
  const Relation index = info->index;
  const IndexState* state = CopyIndexState(index, MetaUse::kRequired);
  if (!TakesRows(*state)) {
    result->estimated_count = true;  // of what is not there yet
    return;
  }
  if (state->undecided) {  // empty; rows that come now decide the layout, so no page may be looked at
    result->num_pages = RelationGetNumberOfBlocks(index);
    return;
  }
  ClusterCounts* clusters = ClusterCounts::Begin(index, *state);
  const VacuumResult walked = Guarded(index, [&] {
    BufferStore store(index, nullptr, state->layout, info->strategy);
    const auto is_dead = [&](TupleId tuple) {
      ItemPointerData pointer = ToItemPointer(tuple);
      return dead != nullptr && PgCall([&] { return dead(&pointer, callback_state); });
    };
    TreeVacuum vacuum(store, state->layout, is_dead, WatchClusters(clusters, &store));
    WalkAllBlocks(index, &store, &vacuum);
    vacuum.Finish();
    RenewStatistics(index, vacuum, clusters, &store);
    return vacuum.result();
  });
  ForgetIndexState(index);
  result->num_pages = RelationGetNumberOfBlocks(index);
  result->estimated_count = info->estimated_count;
  result->num_index_tuples = static_cast<double>(walked.entries_left);
  result->tuples_removed += static_cast<double>(walked.entries_removed);
  result->pages_newly_deleted += walked.pages_newly_deleted;
  result->pages_deleted = walked.pages_deleted;
  result->pages_free = walked.pages_free;
}

// Not in one that keeps no vectors in clusters, or nothing yet.
void RenewClustersOf(const IndexVacuumInfo* info) {
  const IndexState* state = CopyIndexState(info->index, MetaUse::kRequired);
  if (state->build_state == MetaBuildState::kBuilt && !state->undecided && state->vectors.dimensions != 0) RenewClusters(info, *state);
  ForgetIndexState(info->index);
}

IndexBulkDeleteResult* NewResult() { return static_cast<IndexBulkDeleteResult*>(palloc0(sizeof(IndexBulkDeleteResult))); }

}  // namespace

}  // namespace xtree

extern "C" IndexBulkDeleteResult* xtreebulkdelete(IndexVacuumInfo* info, IndexBulkDeleteResult* result, IndexBulkDeleteCallback dead,
                                                  void* state) {
  if (result == nullptr) result = xtree::NewResult();
  xtree::Walk(info, dead, state, result);
  return result;
}

extern "C" IndexBulkDeleteResult* xtreevacuumcleanup(IndexVacuumInfo* info, IndexBulkDeleteResult* result) {
  if (info->analyze_only) return result;
  if (result == nullptr) {
    result = xtree::NewResult();
    xtree::Walk(info, nullptr, nullptr, result);
  }
  xtree::RenewClustersOf(info);
  IndexFreeSpaceMapVacuum(info->index);
  // The heap's count is exact where it is not an estimate; entries of rows that died meanwhile must not exceed it.
  if (!info->estimated_count && result->num_index_tuples > info->num_heap_tuples) result->num_index_tuples = info->num_heap_tuples;
  return result;
}
