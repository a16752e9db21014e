// KeyLayout::Make and the arithmetic of boxes. Pure functions of their arguments: anybody may call them, nothing is
// locked, no WAL.
//
// The capacity of a block trades the length of the runs that the kernels stream through against the room that whole
// blocks waste at the end of a page. It depends on nothing but the columns, so every page of an index, and every
// version of this code, has the same offsets; whoever changes a rule here changes the format.
#include "page/key_layout.h"

#include <algorithm>
#include <cstring>

namespace xtree {
namespace {

constexpr int kCapacities[] = {16, 8, 4, 1};
constexpr int kPageRoom = kSpecialOffset - kPageHeaderSize;

// Share of a page's room, in percent, that may stay unused when its block layout is full.
constexpr int kMaxWaste = 10;
constexpr int kMaxWasteWithMarks = 20;

constexpr int RoundUp(int value, int unit) { return (value + unit - 1) / unit * unit; }

// The largest directory entry is that of kMaxDimensions 64-bit dimensions: so a block of one entry always fits often
// enough.
constexpr int kLargestEntry = RoundUp(kMaxDimensions * 16 + 16 + sizeof(BlockNumber) + 8, 8);
static_assert(3 * kLargestEntry <= kPageRoom, "a directory node needs three entries to be of use");
static_assert(2 * (kLargestEntry + static_cast<int>(PayloadBytes(kSmallPayload))) + KillBytes(2) <= kPageRoom,
              "two rows with small payloads fit a leaf of blocks of one entry");

uint8_t PowerOfTwoBytes(int bits) {
  int bytes = 1;
  while (bytes * 8 < bits) bytes *= 2;
  return static_cast<uint8_t>(bytes);
}

// Gives the arrays of a block their offsets, in the order of the calls: by falling element width, so that each is
// aligned.
class BlockBuilder {
 public:
  explicit BlockBuilder(int capacity) : capacity_(capacity) {}

  uint16_t Place(int width) {
    const int offset = end_;
    end_ += width * capacity_;
    entry_bytes_ += width;
    return static_cast<uint16_t>(offset);
  }
  void Align(int width) { end_ = RoundUp(end_, width); }

  int capacity() const { return capacity_; }
  int bytes() const { return RoundUp(end_, 8); }
  int entry_bytes() const { return entry_bytes_; }

 private:
  int capacity_;
  int end_ = 0;
  int entry_bytes_ = 0;
};

int MaxEntries(const BlockBuilder& builder, bool leaf) {
  int blocks = kPageRoom / builder.bytes();
  while (leaf && blocks * builder.bytes() + KillBytes(static_cast<uint16_t>(blocks * builder.capacity())) > kPageRoom) --blocks;
  return std::min(blocks, kMaxEntriesPerPage / builder.capacity()) * builder.capacity();
}

int WastePercent(const BlockBuilder& builder, int entries) { return (kPageRoom - entries * builder.entry_bytes()) * 100 / kPageRoom; }

void PlaceOrdinals(bool leaf, uint8_t width, BlockBuilder* builder, KeyLayout* layout) {
  for (int d = 0; d < layout->dimensions; ++d) {
    DimensionLayout& dimension = layout->dimension[d];
    if (dimension.width != width) continue;
    dimension.lo[!leaf] = builder->Place(width);
    dimension.hi[!leaf] = leaf && !dimension.extended ? dimension.lo[!leaf] : builder->Place(width);
  }
}

// All arrays but the marks.
void PlaceArrays(bool leaf, BlockBuilder* builder, KeyLayout* layout, BlockLayout* block) {
  const auto place_history = [&](int smallest, int largest) {
    const int width = layout->history_width;
    if (!leaf && width >= smallest && width <= largest) block->history = builder->Place(width);
  };
  PlaceOrdinals(leaf, 8, builder, layout);
  place_history(8, 16);
  PlaceOrdinals(leaf, 4, builder, layout);
  if (!leaf) block->reference = builder->Place(sizeof(BlockNumber));
  place_history(4, 4);
  if (leaf) block->reference = builder->Place(sizeof(TupleId));
  if (leaf && layout->include) block->payload = builder->Place(sizeof(uint16_t));
  place_history(1, 2);
}

// How a capacity would fill a page.
struct Fill {
  int entries;  // of a page without marks
  bool dense;   // little is wasted on that, nor on a page with marks
  bool roomy;   // two rows with small payloads fit a leaf
};

// A block takes its room whole, whatever is in it, and so may leave none to payloads.
bool FitsPayloads(const BlockLayout& marked) {
  const int blocks = marked.capacity > 1 ? 1 : 2;
  return blocks * marked.bytes + KillBytes(marked.max_entries) + 2 * static_cast<int>(PayloadBytes(kSmallPayload)) <= kPageRoom;
}

// Writes both block layouts of `leaf` for this capacity.
Fill Arrange(bool leaf, int capacity, KeyLayout* layout) {
  BlockBuilder builder(capacity);
  BlockLayout plain = {};
  PlaceArrays(leaf, &builder, layout, &plain);
  plain.capacity = static_cast<uint16_t>(capacity);
  plain.bytes = static_cast<uint16_t>(builder.bytes());
  plain.max_entries = static_cast<uint16_t>(MaxEntries(builder, leaf));

  BlockBuilder with_marks = builder;
  BlockLayout marked = plain;
  with_marks.Align(layout->marks_width);
  marked.marks = with_marks.Place(layout->marks_width);
  marked.bytes = static_cast<uint16_t>(with_marks.bytes());
  marked.max_entries = static_cast<uint16_t>(MaxEntries(with_marks, leaf));

  layout->block[KeyLayout::Index(leaf, false)] = plain;
  layout->block[KeyLayout::Index(leaf, true)] = marked;
  const bool dense =
      WastePercent(builder, plain.max_entries) < kMaxWaste && WastePercent(with_marks, marked.max_entries) < kMaxWasteWithMarks;
  return {plain.max_entries, dense, !leaf || !layout->include || FitsPayloads(marked)};
}

void ChooseCapacity(bool leaf, KeyLayout* layout) {
  int best = 1;
  int most = 0;
  for (const int capacity : kCapacities) {
    const Fill fill = Arrange(leaf, capacity, layout);
    if (!fill.roomy) continue;
    if (fill.dense) return;
    if (fill.entries > most) {
      best = capacity;
      most = fill.entries;
    }
  }
  Arrange(leaf, best, layout);
}

const char* CheckColumns(const ColumnShape* columns, int column_count) {
  if (column_count < 1 || column_count > kMaxColumns) return "an index has 1 to 32 key columns";
  int dimensions = 0;
  for (int c = 0; c < column_count; ++c) {
    const ColumnShape& column = columns[c];
    if (column.dimensions < 1) return "a column has at least 1 dimension";
    if (column.width != 4 && column.width != 8) return "ordinals are 4 or 8 bytes wide";
    if (column.scalar == Scalar::kFloat64 && column.width != 8) return "64-bit floating point needs ordinals of 8 bytes";
    if (column.scalar == Scalar::kFloat32 && column.width != 4) return "32-bit floating point needs ordinals of 4 bytes";
    dimensions += column.dimensions;
    if (dimensions > kMaxDimensions) return "an index has at most 100 dimensions in all its key columns";
  }
  return nullptr;
}
static_assert(kMaxColumns == 32 && kMaxDimensions == 100, "the texts above name them");

}  // namespace

const char* KeyLayout::Make(const ColumnShape* columns, int column_count, bool include, KeyLayout* out) {
  if (const char* reason = CheckColumns(columns, column_count)) return reason;
  memset(static_cast<void*>(out), 0, sizeof(*out));
  out->columns = static_cast<uint8_t>(column_count);
  out->include = include;
  for (int c = 0; c < column_count; ++c) {
    out->first_dimension[c] = out->dimensions;
    if (columns[c].nearer) out->nearer_marks |= ColumnMarks(c, kMarkNearer);
    for (int i = 0; i < columns[c].dimensions; ++i) {
      DimensionLayout& dimension = out->dimension[out->dimensions++];
      dimension.width = columns[c].width;
      dimension.column = static_cast<uint8_t>(c);
      dimension.extended = columns[c].extended;
      dimension.scalar = columns[c].scalar;
      dimension.minor = columns[c].words && i > 0;
      dimension.leading = columns[c].leading && i == 0;
    }
  }
  out->first_dimension[column_count] = out->dimensions;
  out->marks_width = PowerOfTwoBytes(2 * column_count);
  out->history_width = PowerOfTwoBytes(out->dimensions);
  ChooseCapacity(true, out);
  ChooseCapacity(false, out);
  return nullptr;
}

void MakeEmpty(const KeyLayout& layout, Box* box) {
  for (int d = 0; d < layout.dimensions; ++d) {
    box->lo[d] = InvertedLo(layout.dimension[d].width);
    box->hi[d] = InvertedHi(layout.dimension[d].width);
  }
  box->marks = 0;
}

// Inverted intervals have the extreme ordinals of their width, so that neither function below needs to know of them.
void Extend(const KeyLayout& layout, const Box& by, Box* box) {
  for (int d = 0; d < layout.dimensions; ++d) {
    box->lo[d] = std::min(box->lo[d], by.lo[d]);
    box->hi[d] = std::max(box->hi[d], by.hi[d]);
  }
  box->marks |= by.marks;
}

bool Contains(const KeyLayout& layout, const Box& outer, const Box& inner) {
  for (int d = 0; d < layout.dimensions; ++d) {
    if (inner.lo[d] < outer.lo[d] || inner.hi[d] > outer.hi[d]) return false;
  }
  return (inner.marks & ~outer.marks) == 0;
}

bool Equal(const KeyLayout& layout, const Box& a, const Box& b) {
  const size_t bytes = layout.dimensions * sizeof(Ordinal);
  return a.marks == b.marks && memcmp(a.lo, b.lo, bytes) == 0 && memcmp(a.hi, b.hi, bytes) == 0;
}

}  // namespace xtree
