// KeyLayout: where each coordinate of each entry lies on a page, derived from the index's columns and nothing else.
//
// A page holds blocks of `capacity` entries as structure of arrays: per dimension the lo and hi ordinals (one array for both on
// leaves of point-like columns), child blocks or tuple ids, split history, payload offsets, and last, on pages that have any, marks.
// Arrays are ordered by element width (marks padded), so every element is aligned when the block is. Four block layouts exist:
// {leaf, directory} x {without, with marks}; those with marks only add the array at the block's end, so coordinates lie at the same
// offsets and the capacity is the same.
// Plain data: may be copied with memcpy(size()) bytes; the tail of `dimension` that is not in use is not copied.
#pragma once

#include "page/ordinal.h"
#include "page/format.h"

namespace xtree {

// One column as the operator class describes it; input of KeyLayout::Make.
struct ColumnShape {
  uint16_t dimensions;  // 1 .. kMaxDimensions
  uint8_t width;        // bytes of an ordinal: 4 or 8
  bool extended;        // a value has a lo and a hi
  Scalar scalar;
  bool words = false;    // the ordinals are words of one long number: each orders only what the ones before leave equal
  bool nearer = false;   // some values have kMarkNearer, and none is empty
  bool leading = false;  // the tree is divided along its first dimension before all others
};

struct DimensionLayout {
  uint16_t lo[2];  // offset of the lo array in a block: [0] leaf, [1] directory
  uint16_t hi[2];  // equal to lo on leaves of point-like columns
  uint8_t width;
  uint8_t column;
  bool extended;
  Scalar scalar;
  bool leading;  // as ColumnShape has it, of the first dimension
  bool minor;    // a word behind the first (ColumnShape): tells apart only what is equal in the dimension before
};

struct BlockLayout {
  uint16_t capacity;     // entries per block: 16, 8, 4 or 1
  uint16_t bytes;        // of a block, multiple of 8
  uint16_t max_entries;  // per page, when no payload or extent list takes room
  uint16_t marks;        // offset of the marks array; width in KeyLayout::marks_width
  uint16_t reference;    // offset of the array of tuple ids (leaf) or child blocks (directory)
  uint16_t history;      // offset of the split histories (directory)
  uint16_t payload;      // offset of the uint16 payload offsets (leaf with INCLUDE)
};

class KeyLayout {
 public:
  // Fills *out. Returns nullptr, or why such an index cannot exist (too many dimensions; an entry does not fit a page).
  static const char* Make(const ColumnShape* columns, int column_count, bool include, KeyLayout* out);

  static int Index(bool leaf, bool marks) { return (leaf ? 0 : 2) + (marks ? 1 : 0); }
  const BlockLayout& Block(bool leaf, bool marks) const { return block[Index(leaf, marks)]; }
  size_t size() const { return offsetof(KeyLayout, dimension) + dimensions * sizeof(DimensionLayout); }

  // Of an entry's marks, those that say that it has no box in a column.
  uint64_t Absent(uint64_t marks) const { return marks & ~nearer_marks; }

  uint64_t nearer_marks;  // kMarkNearer of the columns that may have it
  uint16_t dimensions;
  uint8_t columns;
  uint8_t marks_width;                        // bytes of an entry's marks where a page has them: 1, 2, 4 or 8
  uint8_t history_width;                      // bytes of a split history: 1, 2, 4, 8 or 16
  bool include;                               // leaves carry a payload
  uint16_t first_dimension[kMaxColumns + 1];  // of a column; [columns] == dimensions
  BlockLayout block[4];
  DimensionLayout dimension[kMaxDimensions];
};

// Kill bits, one per entry, lie at the upper end of a leaf's hole, so room for them is never given to entries.
inline constexpr uint16_t KillBytes(uint16_t max_entries) { return static_cast<uint16_t>((max_entries + 63) / 64 * 8); }

// What an INCLUDE payload takes of a page.
inline constexpr uint32_t PayloadBytes(uint16_t length) { return (sizeof(uint16_t) + length + 1u) & ~1u; }

// Two rows with payloads of this length fit a leaf of any layout.
inline constexpr uint16_t kSmallPayload = 2000;

// Split history of a directory entry: the set of dimensions along which a split has separated it from others (X-tree paper, 3.2).
struct SplitHistory {
  uint64_t bits[2] = {0, 0};
  void Add(int dimension) { bits[dimension >> 6] |= uint64_t{1} << (dimension & 63); }
  bool Has(int dimension) const { return (bits[dimension >> 6] >> (dimension & 63)) & 1; }
  bool Empty() const { return (bits[0] | bits[1]) == 0; }
  SplitHistory operator&(const SplitHistory& o) const { return {{bits[0] & o.bits[0], bits[1] & o.bits[1]}}; }
  SplitHistory operator|(const SplitHistory& o) const { return {{bits[0] | o.bits[0], bits[1] | o.bits[1]}}; }
  friend bool operator==(const SplitHistory&, const SplitHistory&) = default;
};

// An entry's box in memory: lo[d] <= hi[d] for a value; lo > hi ("inverted", the identity of union) where the column is NULL or empty.
struct Box {
  Ordinal lo[kMaxDimensions];
  Ordinal hi[kMaxDimensions];
  uint64_t marks;  // ColumnMarks

  // An uninitialised box; only the index's own dimensions are ever touched.
  Box() {}  // NOLINT: 1.6 kB that must not be zeroed on every descent
};

void MakeEmpty(const KeyLayout& layout, Box* box);                           // inverted everywhere, no marks
void Extend(const KeyLayout& layout, const Box& by, Box* box);               // box = union(box, by)
bool Contains(const KeyLayout& layout, const Box& outer, const Box& inner);  // boxes and marks
bool Equal(const KeyLayout& layout, const Box& a, const Box& b);

// The inverted interval of a width: what NULL and empty values store.
inline Ordinal InvertedLo(uint8_t width) { return width == 8 ? kOrdinalMax : INT32_MAX; }
inline Ordinal InvertedHi(uint8_t width) { return width == 8 ? kOrdinalMin : INT32_MIN; }

}  // namespace xtree
