// See build_steps.h.
#include "build/build_steps.h"

#include <cmath>

#include "build/build_environment.h"
#include "core/estimate/crowding.h"
#include "core/page_store.h"
#include "index/key_box.h"
#include "index/meta_page.h"
#include "index/payload.h"
#include "pg/guard.h"

namespace xtree {

namespace {

// Only CONCURRENTLY, because otherwise nobody can insert meanwhile.
[[noreturn]] void ReportNewRows(Relation index) {
  ereport(ERROR, errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
          errmsg("the first rows of the table were inserted while index \"%s\" was built", RelationGetRelationName(index)),
          errhint("Try again: now a row decides the number of dimensions."));
  pg_unreachable();
}

}  // namespace

extern "C" void xtree_add_row(Relation index, ItemPointer tuple, Datum* values, bool* isnull, bool, void* argument) {
  const Build* build = static_cast<Build*>(argument);
  const MemoryContext old = MemoryContextSwitchTo(build->row);
  Box box;
  if (build->state->undecided) ReportNewRows(index);
  FormBox(index, *build->state, build->coder, tuple, values, isnull, &box);
  const Payload payload = FormPayload(index, *build->state, build->coder, build->include, values, isnull);
  Guarded(index, [&] {
    XTREE_STOP_POINT("build-row");
    build->keys->Add(HashOf(build->state->layout, box));
    build->loader->Add(box, ToTupleId(*tuple), payload.bytes, payload.length);
  });
  MemoryContextSwitchTo(old);
  MemoryContextReset(build->row);
}

Build PrepareBuild(Relation index, const uint16* dimensions, const NewModel* model, MemoryContext memory) {
  const MemoryContext row = AllocSetContextCreate(memory, "xtree build row", ALLOCSET_DEFAULT_SIZES);
  auto* keys = new (palloc(sizeof(DistinctCount))) DistinctCount();
  IndexState* state = NewIndexState(index, dimensions);
  VectorCoder* coder = nullptr;
  if (model != nullptr) coder = VectorCoder::Make(*state, ModelOf(*model, state->vectors.dimensions), 0);
  return {index, state, IncludeDescriptor(index), row, nullptr, false, keys, nullptr, model, coder};
}

double AddRows(Relation heap, IndexInfo* info, Build* build, TableScanDesc scan, bool progress) {
  return PgCall([&] {
    if (progress) ReportProgressPhase(kPhaseScan);
    return table_index_build_scan(heap, build->index, info, true, progress, xtree_add_row, build, scan);
  });
}

namespace {

// What the codes mean, behind everything else. `rows`: of the index.
void WriteModel(Build* build, uint64_t rows, BuildWriter* writer) {
  if (build->model == nullptr) return;
  const NewModel& model = *build->model;
  const uint32_t pages = ModelPages(model.size);
  const BlockNumber first = pages > 0 ? writer->Reserve(static_cast<int>(pages)) : kInvalidBlock;
  const auto image = std::make_unique<PageImage>();
  for (uint32_t page = 0; page < pages; page++) {
    FillModelPage(build->state->layout, model, page, page + 1 < pages ? first + page + 1 : kInvalidBlock, image.get());
    writer->Write(first + page, *image);
  }
  VectorFacts* vectors = &build->state->vectors;
  vectors->generations = 1;
  vectors->generation[0] = GenerationOf(model, first, 0);
  vectors->generation[0].rows = rows;
  vectors->generation[0].drift = model.id != 0 ? 1 : 0;
}

}  // namespace

void FinishIndex(Build* finished, const BulkStatistics& statistics, BuildWriter* writer) {
  const uint64_t rows = statistics.levels > 0 ? statistics.level[0].entries : 0;
  WriteModel(finished, rows, writer);
  const Build& build = *finished;
  PgCall([] { ReportProgressPhase(kPhaseFinish); });
  XTREE_STOP_POINT("build-meta");
  const auto keys = static_cast<uint64_t>(std::llround(build.keys->Estimate()));
  build.built->statistics = statistics;
  build.built->rows = rows;
  build.built->vectors = build.state->vectors;
  FillEncodings(*build.state, build.built->encoding);
  build.built->distinct_keys = std::min(keys, rows);
  if (build.deferred) {
    writer->FinishWithoutMeta();
    return;
  }
  const auto meta = std::make_unique<PageImage>();
  InitializeMetaPage(*build.state, MetaBuildState::kBuilt, statistics.level, statistics.levels, meta.get());
  NoteColumns(statistics.column, statistics.heap_spread, meta.get());
  NoteBuild(build.built->rows, build.built->distinct_keys, CrowdingOfTop(statistics.crowding, statistics.levels), &MetaOn(meta.get()));
  writer->Finish(*meta);
}

}  // namespace xtree
