// SQL functions xtree_index_info(regclass), a row per level, and xtree_nodes(regclass), a row per node. AccessShareLock; pages are read
// under share locks, one node at a time, so writers may change the tree between them.
#include "core/tree_check.h"
#include "index/index_access.h"
#include "index/meta_page.h"
#include "pg/guard.h"
#include "storage/buffer_store.h"

extern "C" {
#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(xtree_index_info);
PG_FUNCTION_INFO_V1(xtree_nodes);
}

namespace xtree {

namespace {

const char* NameOf(BuildState state) {
  switch (state) {
    case BuildState::kUnbuilt:
      return "unbuilt";
    case BuildState::kReady:
      return "ready";
    case BuildState::kBuilt:
      return "built";
  }
  return "unknown";
}

bool IsBuilt(const IndexState& state) { return state.build_state == BuildState::kBuilt; }

// The row of an index that has no level yet.
void PutUnbuilt(ReturnSetInfo* result, const MetaContent& meta, const IndexState& state) {
  Datum values[11] = {Int32GetDatum(meta.version), CStringGetTextDatum(NameOf(static_cast<BuildState>(meta.build_state))),
                      Int32GetDatum(state.layout.dimensions), Int32GetDatum(0)};
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

Levels WalkLevels(const OpenIndex& open, const IndexState& state) {
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
      CStringGetTextDatum(NameOf(static_cast<BuildState>(meta.build_state))),
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

double CoordinateOf(const IndexState& state, int dimension, Ordinal ordinal, bool upper) {
  const DimensionLayout& layout = state.layout.dimension[dimension];
  const XtreeTypeRoutine& routine = *state.column[layout.column].routine;
  return routine.coordinate != nullptr ? routine.coordinate(ordinal, upper) : Decode(layout.scalar, ordinal);
}

Datum BoundArray(const IndexState& state, const Box& box, bool upper) {
  const KeyLayout& layout = state.layout;
  Datum* elements = static_cast<Datum*>(palloc(layout.dimensions * sizeof(Datum)));
  bool* nulls = static_cast<bool*>(palloc(layout.dimensions * sizeof(bool)));
  for (int d = 0; d < layout.dimensions; d++) {
    nulls[d] = box.lo[d] > box.hi[d];
    elements[d] = nulls[d] ? 0 : Float8GetDatum(CoordinateOf(state, d, upper ? box.hi[d] : box.lo[d], upper));
  }
  int dimensions[] = {layout.dimensions};
  int lower_bounds[] = {1};
  return PointerGetDatum(construct_md_array(elements, nulls, 1, dimensions, lower_bounds, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
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
      Int64GetDatum(row.block), Int64GetDatum(row.parent), Int32GetDatum(row.level), Int32GetDatum(row.pages), Int32GetDatum(row.entries),
      BoundArray(state, row.bounds, false), BoundArray(state, row.bounds, true),
  };
  bool nulls[] = {false, row.parent == kInvalidBlock, false, false, false, false, false};
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  MemoryContextSwitchTo(old);
  MemoryContextReset(context);
}

void PutNodes(ReturnSetInfo* result, const OpenIndex& open, const IndexState& state) {
  const KeyLayout& layout = state.layout;
  const MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "xtree node row", ALLOCSET_SMALL_SIZES);
  Guarded(open.index, [&] {
    BufferStore store(open.index, open.heap, layout, GetAccessStrategy(BAS_BULKREAD));
    TreeCheck check(store, layout, nullptr);
    check.OnNode([&](const OpenNode& node, BlockNumber parent) {
      NodeRow row{node.block(), parent, node.level(), node.pages(), node.entries(), {}};
      MakeEmpty(layout, &row.bounds);
      Box page;
      for (int i = 0; i < node.pages(); i++) {
        node.page(i).Bounds(&page);
        Extend(layout, page, &row.bounds);
      }
      PgCall([&] { PutNode(result, state, row, context); });
    });
    check.Walk();
  });
}

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_index_info(PG_FUNCTION_ARGS) {
  using namespace xtree;
  InitMaterializedSRF(fcinfo, 0);
  const OpenIndex open = OpenOwnedIndex(PG_GETARG_OID(0), AccessShareLock);
  const IndexState* state = CopyIndexState(open.index, MetaUse::kRequired);
  const MetaContent meta = TakeMeta(ReadBuffer(open.index, kMetaBlock));
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  if (!IsBuilt(*state)) PutUnbuilt(result, meta, *state);
  const Levels levels = IsBuilt(*state) ? WalkLevels(open, *state) : Levels{};
  for (int level = levels.count - 1; level >= 0; level--)
    PutLevel(result, meta, *state, levels, level);
  CloseIndex(open, AccessShareLock);
  return 0;
}

extern "C" Datum xtree_nodes(PG_FUNCTION_ARGS) {
  using namespace xtree;
  InitMaterializedSRF(fcinfo, 0);
  const OpenIndex open = OpenOwnedIndex(PG_GETARG_OID(0), AccessShareLock);
  const IndexState* state = CopyIndexState(open.index, MetaUse::kRequired);
  if (IsBuilt(*state)) PutNodes(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), open, *state);
  CloseIndex(open, AccessShareLock);
  return 0;
}
