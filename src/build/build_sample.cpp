// See build_sample.h.
#include "build/build_sample.h"

#include <algorithm>

extern "C" {
#include "access/tableam.h"
#include "common/pg_prng.h"
#include "storage/bufmgr.h"
}

namespace xtree {

namespace {

constexpr int kSampledRows = 1000;
constexpr BlockNumber kSampledBlocks = 500;
constexpr int kNoRow = -1;

// One column's share of the sample: of each row the ordinals of its value.
struct ColumnSample {
  XtreeColumn column;  // with the most dimensions
  const XtreeTypeRoutine* routine;
  int index_column;
  int64* ordinals;
  bool* isnull;
};

struct Sample {
  ColumnSample column[kMaxColumns];
  int columns;
  int64* upper;  // of the row that is looked at, not needed
  int rows;      // taken before this run over blocks
  int run_rows;  // to be taken of it
  double run_seen;
  double seen;  // in all
  pg_prng_state random;
  MemoryContext row;
};

// Reservoir sampling: where the next row of the run goes, or kNoRow.
int PlaceOfRow(Sample* sample) {
  sample->seen++;
  const double number = sample->run_seen++;
  if (number < sample->run_rows) return sample->rows + static_cast<int>(number);
  const auto place = static_cast<int64>(pg_prng_uint64_range(&sample->random, 0, static_cast<uint64>(number)));
  return place < sample->run_rows ? sample->rows + static_cast<int>(place) : kNoRow;
}

void TakeValue(const Sample& sample, const ColumnSample& column, int place, Datum value, bool isnull) {
  column.isnull[place] = isnull;
  if (isnull) return;
  XtreeBounds bounds{column.ordinals + static_cast<ptrdiff_t>(place) * column.column.dimensions, sample.upper, false, false};
  column.routine->bounds(&column.column, value, &bounds);
}

}  // namespace

extern "C" void xtree_sample_row(Relation, ItemPointer, Datum* values, bool* isnull, bool, void* argument) {
  auto* sample = static_cast<Sample*>(argument);
  const int place = PlaceOfRow(sample);
  if (place == kNoRow) return;
  const MemoryContext old = MemoryContextSwitchTo(sample->row);
  for (int i = 0; i < sample->columns; i++) {
    const ColumnSample& column = sample->column[i];
    TakeValue(*sample, column, place, values[column.index_column], isnull[column.index_column]);
  }
  MemoryContextSwitchTo(old);
  MemoryContextReset(sample->row);
}

namespace {

void AddColumn(const ColumnState& state, int index_column, Sample* sample) {
  ColumnSample& column = sample->column[sample->columns++];
  column = {state.column, state.routine, index_column, nullptr, nullptr};
  column.column.dimensions = state.routine->most_dimensions;
  column.ordinals = static_cast<int64*>(palloc(sizeof(int64) * kSampledRows * column.column.dimensions));
  column.isnull = static_cast<bool*>(palloc(sizeof(bool) * kSampledRows));
}

void TakeRun(Relation heap, Relation index, IndexInfo* info, BlockNumber block, BlockNumber blocks, int rows, Sample* sample) {
  sample->run_rows = rows;
  sample->run_seen = 0;
  table_index_build_range_scan(heap, index, info, false, false, false, block, blocks, xtree_sample_row, sample, nullptr);
  sample->rows += static_cast<int>(std::min<double>(sample->run_seen, rows));
}

// Returns how many rows the table has, about.
double TakeRows(Relation heap, Relation index, IndexInfo* info, Sample* sample) {
  const BlockNumber blocks = RelationGetNumberOfBlocks(heap);
  if (blocks <= kSampledBlocks) {
    if (blocks > 0) TakeRun(heap, index, info, 0, blocks, kSampledRows, sample);
    return sample->seen;
  }
  for (uint64 i = 0; i < kSampledBlocks; i++)
    TakeRun(heap, index, info, static_cast<BlockNumber>(i * blocks / kSampledBlocks), 1, 1, sample);
  return sample->seen * blocks / kSampledBlocks;
}

// 0: no row of the sample has a value.
uint16 ChooseFor(const ColumnSample& column, int rows, double rows_of_table) {
  const int dimensions = column.column.dimensions;
  int values = 0;
  for (int i = 0; i < rows; i++) {
    if (column.isnull[i]) continue;
    std::copy_n(column.ordinals + static_cast<ptrdiff_t>(i) * dimensions, dimensions,
                column.ordinals + static_cast<ptrdiff_t>(values++) * dimensions);
  }
  if (values == 0) return 0;
  return column.routine->choose_dimensions(&column.column, column.ordinals, values, rows_of_table * values / rows);
}

// Of an index, beside what its columns have at least.
int RoomForMore(Relation index, const ColumnState* column, const uint16* dimensions) {
  int room = kMaxDimensions;
  for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
    room -= std::max<int>({column[i].column.dimensions, dimensions[i], 1});
  return std::max(room, 0);
}

}  // namespace

void SampleDimensions(Relation heap, Relation index, IndexInfo* info, const ColumnState* column, uint16* dimensions) {
  constexpr uint64 kSeed = 0x5A3D1E;
  auto* sample = static_cast<Sample*>(palloc0(sizeof(Sample)));
  for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
    if (DimensionsFromRows(column[i]) && column[i].routine->choose_dimensions != nullptr && dimensions[i] == 0)
      AddColumn(column[i], i, sample);
  if (sample->columns == 0) return pfree(sample);
  sample->upper = static_cast<int64*>(palloc(sizeof(int64) * kMaxDimensions));
  sample->row = AllocSetContextCreate(CurrentMemoryContext, "xtree sample row", ALLOCSET_SMALL_SIZES);
  pg_prng_seed(&sample->random, kSeed);
  const double rows = TakeRows(heap, index, info, sample);
  int room = RoomForMore(index, column, dimensions);
  for (int i = 0; i < sample->columns; i++) {
    const ColumnSample& one = sample->column[i];
    const int chosen = std::min<int>(ChooseFor(one, sample->rows, rows), room + 1);
    dimensions[one.index_column] = static_cast<uint16>(chosen);
    room -= std::max(chosen - 1, 0);
    pfree(one.ordinals);
    pfree(one.isnull);
  }
  MemoryContextDelete(sample->row);
  pfree(sample->upper);
  pfree(sample);
}

}  // namespace xtree
