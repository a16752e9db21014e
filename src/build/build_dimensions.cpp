// See build_dimensions.h.
#include "build/build_dimensions.h"

#include "build/build_sample.h"

extern "C" {
#include "access/tableam.h"
#include "storage/bufmgr.h"
}

namespace xtree {

namespace {

struct Search {
  ColumnState column[kMaxColumns];
  uint16* dimensions;
  int columns;
  int missing;
  bool rows;  // seen
  MemoryContext row;
};

// Of vectors also where parameters say the number: the value has a say in how they are kept.
bool FirstValueDecides(const ColumnState& column) {
  return (DimensionsFromRows(column) || MayBeClusters(column)) && column.routine->choose_dimensions == nullptr;
}

}  // namespace

extern "C" void xtree_look_at_row(Relation, ItemPointer, Datum* values, bool* isnull, bool, void* argument) {
  auto* search = static_cast<Search*>(argument);
  const MemoryContext old = MemoryContextSwitchTo(search->row);
  search->rows = true;
  for (int i = 0; i < search->columns; i++) {
    const ColumnState& column = search->column[i];
    if (!FirstValueDecides(column) || search->dimensions[i] != 0 || isnull[i]) continue;
    search->dimensions[i] = DimensionsOfValue(column, values[i]);
    search->missing--;
  }
  MemoryContextSwitchTo(old);
  MemoryContextReset(search->row);
}

// There are rows, so the number cannot be left open until the first one comes; and none of them has a value.
static void DecideWithoutValue(Relation index, const Search& search) {
  for (int i = 0; i < search.columns; i++) {
    const ColumnState& column = search.column[i];
    if (!FirstValueDecides(column) || search.dimensions[i] != 0 || column.routine->default_dimensions != 0) continue;
    search.dimensions[i] = column.column.dimensions;
    if (search.dimensions[i] != 0) continue;
    search.dimensions[i] = 1;
    ereport(NOTICE,
            errmsg("number of dimensions of column \"%s\" of index \"%s\" is taken to be 1, because no row has a value there",
                   NameStr(TupleDescAttr(RelationGetDescr(index), i)->attname), RelationGetRelationName(index)),
            errhint("REINDEX when there are values, or make the index with the operator class parameter dims."));
  }
}

// A scan cannot be stopped, so it is made in runs of blocks that grow.
void FindDimensions(Relation heap, Relation index, IndexInfo* info, uint16* dimensions) {
  auto* search = static_cast<Search*>(palloc0(sizeof(Search)));
  search->dimensions = dimensions;
  search->columns = IndexRelationGetNumberOfKeyAttributes(index);
  for (int i = 0; i < search->columns; i++) {
    DescribeColumn(index, i, &search->column[i]);
    search->missing += FirstValueDecides(search->column[i]) && dimensions[i] == 0;
  }
  search->row = AllocSetContextCreate(CurrentMemoryContext, "xtree dimensions", ALLOCSET_SMALL_SIZES);
  const BlockNumber blocks = search->missing > 0 ? RelationGetNumberOfBlocks(heap) : 0;
  BlockNumber run = 1;
  for (BlockNumber block = 0; block < blocks && search->missing > 0; block += run, run *= 2)
    table_index_build_range_scan(heap, index, info, false, false, false, block, std::min(run, blocks - block), xtree_look_at_row, search,
                                 nullptr);
  if (search->missing > 0 && search->rows) DecideWithoutValue(index, *search);
  MemoryContextDelete(search->row);
  SampleDimensions(heap, index, info, search->column, dimensions);
  pfree(search);
}

}  // namespace xtree
