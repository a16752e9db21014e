// ambuild and ambuildempty. The table is scanned, its rows become records, core/bulk/bulk_load.h makes the tree, storage/build_writer.h
// writes and logs the pages; in parallel where build_parallel.h finds that worthwhile. Nobody else can see the index yet. Or it is left
// unbuilt (am/deferral.h), and src/deferred builds it later.
#include "am/build_dimensions.h"
#include "am/build_environment.h"
#include "am/build_parallel.h"
#include "am/build_state.h"
#include "am/deferral.h"
#include "am/entry_points.h"
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
  FinishIndex(*build, statistics, &writer);
  return {heap_tuples, static_cast<double>(rows)};
}

// What becomes the index when a crash empties an unlogged table.
void WriteInitFork(Relation index, const IndexState& state) {
  BuildWriter writer(index, INIT_FORKNUM);
  const auto image = std::make_unique<PageImage>();
  if (PgCall([&] { return InitForkIsUnbuilt(index); })) {
    InitializeMetaPage(state, BuildState::kUnbuilt, nullptr, 0, image.get());
  } else {
    NodeEditor(state.layout, image->bytes).Initialize(0, kNodeLeaf);
    writer.Write(kRootBlock, *image);
    const LevelStatistics leaf{.entries = 0, .nodes = 1, .pages = 1, .supernodes = 0, .overlap = 0};
    InitializeMetaPage(state, BuildState::kBuilt, &leaf, 1, image.get());
  }
  writer.Finish(*image);
}

// The relation cache must not go on with what it knew of the index's former file.
IndexBuildResult LeaveUnbuilt(Relation heap, Relation index, IndexInfo* info) {
  uint16 dimensions[kMaxColumns] = {};
  FindDimensions(heap, index, info, dimensions);
  WriteUnbuilt(index, *NewIndexState(index, dimensions));
  ForgetIndexState(index);
  return {-1, -1};  // the table's number of rows stays as it is
}

// As they were found when the index was created, or now.
void KeepDimensions(Relation heap, Relation index, IndexInfo* info, uint16* dimensions) {
  const IndexState* state = CopyIndexState(index, MetaUse::kRequired);
  for (int i = 0; i < state->layout.columns; i++) dimensions[i] = state->column[i].undecided ? 0 : state->column[i].column.dimensions;
  if (state->undecided) FindDimensions(heap, index, info, dimensions);
}

}  // namespace

IndexBuildResult BuildTree(Relation heap, Relation index, IndexInfo* info, bool deferred, BuiltTree* built) {
  const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "xtree build", ALLOCSET_DEFAULT_SIZES);
  uint16* dimensions = built->dimensions;
  memset(dimensions, 0, sizeof built->dimensions);
  if (deferred) {
    KeepDimensions(heap, index, info, dimensions);
  } else {
    FindDimensions(heap, index, info, dimensions);
  }
  Build build = PrepareBuild(index, dimensions, memory);
  build.deferred = deferred;
  build.built = built;
  ParallelBuild* parallel = BeginParallelBuild(heap, index, info, dimensions);
  const IndexBuildResult result = Guarded(index, [&] {
    return parallel != nullptr ? BuildInParallel(heap, info, &build, memory, parallel) : BuildSerially(heap, info, &build, memory);
  });
  if (parallel != nullptr) EndParallelBuild(parallel);
  MemoryContextDelete(memory);
  ForgetIndexState(index);
  return result;
}

}  // namespace xtree

extern "C" IndexBuildResult* xtreebuild(Relation heap, Relation index, IndexInfo* info) {
  using namespace xtree;
  if (RelationGetNumberOfBlocks(index) != 0) elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));
  auto* result = static_cast<IndexBuildResult*>(palloc(sizeof(IndexBuildResult)));
  BuiltTree built;
  *result = MustDefer(heap, index, info) ? LeaveUnbuilt(heap, index, info) : BuildTree(heap, index, info, false, &built);
  return result;
}

extern "C" void xtreebuildempty(Relation index) {
  using namespace xtree;
  const uint16 undecided[kMaxColumns] = {};
  const IndexState* state = NewIndexState(index, undecided);
  Guarded(index, [&] { WriteInitFork(index, *state); });
}
