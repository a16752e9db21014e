// See first_row.h.
#include "am/first_row.h"

#include "core/page_store.h"
#include "index/meta_page.h"
#include "index/vector_models.h"
#include "pg/guard.h"
#include "storage/buffer_store.h"

namespace xtree {

namespace {

[[noreturn]] void ReportNoValue(Relation index, int column) {
  ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
          errmsg("number of dimensions of column \"%s\" of index \"%s\" is not known yet",
                 NameStr(TupleDescAttr(RelationGetDescr(index), column)->attname), RelationGetRelationName(index)),
          errdetail("The first row decides, and this one has NULL there."),
          errhint("Insert a row with a value first, or make the index with the operator class parameter dims."));
  pg_unreachable();
}

// An operator class's parameter may say the number; vectors in clusters await their first row nevertheless, for its scale. 0: not known.
uint16 DimensionsOf(Relation index, int column, Datum value, bool isnull) {
  ColumnState described{};
  DescribeColumn(index, column, &described);
  return isnull ? described.column.dimensions : DimensionsOfValue(described, value);
}

void FindDimensions(Relation index, const IndexState& state, const Datum* values, const bool* isnull, uint16* dimensions) {
  FillDimensions(state, dimensions);
  for (int i = 0; i < state.layout.columns; i++) {
    if (!state.column[i].undecided) continue;
    dimensions[i] = DimensionsOf(index, i, values[i], isnull[i]);
    if (dimensions[i] == 0) ReportNoValue(index, i);
  }
}

// That of codes, by the first vector: others are mostly as long. Without one, what suits vectors of length 1.
float ScaleOfFirst(const IndexState& state, const Datum* values, const bool* isnull) {
  if (isnull[state.vectors.column]) return kScaleOfUnknown;
  const int dimensions = state.vectors.dimensions;
  auto* coordinates = static_cast<double*>(palloc(sizeof(double) * dimensions));
  auto* bytes = static_cast<uint8_t*>(palloc(VectorModel::BytesFor(dimensions, 1)));
  state.column[state.vectors.column].routine->vectors->coordinates(values[state.vectors.column], dimensions, coordinates);
  VectorModel::MakeFromOne(coordinates, dimensions, bytes);
  return VectorModel(bytes).scale()[0];
}

// Nothing to do where somebody else was first.
void WriteDecision(const IndexState& undecided, const IndexState& decided, BufferStore* store) {
  const PageLock meta(*store, kMetaBlock, LockMode::kExclusive);
  PageImage meta_image, root_image;
  memcpy(meta_image.bytes, meta.bytes(), kPageSize);
  MetaContent* content = &MetaOn(&meta_image);
  for (int i = 0; i < decided.layout.columns; i++)
    if (undecided.column[i].undecided && content->column[i].dimensions != 0) return;
  FillEncodings(decided, content->column);
  content->dimensions = decided.layout.dimensions;
  NoteVectors(decided.vectors, content);
  ReachEnd(&meta_image);
  const PageLock root(*store, store->OpenUnchecked(kRootBlock, LockMode::kExclusive));
  memcpy(root_image.bytes, root.bytes(), kPageSize);
  NodeEditor(decided.layout, root_image.bytes).Initialize(0, kNodeLeaf);
  const PageChange changes[] = {{&meta.ref(), &meta_image, false}, {&root.ref(), &root_image, false}};
  XTREE_STOP_POINT("first-row");
  store->Commit(changes);
}

}  // namespace

void DecideDimensions(Relation index, Relation heap, const IndexState& undecided, const Datum* values, const bool* isnull) {
  uint16 dimensions[kMaxColumns];
  FindDimensions(index, undecided, values, isnull, dimensions);
  IndexState* decided = NewIndexState(index, dimensions);
  if (decided->vectors.dimensions != 0) {
    const NewModel model = {.id = 0, .scale = ScaleOfFirst(*decided, values, isnull), .bytes = nullptr, .size = 0};
    decided->vectors.generations = 1;
    decided->vectors.generation[0] = GenerationOf(model, kInvalidBlock, 0);
  }
  Guarded(index, [&] {
    BufferStore store(index, heap, decided->layout);
    WriteDecision(undecided, *decided, &store);
  });
  ForgetIndexState(index);
}

}  // namespace xtree
