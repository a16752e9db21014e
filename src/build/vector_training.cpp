// See vector_training.h.
#include "build/vector_training.h"

#include "build/build_environment.h"
#include "core/cluster/train.h"
#include "pg/compat_commands.h"
#include "pg/guard.h"

extern "C" {
#include "access/tableam.h"
#include "catalog/index.h"
#include "commands/progress.h"
#include "common/pg_prng.h"
#include "storage/bufmgr.h"
#include "utils/backend_progress.h"
}

namespace xtree {

namespace {

constexpr uint64 kSeed = 0x5A3C7E;

// The sample that is being taken.
struct Sample {
  const XtreeVectorRoutine* routine;
  int column;
  int dimensions;
  double chance;  // of a row
  float* rows;
  uint64 room;
  uint64 taken;
  uint64 seen;
  double* coordinates;
  pg_prng_state random;
  MemoryContext row;
};

// A vector that has no place among others teaches nothing.
bool TakeFinite(const double* coordinates, int dimensions, float* out) {
  for (int d = 0; d < dimensions; d++) {
    out[d] = static_cast<float>(coordinates[d]);
    if (!std::isfinite(out[d])) return false;
  }
  return true;
}

}  // namespace

extern "C" void xtree_count_row(Relation, ItemPointer, Datum*, bool*, bool, void* argument) { static_cast<Sample*>(argument)->seen++; }

extern "C" void xtree_train_row(Relation, ItemPointer, Datum* values, bool* isnull, bool, void* argument) {
  auto* sample = static_cast<Sample*>(argument);
  sample->seen++;
  if (isnull[sample->column] || sample->taken == sample->room) return;
  if (sample->chance < 1 && pg_prng_double(&sample->random) >= sample->chance) return;
  const MemoryContext old = MemoryContextSwitchTo(sample->row);
  sample->routine->coordinates(values[sample->column], sample->dimensions, sample->coordinates);
  sample->taken +=
      TakeFinite(sample->coordinates, sample->dimensions, sample->rows + sample->taken * static_cast<Size>(sample->dimensions));
  MemoryContextSwitchTo(old);
  MemoryContextReset(sample->row);
}

namespace {

// Rows of `count` blocks, spread evenly over the table.
void ScanBlocks(Relation heap, Relation index, IndexInfo* info, BlockNumber count, IndexBuildCallback callback, Sample* sample) {
  const BlockNumber blocks = RelationGetNumberOfBlocks(heap);
  for (uint64 i = 0; i < count; i++) {
    const auto block = static_cast<BlockNumber>(i * blocks / count);
    pg::VacuumDelayPoint();  // of no VACUUM: looks for interrupts alone
    table_index_build_range_scan(heap, index, info, false, false, false, block, 1, callback, sample, nullptr);
  }
}

// Of the table, about.
double CountRows(Relation heap, Relation index, IndexInfo* info, Sample* sample) {
  constexpr BlockNumber kFew = 100;
  const BlockNumber blocks = RelationGetNumberOfBlocks(heap), looked_at = std::min(blocks, kFew);
  sample->seen = 0;
  ScanBlocks(heap, index, info, looked_at, xtree_count_row, sample);
  return looked_at == 0 ? 0 : static_cast<double>(sample->seen) * blocks / looked_at;
}

// Blocks enough for a few rows of each, since neighbours are alike.
void TakeRows(Relation heap, Relation index, IndexInfo* info, double rows, Sample* sample) {
  constexpr double kRowsOfBlock = 8;
  const double blocks = RelationGetNumberOfBlocks(heap), wanted = static_cast<double>(sample->room);
  const double density = std::max(rows / std::max(blocks, 1.0), 1.0);
  const double looked_at = std::min(blocks, std::max(wanted / std::min(density, kRowsOfBlock), 1.0));
  sample->chance = wanted / std::max(looked_at * density, 1.0);
  pg_prng_seed(&sample->random, kSeed);
  ScanBlocks(heap, index, info, static_cast<BlockNumber>(std::ceil(looked_at)), xtree_train_row, sample);
}

// In the caller's memory context. `build`: it tells its progress as CREATE INDEX does.
void Train(Relation index, const Sample& sample, int clusters, double rows, bool build, NewModel* model) {
  const MemoryContext memory = CurrentMemoryContext;
  Guarded(index, [&] {
    TrainOptions options{};
    options.dimensions = sample.dimensions;
    options.rows = std::max<uint64>(static_cast<uint64>(rows), sample.taken);
    options.clusters = clusters;
    options.check_interrupt = [] { PgCall([] { CHECK_FOR_INTERRUPTS(); }); };
    if (build)
      options.progress = [](uint64_t done, uint64_t total) {
        PgCall([&] {
          pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(done));
          pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, static_cast<int64>(total));
        });
      };
    const std::vector<uint8_t> bytes = TrainModel(sample.rows, sample.taken, options);
    model->bytes = PgCall([&] {
      auto* copy = static_cast<uint8_t*>(MemoryContextAllocHuge(memory, bytes.size()));
      memcpy(copy, bytes.data(), bytes.size());
      return copy;
    });
    model->size = static_cast<uint32_t>(bytes.size());
  });
}

uint64_t NewModelId() {
  uint64_t id = 0;
  while (id == 0)
    if (!pg_strong_random(&id, sizeof(id))) ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate a random number")));
  return id;
}

// The column that NewIndexState() will keep in clusters, or -1.
int ColumnInClusters(Relation index, const uint16* dimensions) {
  const IndexState* state = NewIndexState(index, dimensions);
  return state->vectors.dimensions != 0 ? state->vectors.column : -1;
}

// With a sample of the table, within so many kilobytes of memory. The sample says which column. `clusters`: wanted.
NewModel* TrainOnTable(Relation heap, Relation index, IndexInfo* info, double rows, int clusters, int kilobytes, bool build,
                       Sample* sample) {
  sample->row = AllocSetContextCreate(CurrentMemoryContext, "xtree training row", ALLOCSET_SMALL_SIZES);
  sample->room = RecommendedSample(clusters, sample->dimensions, kilobytes * Size{1024});
  sample->room = std::max<uint64>(std::min(sample->room, static_cast<uint64>(rows * 1.1) + 100), 1);
  const Size row_bytes = sizeof(float) * static_cast<Size>(sample->dimensions);
  sample->rows = static_cast<float*>(palloc_extended(row_bytes * sample->room, MCXT_ALLOC_HUGE));
  sample->coordinates = static_cast<double*>(palloc(sizeof(double) * sample->dimensions));
  TakeRows(heap, index, info, rows, sample);
  auto* model = static_cast<NewModel*>(palloc0(sizeof(NewModel)));
  model->scale = kScaleOfUnknown;
  if (sample->taken > 0) {
    model->scale = 0;
    model->id = NewModelId();
    Train(index, *sample, clusters, rows, build, model);
  }
  pfree(sample->rows);
  MemoryContextDelete(sample->row);
  return model;
}

// As many as the option says, or as suit so many rows.
int ClustersFor(Relation index, double rows) {
  const int wanted = ClustersOf(index);
  return wanted > 0 ? wanted : RecommendedClusters(static_cast<uint64_t>(rows));
}

Sample* NewSample(const XtreeVectorRoutine* routine, int column, int dimensions) {
  auto* sample = static_cast<Sample*>(palloc0(sizeof(Sample)));
  sample->routine = routine;
  sample->column = column;
  sample->dimensions = dimensions;
  return sample;
}

// Whoever writes to the table goes on, so the rows are those that a snapshot sees.
IndexInfo* InfoForSnapshot(Relation index) {
  IndexInfo* info = BuildIndexInfo(index);
  info->ii_Concurrent = true;
  info->ii_Unique = false;
  info->ii_ExclusionOps = nullptr;
  info->ii_ExclusionProcs = nullptr;
  info->ii_ExclusionStrats = nullptr;
  return info;
}

}  // namespace

const NewModel* TrainForBuild(Relation heap, Relation index, IndexInfo* info, const uint16* dimensions) {
  const int column = ColumnInClusters(index, dimensions);
  if (column < 0) return nullptr;
  ReportProgressPhase(kPhaseTrain);
  ColumnState described{};
  DescribeColumn(index, column, &described);
  Sample* sample = NewSample(described.routine->vectors, column, dimensions[column]);
  const double rows = CountRows(heap, index, info, sample);
  return TrainOnTable(heap, index, info, rows, ClustersFor(index, rows), maintenance_work_mem, true, sample);
}

const NewModel* TrainForVacuum(Relation heap, Relation index, const IndexState& state, double rows, double expected_rows, int kilobytes) {
  const int column = state.vectors.column;
  Sample* sample = NewSample(state.column[column].routine->vectors, column, state.vectors.dimensions);
  const NewModel* model =
      TrainOnTable(heap, index, InfoForSnapshot(index), rows, ClustersFor(index, expected_rows), kilobytes, false, sample);
  return model->id != 0 ? model : nullptr;
}

}  // namespace xtree
