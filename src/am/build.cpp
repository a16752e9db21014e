// ambuild and ambuildempty: the table is scanned, its rows become records, core/bulk_load.h makes the tree, storage/build_writer.h
// writes and logs the pages. Nobody else can see the index yet.
#include "am/build_environment.h"
#include "am/entry_points.h"
#include "am/index_state.h"
#include "am/payload.h"
#include "pg/guard.h"
#include "storage/build_writer.h"

extern "C" {
#include "access/tableam.h"
#include "nodes/execnodes.h"
}

namespace xtree {

namespace {

struct Build {
  Relation index;
  const IndexState* state;
  TupleDesc include;
  MemoryContext row;
  BulkLoader* loader;
};

extern "C" void xtree_add_row(Relation index, ItemPointer tuple, Datum* values, bool* isnull, bool, void* argument) {
  const Build* build = static_cast<Build*>(argument);
  const MemoryContext old = MemoryContextSwitchTo(build->row);
  Box box;
  FormBox(*build->state, values, isnull, &box);
  const Payload payload = FormPayload(index, build->state->layout, build->include, values, isnull);
  Guarded(index, [&] { build->loader->Add(box, ToTupleId(*tuple), payload.bytes, payload.length); });
  MemoryContextSwitchTo(old);
  MemoryContextReset(build->row);
}

// Scans the table into the loader. Returns how many rows it has.
double AddRows(Relation heap, IndexInfo* info, Build* build) {
  return PgCall([&] {
    ReportBuildPhase(kPhaseScan);
    return table_index_build_scan(heap, build->index, info, true, true, xtree_add_row, build, nullptr);
  });
}

IndexBuildResult BuildTree(Relation heap, IndexInfo* info, Build* build, MemoryContext memory) {
  const IndexState& state = *build->state;
  BuildEnvironment environment(memory);
  TemporaryFiles files(memory);
  BuildWriter writer(build->index);
  BulkLoader loader(state.layout, {state.tree_options, state.fillfactor}, maintenance_work_mem * size_t{1024}, environment, writer, files);
  build->loader = &loader;
  const double heap_tuples = AddRows(heap, info, build);
  const uint64_t rows = loader.rows();
  const BulkStatistics statistics = loader.Finish();
  PgCall([] { ReportBuildPhase(kPhaseFinish); });
  const auto meta = std::make_unique<PageImage>();
  InitializeMetaPage(state, BuildState::kBuilt, statistics.level, statistics.levels, meta.get());
  writer.Finish(*meta);
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
  Build build{index, CopyIndexState(index, false), IncludeDescriptor(index), nullptr, nullptr};
  build.row = AllocSetContextCreate(memory, "xtree build row", ALLOCSET_DEFAULT_SIZES);
  auto* result = static_cast<IndexBuildResult*>(palloc(sizeof(IndexBuildResult)));
  *result = Guarded(index, [&] { return BuildTree(heap, info, &build, memory); });
  MemoryContextDelete(memory);
  ForgetIndexState(index);
  return result;
}

extern "C" void xtreebuildempty(Relation index) {
  using namespace xtree;
  const IndexState* state = CopyIndexState(index, false);
  Guarded(index, [&] { WriteEmptyFork(index, *state); });
}
