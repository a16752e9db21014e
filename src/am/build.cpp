// ambuild and ambuildempty: the table is scanned, its rows become records, core/bulk/bulk_load.h makes the tree, storage/build_writer.h
// writes and logs the pages; in parallel where build_parallel.h finds that worthwhile. Nobody else can see the index yet.
#include "am/build_dimensions.h"
#include "am/build_environment.h"
#include "am/build_parallel.h"
#include "am/entry_points.h"
#include "core/page_store.h"
#include "pg/guard.h"

namespace xtree {

namespace {

IndexBuildResult BuildTree(Relation heap, IndexInfo* info, Build* build, MemoryContext memory) {
  const IndexState& state = *build->state;
  BuildEnvironment environment(memory);
  TemporaryFiles files(memory);
  BuildWriter writer(build->index);
  BulkLoader loader(state.layout, {state.tree_options, state.fillfactor}, maintenance_work_mem * size_t{1024}, environment, writer, files);
  build->loader = &loader;
  XTREE_STOP_POINT("build-begin");
  const double heap_tuples = AddRows(heap, info, build, nullptr, true);
  const uint64_t rows = loader.rows();
  const BulkStatistics statistics = loader.Finish();
  FinishIndex(state, statistics, &writer);
  return {heap_tuples, static_cast<double>(rows)};
}

void WriteEmptyFork(Relation index, const IndexState& state) {
  BuildWriter writer(index, INIT_FORKNUM);
  const auto image = std::make_unique<PageImage>();
  NodeEditor(state.layout, image->bytes).Initialize(0, kNodeLeaf);
  writer.Write(kRootBlock, *image);
  const LevelStatistics leaf{.entries = 0, .nodes = 1, .pages = 1, .supernodes = 0, .overlap = 0};
  InitializeMetaPage(state, BuildState::kBuilt, &leaf, 1, image.get());
  writer.Finish(*image);
}

}  // namespace

}  // namespace xtree

extern "C" IndexBuildResult* xtreebuild(Relation heap, Relation index, IndexInfo* info) {
  using namespace xtree;
  if (RelationGetNumberOfBlocks(index) != 0) elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));
  const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "xtree build", ALLOCSET_DEFAULT_SIZES);
  uint16 dimensions[kMaxColumns] = {};
  FindDimensions(heap, index, info, dimensions);
  Build build = PrepareBuild(index, dimensions, memory);
  ParallelBuild* parallel = BeginParallelBuild(heap, index, info, dimensions);
  auto* result = static_cast<IndexBuildResult*>(palloc(sizeof(IndexBuildResult)));
  *result = Guarded(index, [&] {
    return parallel != nullptr ? BuildInParallel(heap, info, &build, memory, parallel) : BuildTree(heap, info, &build, memory);
  });
  if (parallel != nullptr) EndParallelBuild(parallel);
  MemoryContextDelete(memory);
  ForgetIndexState(index);
  return result;
}

extern "C" void xtreebuildempty(Relation index) {
  using namespace xtree;
  const IndexState* state = CopyIndexState(index, false);
  Guarded(index, [&] { WriteEmptyFork(index, *state); });
}
