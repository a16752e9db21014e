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
  FormBox(index, *build->state, tuple, values, isnull, &box);
  const Payload payload = FormPayload(index, build->state->layout, build->include, values, isnull);
  Guarded(index, [&] {
    XTREE_STOP_POINT("build-row");
    build->keys->Add(HashOf(build->state->layout, box));
    build->loader->Add(box, ToTupleId(*tuple), payload.bytes, payload.length);
  });
  MemoryContextSwitchTo(old);
  MemoryContextReset(build->row);
}

Build PrepareBuild(Relation index, const uint16* dimensions, MemoryContext memory) {
  const MemoryContext row = AllocSetContextCreate(memory, "xtree build row", ALLOCSET_DEFAULT_SIZES);
  auto* keys = new (palloc(sizeof(DistinctCount))) DistinctCount();
  return {index, NewIndexState(index, dimensions), IncludeDescriptor(index), row, nullptr, false, keys, nullptr};
}

double AddRows(Relation heap, IndexInfo* info, Build* build, TableScanDesc scan, bool progress) {
  return PgCall([&] {
    if (progress) ReportProgressPhase(kPhaseScan);
    return table_index_build_scan(heap, build->index, info, true, progress, xtree_add_row, build, scan);
  });
}

void FinishIndex(const Build& build, const BulkStatistics& statistics, BuildWriter* writer) {
  PgCall([] { ReportProgressPhase(kPhaseFinish); });
  XTREE_STOP_POINT("build-meta");
  const uint64_t rows = statistics.levels > 0 ? statistics.level[0].entries : 0;
  const auto keys = static_cast<uint64_t>(std::llround(build.keys->Estimate()));
  build.built->statistics = statistics;
  build.built->rows = rows;
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
