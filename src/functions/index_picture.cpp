#include "functions/index_picture.h"

#include <cmath>
#include <limits>

#include "am/held_entries.h"
#include "deferred/build_state.h"
#include "functions/coordinate.h"
#include "pg/compat_process.h"
#include "pg/guard.h"
#include "pg/settings.h"
#include "shmem/hot_pages.h"
#include "storage/buffer_store.h"
#include "testing/stop_point.h"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_type_d.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

namespace xtree {

namespace {

constexpr int kMaxPixels = 10000;
constexpr int kMaxBoxes = 20000;

void RequireWithin(int value, int least, int most, const char* name) {
  if (value >= least && value <= most) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be from %d to %d, not %d", name, least, most, value)));
}

void RequireSensible(const PictureRequest& request) {
  RequireWithin(request.width, kLeastPictureWidth, kMaxPixels, "width");
  RequireWithin(request.height, kLeastPictureHeight, kMaxPixels, "height");
  RequireWithin(request.max_boxes, 1, kMaxBoxes, "max_boxes");
  if (request.min_level < 0 || request.min_level > request.max_level)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("min_level must be from 0, the leaves' level, to max_level, not %d", request.min_level)));
}

struct Elements {
  Datum* values;
  bool* nulls;
  int count;
};

Elements ElementsOf(ArrayType* array, Oid type, int length, bool by_value, char align) {
  Elements elements;
  if (ARR_NDIM(array) > 1) ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("an array with one dimension is needed")));
  deconstruct_array(array, type, length, by_value, align, &elements.values, &elements.nulls, &elements.count);
  return elements;
}

void ChooseDimensions(ArrayType* array, int dimensions, OutlineRequest* out) {
  if (array == nullptr) {
    out->dimensions = std::min(dimensions, 2);
    out->dimension[0] = 0;
    out->dimension[1] = 1;
    return;
  }
  const Elements elements = ElementsOf(array, INT4OID, sizeof(int32), true, TYPALIGN_INT);
  if (elements.count < 1 || elements.count > 2)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("one or two dimensions can be drawn, not %d", elements.count)));
  out->dimensions = elements.count;
  for (int i = 0; i < elements.count; i++) {
    const int number = elements.nulls[i] ? 0 : DatumGetInt32(elements.values[i]);
    if (number < 1 || number > dimensions)
      ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("dimensions must be numbers from 1 to %d", dimensions),
                      errhint("They are numbered as the elements of xtree_nodes' bounds are, column after column.")));
    out->dimension[i] = number - 1;
  }
  if (out->dimensions == 2 && out->dimension[0] == out->dimension[1])
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("dimensions must be two different ones, or one")));
}

// `open`: what stands for NULL.
double* WindowBounds(ArrayType* array, int dimensions, double open) {
  double* bounds = static_cast<double*>(palloc(dimensions * sizeof(double)));
  std::fill(bounds, bounds + dimensions, open);
  if (array == nullptr) return bounds;
  const Elements elements = ElementsOf(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
  if (elements.count != dimensions)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("the window has %d bounds, but the index has %d dimensions", elements.count, dimensions),
                    errhint("Give a bound for each dimension of the index, NULL where the window is open.")));
  for (int d = 0; d < dimensions; d++)
    if (!elements.nulls[d]) bounds[d] = DatumGetFloat8(elements.values[d]);
  return bounds;
}

OutlineRequest OutlineOf(const PictureRequest& request, int dimensions) {
  OutlineRequest outline{};
  ChooseDimensions(request.dimensions, dimensions, &outline);
  outline.min_level = request.min_level;
  outline.max_level = request.max_level;
  outline.room = request.max_boxes;
  outline.has_window = request.window_lower != nullptr || request.window_upper != nullptr;
  outline.window_lo = WindowBounds(request.window_lower, dimensions, -std::numeric_limits<double>::infinity());
  outline.window_hi = WindowBounds(request.window_upper, dimensions, std::numeric_limits<double>::quiet_NaN());
  return outline;
}

// Whether the numbers of a column mean something to a reader, its type says; of ranges, that of their bounds.
AxisUnit UnitOf(const XtreeColumn& column, Scalar scalar) {
  Oid type = getBaseType(column.type);
  if (type_is_multirange(type)) type = get_multirange_range(type);
  if (type_is_range(type)) type = get_range_subtype(type);
  switch (type) {
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case OIDOID:
      return AxisUnit::kNumber;
    case DATEOID:
      return AxisUnit::kDays;
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
      return AxisUnit::kMicroseconds;
    case TIMEOID:
      return AxisUnit::kTimeOfDay;
    default:
      return scalar != Scalar::kInteger && !column.routine->words ? AxisUnit::kNumber : AxisUnit::kShare;
  }
}

// Of one dimension, as plain data.
struct AxisFacts {
  const char* name;
  AxisUnit unit;
};

AxisFacts AxisOf(Relation index, const IndexState& state, int dimension) {
  const DimensionLayout& layout = state.layout.dimension[dimension];
  const int first = state.layout.first_dimension[layout.column];
  const bool only = state.layout.first_dimension[layout.column + 1] - first == 1;
  XtreeColumn column{};
  column.routine = state.column[layout.column].routine;
  column.type = TupleDescAttr(RelationGetDescr(index), layout.column)->atttypid;
  const AxisUnit unit = UnitOf(column, layout.scalar);
  const char* name = NameStr(TupleDescAttr(RelationGetDescr(index), layout.column)->attname);
  const char* zone = unit == AxisUnit::kMicroseconds && column.type != TIMESTAMPOID ? " (UTC)" : "";
  return {ToUtf8(only ? psprintf("%s%s", name, zone) : psprintf("%s [%d]%s", name, dimension - first + 1, zone)), unit};
}

// What shared memory knows of an index.
struct SharedFacts {
  int mapped_by;
  BlockNumber blocks;  // of the file, when it was last looked at
  bool all_pinned;
  HotPage* page;  // by block
  int pages;
};

SharedFacts SharedFactsOf(Oid oid, BlockNumber blocks) {
  SharedFacts facts{};
  if (!Counting()) return facts;
  const IndexKey key = {MyDatabaseId, oid};
  SharedIndex* index = FindSharedIndex(key);
  if (index != nullptr) {
    facts.mapped_by = static_cast<int>(pg_atomic_read_u32(&index->mapped_by));
    {
      SharedIndexLock lock(index);
      facts.blocks = static_cast<BlockNumber>(index->blocks);
      facts.all_pinned = index->pinned_bytes >= int64{blocks} * BLCKSZ;
    }
    ReleaseSharedIndex(index);
  }
  const HotPages mine = PagesOf(CopyHotPagesInOrder(), key);
  facts.page = mine.page;
  facts.pages = mine.count;
  return facts;
}

void Mark(const SharedFacts& facts, TimestampTz now, PictureBox* box) {
  box->mapped = facts.mapped_by > 0 && box->block < facts.blocks;
  box->pinned = facts.all_pinned;
  HotPage* end = facts.page + facts.pages;
  const HotPage* page = std::lower_bound(facts.page, end, box->block, [](const HotPage& a, BlockNumber block) { return a.block < block; });
  if (page == end || page->block != box->block) return;
  box->pinned |= page->pinned;
  const double hotness = Hotness(*page, now);
  box->hotness = hotness >= settings.hot_page_threshold ? hotness : 0;
}

// Everything that the catalog and shared memory say, before anything of C++ is alive.
struct Facts {
  const char* title;
  const char* note;
  AxisFacts axis[2];
  SharedFacts shared;
  TimestampTz now;
};

Facts FactsOf(const OpenIndex& open, const IndexState& state, const OutlineRequest& outline) {
  Facts facts{};
  const BlockNumber blocks = RelationGetNumberOfBlocks(open.index);
  facts.shared = SharedFactsOf(RelationGetRelid(open.index), blocks);
  facts.now = GetCurrentTimestamp();
  facts.title = ToUtf8(RelationGetRelationName(open.index));
  facts.note = ToUtf8(psprintf("of table %s.%s; %u pages; sessions that map it: %d", get_namespace_name(RelationGetNamespace(open.heap)),
                               RelationGetRelationName(open.heap), blocks, facts.shared.mapped_by));
  for (int i = 0; i < outline.dimensions && i < state.layout.dimensions; i++)
    facts.axis[i] = AxisOf(open.index, state, outline.dimension[i]);
  return facts;
}

// Dates and times that are infinite have the first and the last ordinals.
void OpenInfinities(AxisUnit unit, double* value) {
  const double most = unit == AxisUnit::kDays ? PG_INT32_MAX : 9.2e18;
  if ((unit == AxisUnit::kDays || unit == AxisUnit::kMicroseconds) && std::abs(*value) >= most)
    *value = std::copysign(std::numeric_limits<double>::infinity(), *value);
}

void AddNotes(const OutlineRequest& outline, const Facts& facts, TreePicture* picture) {
  picture->title = facts.title;
  picture->notes.emplace_back(facts.note);
  uint64_t nodes = 0;
  for (const PictureLevel& level : picture->levels)
    if (level.level >= outline.min_level && level.level <= outline.max_level) nodes += level.nodes;
  const bool below = !picture->levels.empty() && picture->levels.back().level > outline.min_level;
  if (picture->boxes.size() < nodes || below)
    picture->notes.push_back(std::to_string(picture->boxes.size()) + " boxes are drawn, upper levels first: max_boxes is " +
                             std::to_string(outline.room));
  if (nodes == 0) picture->notes.emplace_back("the index has no values in these dimensions");
}

TreePicture Gather(const OpenIndex& open, const IndexState& state, const PictureRequest& request, const OutlineRequest& outline,
                   const Facts& facts) {
  TreePicture picture;
  picture.width = request.width;
  picture.height = request.height;
  picture.dimensions = outline.dimensions;
  if (!state.undecided) {
    BufferStore store(open.index, open.heap, state.layout);
    OutlineTree(store, state, outline, &picture);
  }
  for (int i = 0; i < outline.dimensions; i++) {
    picture.axis[i] = {facts.axis[i].name, facts.axis[i].unit};
    picture.window_lo[i] = outline.window_lo[outline.dimension[i]];
    picture.window_hi[i] = outline.window_hi[outline.dimension[i]];
  }
  picture.has_window = outline.has_window;
  for (PictureBox& box : picture.boxes) {
    Mark(facts.shared, facts.now, &box);
    for (int i = 0; i < outline.dimensions; i++)
      for (double* value : {&box.lo[i], &box.hi[i]}) OpenInfinities(facts.axis[i].unit, value);
  }
  AddNotes(outline, facts, &picture);
  return picture;
}

}  // namespace

PictureRequest OrdinaryPicture() { return {nullptr, 0, INT_MAX, nullptr, nullptr, 800, 600, 2000}; }

const char* ToUtf8(const char* text) {
  const int encoding = GetDatabaseEncoding();
  const bool known = encoding != PG_SQL_ASCII && OidIsValid(FindDefaultConversionProc(encoding, PG_UTF8));
  return known ? pg_server_to_any(text, static_cast<int>(strlen(text)), PG_UTF8) : text;
}

text* PictureOfIndex(Oid index, const PictureRequest& request) {
  RequireSensible(request);
  const OpenIndex open = OpenXtreeIndex(index, AccessShareLock);
  BeforeLook(open.index);
  IndexState* state = CopyIndexState(open.index, MetaUse::kRequired);
  XTREE_SCAN_STOP_POINT("inspect-begin");
  RequireBuilt(open.index, state);
  const OutlineRequest outline = OutlineOf(request, state->layout.dimensions);
  const Facts facts = FactsOf(open, *state, outline);
  text* svg = Guarded(open.index, [&] {
    const std::string made = SvgOf(Gather(open, *state, request, outline, facts));
    return PgCall([&] { return cstring_to_text_with_len(made.data(), static_cast<int>(made.size())); });
  });
  CloseIndex(open, AccessShareLock);
  return svg;
}

}  // namespace xtree
