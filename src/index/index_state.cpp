#include "index/index_state.h"

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

#include "core/cluster/cluster_scan.h"
#include "index/meta_page.h"
#include "page/validate.h"
#include "pg/guard.h"

namespace xtree {

namespace {

static_assert(kOrderVersionBytes == XTREE_MAX_ORDER_VERSION);

[[noreturn]] void ReportBadRoutine(Relation index, int column, const char* problem) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                  errmsg("operator class of column %d of index \"%s\" has an invalid support function 1", column + 1,
                         RelationGetRelationName(index)),
                  errdetail("%s", problem), errhint("Its library may have been built for another version of xtree.")));
  pg_unreachable();
}

const XtreeTypeRoutine* RoutineOfColumn(Relation index, int column, const XtreeColumn* described) {
  FmgrInfo* function = index_getprocinfo(index, column + 1, XTREE_TYPE_ROUTINE_PROC);
  const auto* routine = reinterpret_cast<const XtreeTypeRoutine*>(DatumGetPointer(FunctionCall1(function, PointerGetDatum(described))));
  if (routine == nullptr || routine->magic != XTREE_ROUTINE_MAGIC) ReportBadRoutine(index, column, "It does not return a type routine.");
  if (!xtree_is_routine(routine)) ReportBadRoutine(index, column, "Its type routine is of another version.");
  if (routine->ordinal_width != 4 && routine->ordinal_width != 8)
    ReportBadRoutine(index, column, "Its ordinals are neither 4 nor 8 bytes wide.");
  if (routine->bounds == nullptr || routine->constraint == nullptr || (routine->exact && routine->reconstruct == nullptr) ||
      (routine->dimensions == 0 &&
       (routine->dimensions_of == nullptr || (routine->dimensions_in == nullptr && routine->choose_dimensions == nullptr))))
    ReportBadRoutine(index, column, "Its type routine lacks a callback.");
  if (routine->order_version != nullptr && strlen(routine->order_version) >= kOrderVersionBytes)
    ReportBadRoutine(index, column, "The name of its order's version is too long.");
  return routine;
}

// The type that an operator class was made for, or the one that its polymorphic type stands for in this index.
Oid TypeOfColumn(Relation index, int column) {
  const Oid type = index->rd_opcintype[column];
  return IsPolymorphicType(type) ? getBaseType(TupleDescAttr(RelationGetDescr(index), column)->atttypid) : type;
}

// What an index without meta page yet is taken for: the planner of its own parallel build looks at it.
uint16 DefaultDimensions(const ColumnState& column) { return column.routine->default_dimensions; }

// How many dimensions the rows of the index had that decided.
uint16 ReadDimensions(Relation index, int column, const ColumnState& described, VectorFacts* vectors) {
  if (RelationGetNumberOfBlocks(index) == 0) return DefaultDimensions(described);
  PageImage copy;
  const MetaContent& meta = CopyMetaPage(index, &copy);
  if (!ReadableFormat(meta)) ReportFormat(index, meta);
  const int dimensions = meta.column[column].dimensions;
  if (vectors != nullptr && meta.vector_dimensions != 0 && meta.vector_column == column) *vectors = VectorsOn(meta);
  const XtreeTypeRoutine& routine = *described.routine;
  const int most = routine.choose_dimensions != nullptr ? routine.most_dimensions : kMaxDimensions;
  if ((dimensions == 0 && DefaultDimensions(described) != 0) || dimensions > most)
    ReportCorruptPage(index, kMetaBlock, "number of dimensions of a column is out of range");
  return static_cast<uint16>(dimensions);
}

void KeepInClusters(const VectorFacts& vectors, IndexState* state) {
  ColumnState& column = state->column[vectors.column];
  state->vectors = vectors;
  column.routine = column.column.routine = column.routine->vectors->clusters;
  column.column.dimensions = kVectorDimensionsInTree;
}

// A vector's column. Parameters may say how many dimensions it has, but the first row decides whether they are kept in clusters, whose codes have
// its scale.
void LoadVectors(Relation index, int i, const uint16* given, IndexState* state) {
  ColumnState& column = state->column[i];
  const uint16 parameter = column.column.dimensions;
  VectorFacts vectors{};
  uint16 dimensions = given != nullptr ? given[i] : ReadDimensions(index, i, column, &vectors);
  if (given != nullptr && dimensions != 0 && WantsClusters(StructureOf(index), dimensions) && state->vectors.dimensions == 0)
    vectors = {.dimensions = dimensions, .column = static_cast<uint16_t>(i), .generations = 0, .generation = {}};
  if (vectors.dimensions != 0) return KeepInClusters(vectors, state);
  if (dimensions == 0 && parameter != 0 && !WantsClusters(StructureOf(index), parameter)) dimensions = parameter;
  column.undecided = dimensions == 0;
  column.column.dimensions = std::max<uint16>(dimensions, 1);
  state->undecided |= column.undecided;
}

// `given`: of each column, where the rows decide; nullptr: as the meta page says.
void LoadColumns(Relation index, const uint16* given, IndexState* state) {
  const int columns = IndexRelationGetNumberOfKeyAttributes(index);
  ColumnShape shape[kMaxColumns];
  for (int i = 0; i < columns; i++) {
    ColumnState& column = state->column[i];
    DescribeColumn(index, i, &column);
    if (MayBeClusters(column)) {
      LoadVectors(index, i, given, state);
    } else if (DimensionsFromRows(column)) {
      column.column.dimensions = given != nullptr ? given[i] : ReadDimensions(index, i, column, nullptr);
      if (column.column.dimensions == 0) column.column.dimensions = DefaultDimensions(column);
      column.undecided = column.column.dimensions == 0;
      if (column.undecided) column.column.dimensions = 1;
      state->undecided |= column.undecided;
    }
    const XtreeTypeRoutine& routine = *column.routine;
    shape[i] = {column.column.dimensions, routine.ordinal_width, routine.extended, static_cast<Scalar>(routine.scalar), routine.words,
                routine.may_be_nearer,    routine.leading};
  }
  const bool include = IndexRelationGetNumberOfAttributes(index) > columns || state->vectors.dimensions != 0;
  const char* problem = KeyLayout::Make(shape, columns, include, &state->layout);
  if (problem != nullptr) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("index \"%s\" cannot be an xtree index: %s", RelationGetRelationName(index), problem),
                    errhint("An index has at most %d dimensions, and an entry of it must fit a page several times. Index fewer columns, or "
                            "fewer dimensions of them.",
                            kMaxDimensions)));
  }
}

void ReadOptions(Relation index, IndexState* state) {
  state->load_options = LoadOptionsOf(index);
  state->fillfactor = kDefaultFillfactor;
  state->tree_options = TreeOptions{};
  if (const auto* options = reinterpret_cast<const IndexOptions*>(index->rd_options)) {
    state->fillfactor = options->fillfactor;
    state->tree_options = {options->max_overlap, options->min_fanout, options->max_supernode_pages};
  }
}

// The first column whose ordinals had another meaning when the index was built; -1: none.
int ColumnOfOtherVersion(const IndexState& state, const ColumnEncoding* encoding, const MetaContent& meta) {
  for (int i = 0; i < state.layout.columns; i++)
    if (meta.column[i].id == encoding[i].id && meta.column[i].version != encoding[i].version) return i;
  return -1;
}

// The first column that was indexed under another version of its order; -1: none.
int ColumnOfOtherOrder(const IndexState& state, const OrderVersion* actual, const MetaContent& meta) {
  for (int i = 0; i < state.layout.columns; i++)
    if (memcmp(&meta.order_version[i], &actual[i], sizeof(OrderVersion)) != 0) return i;
  return -1;
}

const char* NameOf(const OrderVersion& version) {
  return version.text[0] == '\0' ? "none" : pnstrdup(version.text, strnlen(version.text, kOrderVersionBytes));
}

[[noreturn]] void ReportOtherVersion(Relation index, int column, const char* recorded, const char* actual) {
  ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
          errmsg("column \"%s\" of index \"%s\" was indexed in another version of its order",
                 NameStr(TupleDescAttr(RelationGetDescr(index), column)->attname), RelationGetRelationName(index)),
          errdetail("It was indexed in version %s, and now there is version %s: the library of its collation, or that of its operator "
                    "class, has changed.",
                    recorded, actual),
          errhint("REINDEX it."));
  pg_unreachable();
}

// Ereports if the ordinals of the index do not mean what they mean today.
void RequireVersions(Relation index, const IndexState& state, const ColumnEncoding* encoding, const MetaContent& meta) {
  OrderVersion actual[kMaxColumns];
  FillOrderVersions(state, actual);
  const int encoded = ColumnOfOtherVersion(state, encoding, meta);
  if (encoded >= 0)
    ReportOtherVersion(index, encoded, psprintf("%d of its encoding", meta.column[encoded].version),
                       psprintf("%d", encoding[encoded].version));
  const int ordered = ColumnOfOtherOrder(state, actual, meta);
  if (ordered >= 0) ReportOtherVersion(index, ordered, NameOf(meta.order_version[ordered]), NameOf(actual[ordered]));
}

bool HasVersions(const IndexState& state, const ColumnEncoding* encoding, const MetaContent& meta) {
  OrderVersion actual[kMaxColumns];
  FillOrderVersions(state, actual);
  return ColumnOfOtherVersion(state, encoding, meta) < 0 && ColumnOfOtherOrder(state, actual, meta) < 0;
}

// Has a row decided what `state` takes for undecided?
bool DecidedSince(const IndexState& state, const MetaContent& meta) {
  for (int i = 0; i < state.layout.columns; i++)
    if (state.column[i].undecided && meta.column[i].dimensions != 0) return true;
  return false;
}

// False: the layout is another one since `state` was made.
bool LoadMeta(Relation index, MetaUse use, IndexState* state) {
  if (use == MetaUse::kPlan && RelationGetNumberOfBlocks(index) == 0) return true;
  ColumnEncoding encoding[kMaxColumns];
  FillEncodings(*state, encoding);
  PageImage copy;
  const MetaContent& meta = CopyMetaPage(index, &copy);
  const bool readable = ReadableFormat(meta);
  const bool decided = readable && DecidedSince(*state, meta);
  const bool recognized = meta.magic == kMetaMagic && readable && meta.columns == state->layout.columns;
  if (recognized && use != MetaUse::kPlan) RequireVersions(index, *state, encoding, meta);
  if (recognized && use == MetaUse::kPlan && !HasVersions(*state, encoding, meta)) return true;
  const char* problem = readable && !decided ? ValidateMeta(copy.bytes, encoding, state->layout.columns) : nullptr;
  if (use == MetaUse::kPlan && (!readable || problem != nullptr)) return true;
  if (!readable) ReportFormat(index, meta);
  if (problem != nullptr) ReportCorruptPage(index, kMetaBlock, problem);
  state->meta_read = true;
  state->build_state = static_cast<MetaBuildState>(meta.build_state);
  state->stale = (meta.build_flags & kMetaBuildStale) != 0;
  state->usable_from_xid = meta.usable_from_xid;
  state->levels = meta.levels;
  memcpy(state->level, meta.level, sizeof(meta.level));
  memcpy(state->column_statistics, meta.column_statistics, sizeof(meta.column_statistics));
  state->heap_spread = meta.heap_spread;
  if (!decided && state->vectors.dimensions != 0) state->vectors = VectorsOn(meta);
  return !decided;
}

IndexState* ReadState(Relation index, const uint16* dimensions, MemoryContext memory) {
  auto* scratch = static_cast<IndexState*>(palloc0(sizeof(IndexState)));
  scratch->build_state = MetaBuildState::kBuilt;
  ReadOptions(index, scratch);
  LoadColumns(index, dimensions, scratch);
  auto* state = static_cast<IndexState*>(MemoryContextAlloc(memory, scratch->size()));
  memcpy(static_cast<void*>(state), scratch, scratch->size());
  pfree(scratch);
  return state;
}

IndexState* CachedState(Relation index) {
  if (index->rd_amcache == nullptr) {
    IndexState* state = ReadState(index, nullptr, index->rd_indexcxt);
    if (index->rd_amcache != nullptr) pfree(index->rd_amcache);  // loading may have recursed through an invalidation
    index->rd_amcache = state;
  }
  return static_cast<IndexState*>(index->rd_amcache);
}

}  // namespace

const IndexState* GetIndexState(Relation index, MetaUse use) {
  IndexState* state = CachedState(index);
  while (use != MetaUse::kNone && (!state->meta_read || state->undecided)) {
    if (LoadMeta(index, use, state)) break;
    ForgetIndexState(index);
    state = CachedState(index);
  }
  return state;
}

IndexState* CopyIndexState(Relation index, MetaUse use) {
  const IndexState* cached = GetIndexState(index, use);
  auto* copy = static_cast<IndexState*>(palloc(cached->size()));
  memcpy(static_cast<void*>(copy), cached, cached->size());
  return copy;
}

int KnownTreeHeight(Relation index) {
  const auto* state = static_cast<const IndexState*>(index->rd_amcache);
  const bool known = state != nullptr && state->meta_read && state->build_state == MetaBuildState::kBuilt;
  return known ? static_cast<int>(state->levels) - 1 : -1;
}

bool IsMetaKnown(Relation index) {
  const auto* state = static_cast<const IndexState*>(index->rd_amcache);
  return state != nullptr && state->meta_read && !state->undecided;
}

bool RereadMeta(Relation index, IndexState* state) { return LoadMeta(index, MetaUse::kRequired, state); }

IndexState* NewIndexState(Relation index, const uint16* dimensions) { return ReadState(index, dimensions, CurrentMemoryContext); }

void FillEncodings(const IndexState& state, ColumnEncoding* encoding) {
  for (int i = 0; i < state.layout.columns; i++) {
    const XtreeTypeRoutine& routine = *state.column[i].routine;
    const uint16_t dimensions = state.column[i].undecided ? 0 : state.column[i].column.dimensions;
    encoding[i] = {routine.encoding_id, routine.encoding_version, dimensions, routine.ordinal_width, routine.extended};
  }
}

void FillOrderVersions(const IndexState& state, OrderVersion* version) {
  for (int i = 0; i < state.layout.columns; i++) {
    const char* name = state.column[i].routine->order_version;
    version[i] = {};
    if (name != nullptr) strncpy(version[i].text, name, kOrderVersionBytes - 1);
  }
}

uint16 DimensionsOfValue(const ColumnState& described, Datum value) {
  const uint16 parameter = described.column.dimensions;
  if (parameter != 0) {
    auto* coordinates = static_cast<double*>(palloc(sizeof(double) * parameter));
    described.routine->vectors->coordinates(value, parameter, coordinates);
    pfree(coordinates);
  }
  return described.routine->dimensions_in(&described.column, value);
}

void FillDimensions(const IndexState& state, uint16* dimensions) {
  for (int i = 0; i < state.layout.columns; i++) {
    dimensions[i] = state.column[i].undecided ? 0 : state.column[i].column.dimensions;
    if (IsInClusters(state, i)) dimensions[i] = state.vectors.dimensions;
  }
}

bool DimensionsFromRows(const ColumnState& column) { return column.column.dimensions == 0; }

void DescribeColumn(Relation index, int column, ColumnState* out) {
  bytea** options = RelationGetIndexAttOptions(index, false);
  out->column.type = TypeOfColumn(index, column);
  out->column.collation = index->rd_indcollation[column];
  out->column.options = options != nullptr ? options[column] : nullptr;
  out->column.dimensions = 0;
  out->column.routine = nullptr;
  out->column.routine = out->routine = RoutineOfColumn(index, column, &out->column);
  const XtreeTypeRoutine& routine = *out->routine;
  out->column.dimensions = routine.dimensions != 0 ? routine.dimensions : routine.dimensions_of(&out->column);
}

void ForgetIndexState(Relation index) {
  if (index->rd_amcache != nullptr) pfree(index->rd_amcache);
  index->rd_amcache = nullptr;
}

}  // namespace xtree
