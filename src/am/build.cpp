// ambuild and ambuildempty: the index is built at once (src/build), or left unbuilt (deferred/deferral.h) for src/deferred to build later.
#include "am/entry_points.h"
#include "build/build_dimensions.h"
#include "build/build_steps.h"
#include "core/page_store.h"
#include "deferred/build_state.h"
#include "deferred/deferral.h"
#include "index/meta_page.h"
#include "pg/guard.h"

namespace xtree {

namespace {

// What becomes the index when a crash empties an unlogged table.
void WriteInitFork(Relation index, const IndexState& state) {
  BuildWriter writer(index, INIT_FORKNUM);
  const auto image = std::make_unique<PageImage>();
  if (PgCall([&] { return InitForkIsUnbuilt(index); })) {
    InitializeMetaPage(state, MetaBuildState::kUnbuilt, nullptr, 0, image.get());
  } else {
    NodeEditor(state.layout, image->bytes).Initialize(0, kNodeLeaf);
    writer.Write(kRootBlock, *image);
    const LevelStatistics leaf{.entries = 0, .nodes = 1, .pages = 1, .supernodes = 0, .overlap = 0};
    InitializeMetaPage(state, MetaBuildState::kBuilt, &leaf, 1, image.get());
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

}  // namespace

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
