// BuildTree: the table is scanned, its rows become records, core/bulk/bulk_load.h makes the tree, storage/build_writer.h writes and logs
// the pages; in parallel where build_parallel.h finds that worthwhile. For ambuild, when nobody else can see the index yet, and src/deferred.
#include "build/build_dimensions.h"
#include "build/build_environment.h"
#include "build/build_parallel.h"
#include "build/vector_training.h"
#include "core/page_store.h"
#include "pg/guard.h"

namespace xtree {

namespace {

IndexBuildResult BuildSerially(Relation heap, IndexInfo* info, Build* build, MemoryContext memory) {
  const IndexState& state = *build->state;
  BuildEnvironment environment(memory);
  TemporaryFiles files(memory);
  BuildWriter writer(build->index, MAIN_FORKNUM, build->deferred ? kRootBlock : 0);
  BulkLoader loader(state.layout, {state.tree_options, state.fillfactor}, maintenance_work_mem * size_t{1024}, environment, writer, files);
  build->loader = &loader;
  XTREE_STOP_POINT("build-begin");
  const double heap_tuples = AddRows(heap, info, build, nullptr, true);
  const uint64_t rows = loader.rows();
  const BulkStatistics statistics = loader.Finish();
  FinishIndex(build, statistics, &writer);
  return {heap_tuples, static_cast<double>(rows)};
}

// As they were found when the index was created, or now.
void KeepDimensions(Relation heap, Relation index, IndexInfo* info, uint16* dimensions) {
  const IndexState* state = CopyIndexState(index, MetaUse::kRequired);
  FillDimensions(*state, dimensions);
  if (state->undecided) FindDimensions(heap, index, info, dimensions);
}

}  // namespace

IndexBuildResult BuildTree(Relation heap, Relation index, IndexInfo* info, bool deferred, BuiltTree* built) {
  const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "xtree build", ALLOCSET_DEFAULT_SIZES);
  uint16 dimensions[kMaxColumns] = {};
  if (deferred) {
    KeepDimensions(heap, index, info, dimensions);
  } else {
    FindDimensions(heap, index, info, dimensions);
  }
  const NewModel* model = TrainForBuild(heap, index, info, dimensions);
  Build build = PrepareBuild(index, dimensions, model, memory);
  build.deferred = deferred;
  build.built = built;
  ParallelBuild* parallel = BeginParallelBuild(heap, index, info, deferred, dimensions, model);
  const IndexBuildResult result = Guarded(index, [&] {
    return parallel != nullptr ? BuildInParallel(heap, info, &build, memory, parallel) : BuildSerially(heap, info, &build, memory);
  });
  if (parallel != nullptr) EndParallelBuild(parallel);
  MemoryContextDelete(memory);
  ForgetIndexState(index);
  return result;
}

}  // namespace xtree
