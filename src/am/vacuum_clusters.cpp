// See vacuum_clusters.h.
#include "am/vacuum_clusters.h"

#include "build/vector_training.h"
#include "core/cluster/cluster_scan.h"
#include "index/meta_page.h"
#include "pg/compat_commands.h"
#include "pg/guard.h"
#include "pg/subtransaction.h"

extern "C" {
#include "access/table.h"
#include "access/transam.h"
#include "miscadmin.h"
#include "postmaster/autovacuum.h"
}

namespace xtree {

namespace {

// With fewer rows a search looks at all codes in a fraction of a millisecond.
constexpr uint64_t kFewRows = 4000;
// So many times its rows a table has outgrown clusters: their number should grow with the root.
constexpr uint64_t kOutgrown = 4;

}  // namespace

ClusterCounts* ClusterCounts::Begin(Relation index, const IndexState& state) {
  if (state.vectors.dimensions == 0) return nullptr;
  auto* counts = static_cast<ClusterCounts*>(palloc0(sizeof(ClusterCounts)));
  counts->used_ = &UseModels(index, CurrentMemoryContext);
  counts->column_ = state.vectors.column;
  counts->dimension_ = state.layout.first_dimension[state.vectors.column];
  return counts;
}

void ClusterCounts::FindClosed(BufferStore* store) {
  const VectorFacts& facts = used_->facts;
  for (int g = 0; g + 1 < facts.generations; g++) closed_[g] = store->Recyclable(facts.generation[g].superseded_xid);
}

void ClusterCounts::AddLeaf(const NodeView& leaf) {
  for (int i = 0; i < leaf.entries(); i++) {
    if ((leaf.Marks(i) & ColumnMarks(column_, kMarkNull)) != 0) continue;
    const int g = used_->models.GenerationOf(leaf.Lo(i, dimension_ + kClusterDimension));
    if (g < 0) continue;
    const auto distance = static_cast<double>(FloatFromOrdinal(static_cast<int32_t>(leaf.Lo(i, dimension_ + kCentroidDistanceDimension))));
    count_[g].rows++;
    if (!std::isfinite(distance)) continue;
    count_[g].finite++;
    count_[g].distance += DistanceForDrift(distance, used_->models.model(g).head());
  }
}

bool ClusterCounts::UsesModel(uint64_t id) const {
  const VectorFacts& facts = used_->facts;
  return std::any_of(facts.generation, facts.generation + facts.generations, [id](const VectorGeneration& g) { return g.model_id == id; });
}

float ClusterCounts::DriftOf(int generation) const {
  const VectorModelHead& head = used_->models.model(generation).head();
  const Count& count = count_[generation];
  if (head.trained_rows == 0 || count.finite == 0 || !(head.spread > 0)) return 0;
  const double drift = count.distance / static_cast<double>(count.finite) / static_cast<double>(head.spread);
  return static_cast<float>(std::min(drift, 1e30));
}

void ClusterCounts::Note(MetaContent* meta) const {
  int kept = 0;
  for (int g = 0; g < meta->generations; g++) {
    if (Empty(g)) continue;
    VectorGeneration generation = meta->generation[g];
    generation.rows = count_[g].rows;
    generation.drift = DriftOf(g);
    meta->generation[kept++] = generation;
  }
  for (int g = kept; g < kMaxGenerations; g++) meta->generation[g] = {};
  meta->generations = static_cast<uint16_t>(kept);
}

namespace {

uint64_t RowsIn(const VectorFacts& facts) {
  uint64_t rows = 0;
  for (int g = 0; g < facts.generations; g++) rows += facts.generation[g].rows;
  return rows;
}

bool IsOutgrown(const VectorFacts& facts) {
  const VectorGeneration& newest = facts.generation[facts.generations - 1];
  const uint64_t rows = RowsIn(facts);
  if (rows < kFewRows) return false;
  if (rows >= kOutgrown * newest.trained_rows) return true;
  return newest.drift >= kMuchDrift && newest.rows >= std::max(kFewRows, newest.trained_rows / kOutgrown);
}

bool HasRoom(const VectorFacts& facts) {
  const VectorGeneration& newest = facts.generation[facts.generations - 1];
  return facts.generations < kMaxGenerations && newest.first_cluster + newest.clusters <= kMaxFirstCluster;
}

struct Training {
  Relation heap;
  Relation index;
  const IndexState* state;
  double rows;
  MemoryContext memory;
  const NewModel* model;
};

// In a subtransaction, which leaves nothing but this memory behind.
void TrainInside(void* argument) {
  auto* training = static_cast<Training*>(argument);
  const MemoryContext old = MemoryContextSwitchTo(training->memory);
  const bool own_limit = pg::IsAutovacuumWorker() && autovacuum_work_mem >= 0;
  const int kilobytes = own_limit ? autovacuum_work_mem : maintenance_work_mem;
  const double expected = training->rows * kOutgrown;  // before they are outgrown in their turn
  training->model = TrainForVacuum(training->heap, training->index, *training->state, training->rows, expected, kilobytes);
  MemoryContextSwitchTo(old);
}

// Returns the block of the first one.
BlockNumber WriteModel(Relation index, Relation heap, const KeyLayout& layout, const NewModel& model) {
  BufferStore store(index, heap, layout);
  const auto image = std::make_unique<PageImage>();
  BlockNumber next = kInvalidBlock;
  for (uint32_t page = ModelPages(model.size); page-- > 0;) {
    const PageLock lock(store, store.Allocate());
    FillModelPage(layout, model, page, next, image.get());
    const PageChange change{&lock.ref(), image.get(), true};
    store.Commit({&change, 1});
    next = lock.block();
    XTREE_STOP_POINT("generation-page");
  }
  XTREE_STOP_POINT("generation-before-meta");
  return next;
}

// The next transaction id is asked for under the page's lock: a statement that saw the page as it was before has a snapshot that is not younger.
void AddGeneration(Relation index, const NewModel& model, BlockNumber block) {
  EditMeta(index, [&](MetaContent* meta) {
    VectorGeneration* newest = &meta->generation[meta->generations - 1];
    newest->superseded_xid = U64FromFullTransactionId(ReadNextFullTransactionId());
    meta->generation[meta->generations] = GenerationOf(model, block, newest->first_cluster + newest->clusters);
    meta->generations++;
  });
}

void Write(Relation index, Relation heap, const IndexState& state, const NewModel& model) {
  Guarded(index, [&] {
    const BlockNumber block = WriteModel(index, heap, state.layout, model);
    PgCall([&] { AddGeneration(index, model, block); });
    XTREE_STOP_POINT("generation-after-meta");
  });
}

void Warn(Relation index, const ErrorData* error) {
  ereport(WARNING, (errcode(error->sqlerrcode),
                    errmsg("could not make new clusters for index \"%s\": %s", RelationGetRelationName(index), error->message),
                    error->detail != nullptr ? errdetail_internal("%s", error->detail) : 0,
                    errhint("Rows go to the clusters that there are. The next VACUUM tries again.")));
}

}  // namespace

void RenewClusters(const IndexVacuumInfo* info, const IndexState& state) {
  const Relation index = info->index;
  const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "xtree new clusters", ALLOCSET_DEFAULT_SIZES);
  const MemoryContext old = MemoryContextSwitchTo(memory);
  const VectorFacts& facts = UseModels(index, memory).facts;
  if (IsOutgrown(facts) && HasRoom(facts) && pg::MayBeginSubtransaction()) {
    const Relation heap = table_open(index->rd_index->indrelid, AccessShareLock);
    Training training = {heap, index, &state, static_cast<double>(RowsIn(facts)), memory, nullptr};
    const ErrorData* error = RunInSubtransaction(TrainInside, &training);
    if (error != nullptr)
      Warn(index, error);
    else if (training.model != nullptr)
      Write(index, heap, state, *training.model);
    table_close(heap, NoLock);
  }
  MemoryContextSwitchTo(old);
  MemoryContextDelete(memory);
}

}  // namespace xtree
