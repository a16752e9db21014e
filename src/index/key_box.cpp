// See key_box.h.
#include "index/key_box.h"

#include "core/cluster/cluster_scan.h"

namespace xtree {

namespace {

struct ValuePlace {
  Relation index;
  ItemPointer row;
  int column;
};

// Where the tree has a vector that is kept in clusters.
void PlaceVector(VectorCoder* coder, Datum value, Ordinal* lo, Ordinal* hi) {
  coder->Code(value);
  lo[kClusterDimension] = hi[kClusterDimension] = coder->place().cluster;
  lo[kCentroidDistanceDimension] = hi[kCentroidDistanceDimension] = OrdinalFromFloat(coder->place().distance);
}

}  // namespace

// Says which value an error is about.
extern "C" void xtree_value_context(void* argument) {
  const auto* place = static_cast<const ValuePlace*>(argument);
  errcontext("column \"%s\" of index \"%s\", row (%u,%u)", NameStr(TupleDescAttr(RelationGetDescr(place->index), place->column)->attname),
             RelationGetRelationName(place->index), ItemPointerGetBlockNumber(place->row), ItemPointerGetOffsetNumber(place->row));
}

void FormBox(Relation index, const IndexState& state, VectorCoder* coder, ItemPointer row, const Datum* values, const bool* isnull,
             Box* box) {
  const KeyLayout& layout = state.layout;
  ValuePlace place{index, row, 0};
  ErrorContextCallback context{error_context_stack, xtree_value_context, &place};
  error_context_stack = &context;
  box->marks = 0;
  for (int i = 0; i < layout.columns; i++) {
    const int first = layout.first_dimension[i], end = layout.first_dimension[i + 1];
    uint8_t mark = 0;
    place.column = i;
    if (isnull[i]) {
      mark = kMarkNull;
    } else if (IsInClusters(state, i)) {
      PlaceVector(coder, values[i], &box->lo[first], &box->hi[first]);
    } else {
      XtreeBounds bounds{&box->lo[first], &box->hi[first], false, false};
      state.column[i].routine->bounds(&state.column[i].column, values[i], &bounds);
      if (bounds.empty) mark = kMarkEmpty;
      if (bounds.nearer) box->marks |= ColumnMarks(i, kMarkNearer);
    }
    if (mark == 0) continue;
    box->marks |= ColumnMarks(i, mark);
    for (int d = first; d < end; d++) {
      box->lo[d] = InvertedLo(layout.dimension[d].width);
      box->hi[d] = InvertedHi(layout.dimension[d].width);
    }
  }
  error_context_stack = context.previous;
}

Datum ReconstructKey(const IndexState& state, int column, const Box& box, bool* isnull) {
  const ColumnState& type = state.column[column];
  const uint8_t marks = (box.marks >> (2 * column)) & 3;
  *isnull = marks & kMarkNull;
  if (*isnull) return Datum{0};
  const int first = state.layout.first_dimension[column];
  return type.routine->reconstruct(&type.column, &box.lo[first], &box.hi[first], marks & kMarkEmpty);
}

}  // namespace xtree
