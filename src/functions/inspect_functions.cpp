// SQL functions xtree_index_info(regclass), a row per level, xtree_nodes(regclass), a row per node, and xtree_extent(regclass), a row per
// column. AccessShareLock; pages are read under share locks, one node at a time, so writers may change the tree between them. The root of an index
// whose dimensions are undecided is not read: the first row may give it another layout at that moment, which would look like damage.
#include "am/held_entries.h"
#include "core/tree_check.h"
#include "deferred/build_state.h"
#include "functions/coordinate.h"
#include "index/index_access.h"
#include "index/meta_page.h"
#include "pg/guard.h"
#include "storage/buffer_store.h"
#include "testing/stop_point.h"

extern "C" {
#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(xtree_index_info);
PG_FUNCTION_INFO_V1(xtree_nodes);
PG_FUNCTION_INFO_V1(xtree_extent);
}

namespace xtree {

namespace {

const char* NameOf(MetaBuildState state) {
  switch (state) {
    case MetaBuildState::kUnbuilt:
      return "unbuilt";
    case MetaBuildState::kReady:
      return "ready";
    case MetaBuildState::kBuilt:
      return "built";
  }
  return "unknown";
}

bool IsBuilt(const IndexState& state) { return state.build_state == MetaBuildState::kBuilt; }

// The row of an index that has no level yet.
void PutUnbuilt(ReturnSetInfo* result, const MetaContent& meta, const IndexState& state) {
  Datum values[11] = {Int32GetDatum(meta.version), CStringGetTextDatum(NameOf(state.build_state)), Int32GetDatum(state.layout.dimensions),
                      Int32GetDatum(0)};
  bool nulls[std::size(values)] = {};
  std::fill(nulls + 4, std::end(nulls), true);
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

double Fill(const KeyLayout& layout, const LevelStatistics& statistics, bool leaf) {
  const double room = static_cast<double>(statistics.pages) * layout.Block(leaf, false).max_entries;
  return room > 0 ? static_cast<double>(statistics.entries) / room : 0;
}

struct Levels {
  int count;
  LevelStatistics level[kMaxLevel];
};

// Undecided means empty.
Levels EmptyTree() {
  Levels levels{};
  levels.count = 1;
  levels.level[0] = {.entries = 0, .nodes = 1, .pages = 1, .supernodes = 0, .overlap = 0};
  return levels;
}

Levels WalkLevels(const OpenIndex& open, const IndexState& state) {
  if (state.undecided) return EmptyTree();
  return Guarded(open.index, [&] {
    BufferStore store(open.index, open.heap, state.layout, GetAccessStrategy(BAS_BULKREAD));
    TreeCheck check(store, state.layout, nullptr);
    check.Walk();
    Levels levels{};
    levels.count = static_cast<int>(std::min<size_t>(check.levels().size(), kMaxLevel));
    std::copy_n(check.levels().begin(), levels.count, levels.level);
    return levels;
  });
}

void PutLevel(ReturnSetInfo* result, const MetaContent& meta, const IndexState& state, const Levels& levels, int level) {
  const LevelStatistics& statistics = levels.level[level];
  Datum values[] = {
      Int32GetDatum(meta.version),
      CStringGetTextDatum(NameOf(state.build_state)),
      Int32GetDatum(state.layout.dimensions),
      Int32GetDatum(levels.count),
      Int32GetDatum(level),
      Int64GetDatum(statistics.nodes),
      Int64GetDatum(statistics.pages),
      Int64GetDatum(statistics.supernodes),
      Int64GetDatum(statistics.entries),
      Float8GetDatum(Fill(state.layout, statistics, level == 0)),
      Float8GetDatum(statistics.overlap),
  };
  bool nulls[std::size(values)] = {};
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

// Of the dimensions from `first` to `end`.
Datum BoundArray(const IndexState& state, const Box& box, int first, int end, bool upper) {
  const int count = end - first;
  Datum* elements = static_cast<Datum*>(palloc(count * sizeof(Datum)));
  bool* nulls = static_cast<bool*>(palloc(count * sizeof(bool)));
  for (int i = 0; i < count; i++) {
    const int d = first + i;
    nulls[i] = box.lo[d] > box.hi[d];
    elements[i] = nulls[i] ? 0 : Float8GetDatum(CoordinateOf(state, d, upper ? box.hi[d] : box.lo[d], upper));
  }
  int dimensions[] = {count};
  int lower_bounds[] = {1};
  return PointerGetDatum(
      construct_md_array(elements, nulls, 1, dimensions, lower_bounds, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

struct NodeRow {
  BlockNumber block;
  BlockNumber parent;
  int level;
  int pages;
  int entries;
  Box bounds;
};

void PutNode(ReturnSetInfo* result, const IndexState& state, const NodeRow& row, MemoryContext context) {
  const MemoryContext old = MemoryContextSwitchTo(context);
  Datum values[] = {
      Int64GetDatum(row.block),
      Int64GetDatum(row.parent),
      Int32GetDatum(row.level),
      Int32GetDatum(row.pages),
      Int32GetDatum(row.entries),
      BoundArray(state, row.bounds, 0, state.layout.dimensions, false),
      BoundArray(state, row.bounds, 0, state.layout.dimensions, true),
  };
  bool nulls[] = {false, row.parent == kInvalidBlock, false, false, false, false, false};
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  MemoryContextSwitchTo(old);
  MemoryContextReset(context);
}

void BoundsOf(const KeyLayout& layout, const OpenNode& node, Box* bounds) {
  MakeEmpty(layout, bounds);
  Box page;
  for (int i = 0; i < node.pages(); i++) {
    node.page(i).Bounds(&page);
    Extend(layout, page, bounds);
  }
}

void PutEmptyRoot(ReturnSetInfo* result, const IndexState& state, MemoryContext context) {
  NodeRow row{kRootBlock, kInvalidBlock, 0, 1, 0, {}};
  MakeEmpty(state.layout, &row.bounds);
  PutNode(result, state, row, context);
}

void PutNodes(ReturnSetInfo* result, const OpenIndex& open, const IndexState& state) {
  const KeyLayout& layout = state.layout;
  const MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "xtree node row", ALLOCSET_SMALL_SIZES);
  if (state.undecided) return PutEmptyRoot(result, state, context);
  Guarded(open.index, [&] {
    BufferStore store(open.index, open.heap, layout, GetAccessStrategy(BAS_BULKREAD));
    TreeCheck check(store, layout, nullptr);
    check.OnNode([&](const OpenNode& node, BlockNumber parent) {
      NodeRow row{node.block(), parent, node.level(), node.pages(), node.entries(), {}};
      BoundsOf(layout, node, &row.bounds);
      PgCall([&] { PutNode(result, state, row, context); });
    });
    check.Walk();
  });
}

// The root's bounds contain everything that is in the index, so this costs a page (a supernode at the root: its pages).
void ReadRoot(const OpenIndex& open, const IndexState& state, Box* bounds) {
  Guarded(open.index, [&] {
    BufferStore store(open.index, open.heap, state.layout);
    const OpenNode root(store, state.layout, kRootBlock, LockMode::kShare);
    BoundsOf(state.layout, root, bounds);
  });
}

// One row: the column's number, name, and bounds, NULL where no row has a value.
void PutExtent(ReturnSetInfo* result, Relation index, const IndexState& state, const Box& box, int column) {
  const KeyLayout& layout = state.layout;
  const int first = layout.first_dimension[column], end = layout.first_dimension[column + 1];
  const bool none = state.undecided || box.lo[first] > box.hi[first];
  Datum values[4] = {Int32GetDatum(column + 1), NameGetDatum(&TupleDescAttr(RelationGetDescr(index), column)->attname)};
  bool nulls[4] = {false, false, none, none};
  if (!none) {
    values[2] = BoundArray(state, box, first, end, false);
    values[3] = BoundArray(state, box, first, end, true);
  }
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_index_info(PG_FUNCTION_ARGS) {
  using namespace xtree;
  InitMaterializedSRF(fcinfo, 0);
  const OpenIndex open = OpenXtreeIndex(PG_GETARG_OID(0), AccessShareLock);
  BeforeLook(open.index);
  const IndexState* state = CopyIndexState(open.index, MetaUse::kRequired);
  const MetaContent meta = TakeMeta(ReadBuffer(open.index, kMetaBlock));
  XTREE_SCAN_STOP_POINT("inspect-begin");
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  if (!IsBuilt(*state)) PutUnbuilt(result, meta, *state);
  const Levels levels = IsBuilt(*state) ? WalkLevels(open, *state) : Levels{};
  for (int level = levels.count - 1; level >= 0; level--) PutLevel(result, meta, *state, levels, level);
  CloseIndex(open, AccessShareLock);
  return 0;
}

extern "C" Datum xtree_nodes(PG_FUNCTION_ARGS) {
  using namespace xtree;
  InitMaterializedSRF(fcinfo, 0);
  const OpenIndex open = OpenXtreeIndex(PG_GETARG_OID(0), AccessShareLock);
  BeforeLook(open.index);
  const IndexState* state = CopyIndexState(open.index, MetaUse::kRequired);
  XTREE_SCAN_STOP_POINT("inspect-begin");
  if (IsBuilt(*state)) PutNodes(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), open, *state);
  CloseIndex(open, AccessShareLock);
  return 0;
}

extern "C" Datum xtree_extent(PG_FUNCTION_ARGS) {
  using namespace xtree;
  InitMaterializedSRF(fcinfo, 0);
  const OpenIndex open = OpenXtreeIndex(PG_GETARG_OID(0), AccessShareLock);
  BeforeLook(open.index);
  IndexState* state = CopyIndexState(open.index, MetaUse::kRequired);
  RequireBuilt(open.index, state);
  Box box;
  MakeEmpty(state->layout, &box);
  if (!state->undecided) ReadRoot(open, *state, &box);
  for (int column = 0; column < state->layout.columns; column++)
    PutExtent(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), open.index, *state, box, column);
  CloseIndex(open, AccessShareLock);
  return 0;
}
