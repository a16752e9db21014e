// Block layouts: arrays do not overlap, are aligned, and waste little of a page; boxes and split histories.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/write/tree_writer.h"
#include "random_nodes.h"

namespace xtree {
namespace {

constexpr int kRoom = kSpecialOffset - kPageHeaderSize;

KeyLayout Make(std::vector<ColumnShape> columns, bool include = false) {
  KeyLayout layout;
  EXPECT_EQ(nullptr, KeyLayout::Make(columns.data(), static_cast<int>(columns.size()), include, &layout));
  return layout;
}

const char* Reason(std::vector<ColumnShape> columns) {
  KeyLayout layout;
  return KeyLayout::Make(columns.data(), static_cast<int>(columns.size()), false, &layout);
}

struct Array {
  int offset;
  int width;
  int alignment;
};

std::vector<Array> Arrays(const KeyLayout& layout, bool leaf, bool marks) {
  const BlockLayout& block = layout.Block(leaf, marks);
  std::vector<Array> arrays;
  for (int d = 0; d < layout.dimensions; ++d) {
    const DimensionLayout& at = layout.dimension[d];
    arrays.push_back({at.lo[!leaf], at.width, at.width});
    if (leaf && !at.extended) {
      EXPECT_EQ(at.lo[0], at.hi[0]);
    } else {
      arrays.push_back({at.hi[!leaf], at.width, at.width});
    }
  }
  arrays.push_back({block.reference, leaf ? 6 : 4, leaf ? 2 : 4});
  if (!leaf) arrays.push_back({block.history, layout.history_width, std::min<int>(layout.history_width, 8)});
  if (leaf && layout.include) arrays.push_back({block.payload, 2, 2});
  if (marks) arrays.push_back({block.marks, layout.marks_width, layout.marks_width});
  return arrays;
}

void ExpectWellFormed(const KeyLayout& layout, bool leaf, bool marks) {
  const BlockLayout& block = layout.Block(leaf, marks);
  int end = 0;
  std::vector<Array> arrays = Arrays(layout, leaf, marks);
  std::sort(arrays.begin(), arrays.end(), [](const Array& a, const Array& b) { return a.offset < b.offset; });
  for (const Array& array : arrays) {
    EXPECT_EQ(0, array.offset % array.alignment);
    EXPECT_GE(array.offset, end);
    EXPECT_LT(array.offset - end, 8) << "a gap that no alignment asks for";
    end = array.offset + array.width * block.capacity;
  }
  EXPECT_LE(end, block.bytes);
  EXPECT_LT(block.bytes - end, 8);
  EXPECT_EQ(0, block.bytes % 8);
  EXPECT_EQ(0, kPageHeaderSize % 8);
}

void ExpectFits(const KeyLayout& layout, bool leaf, bool marks) {
  const BlockLayout& block = layout.Block(leaf, marks);
  EXPECT_GE(block.max_entries, leaf ? 1 : 3);
  EXPECT_LE(block.max_entries, kMaxEntriesPerPage);
  EXPECT_EQ(0, block.max_entries % block.capacity);
  const int used = block.max_entries / block.capacity * block.bytes + (leaf ? KillBytes(block.max_entries) : 0);
  EXPECT_LE(used, kRoom);
  const int more = used + block.bytes + 8;
  EXPECT_GT(more, kRoom) << "one more block would fit";
}

TEST(KeyLayoutTest, RandomLayoutsAreWellFormed) {
  RandomNodes random(1);
  for (int round = 0; round < 2000; ++round) {
    const KeyLayout layout = random.Layout(round % 2 == 0);
    for (const bool leaf : {true, false}) {
      for (const bool marks : {true, false}) {
        ExpectWellFormed(layout, leaf, marks);
        ExpectFits(layout, leaf, marks);
      }
      const BlockLayout& plain = layout.Block(leaf, false);
      const BlockLayout& marked = layout.Block(leaf, true);
      EXPECT_EQ(plain.capacity, marked.capacity);
      EXPECT_EQ(plain.reference, marked.reference);
      EXPECT_GT(marked.max_entries * 2, plain.max_entries) << "half a full page must fit a page with marks";
    }
  }
}

// Columns of one shape, every number of dimensions: half of a full page fits a page with marks, so that a split makes
// room for the first marked entry, and a directory page holds three entries, so that it can be split.
TEST(KeyLayoutTest, EveryShapeCanBeSplit) {
  for (const int columns : {1, 4, 5, 8, 9, 16, 17, 32}) {
    for (int dimensions = columns; dimensions <= kMaxDimensions; ++dimensions) {
      for (const int shape : {0, 1, 2, 3, 4, 5, 6, 7}) {
        const uint8_t width = shape & 1 ? 8 : 4;
        std::vector<ColumnShape> shapes(columns, {1, width, (shape & 2) != 0, Scalar::kInteger});
        shapes[0].dimensions = static_cast<uint16_t>(dimensions - columns + 1);
        const KeyLayout layout = Make(shapes, (shape & 4) != 0);
        for (const bool leaf : {true, false}) {
          const int marked = layout.Block(leaf, true).max_entries;
          ASSERT_GT(marked * 2, layout.Block(leaf, false).max_entries) << columns << ", " << dimensions;
          ASSERT_GE(marked, leaf ? 1 : 3) << columns << ", " << dimensions;
        }
      }
    }
  }
}

// A block of wide entries leaves room for payloads: with blocks that nearly fill a page, a row that was included had no place.
TEST(KeyLayoutTest, SmallPayloadsFitEveryLeaf) {
  for (const int columns : {1, 8, 32}) {
    for (int dimensions = columns; dimensions <= kMaxDimensions; ++dimensions) {
      for (const int shape : {0, 1, 2, 3}) {
        const uint8_t width = shape & 1 ? 8 : 4;
        std::vector<ColumnShape> shapes(columns, {1, width, (shape & 2) != 0, Scalar::kInteger});
        shapes[0].dimensions = static_cast<uint16_t>(dimensions - columns + 1);
        EXPECT_TRUE(TwoFitOnLeaf(Make(shapes, true), kSmallPayload)) << columns << ", " << dimensions << ", " << shape;
      }
    }
  }
}

// What README and cost estimates build on; a change of these numbers is a change of the format.
TEST(KeyLayoutTest, EntriesPerPageOfCommonTypes) {
  const KeyLayout point = Make({{2, 8, false, Scalar::kFloat64}});
  EXPECT_EQ(368, point.Block(true, false).max_entries);
  EXPECT_EQ(208, point.Block(false, false).max_entries);
  const KeyLayout box = Make({{2, 8, true, Scalar::kFloat64}});
  EXPECT_EQ(208, box.Block(true, false).max_entries);
  const KeyLayout integer = Make({{1, 4, false, Scalar::kInteger}});
  EXPECT_EQ(800, integer.Block(true, false).max_entries);
  EXPECT_EQ(16, integer.Block(true, false).capacity);
}

// Entries of a leaf with blocks of this capacity, counted the long way.
int EntriesWith(int capacity, int entry_bytes) {
  int blocks = 0;
  const int bytes = (capacity * entry_bytes + 7) / 8 * 8;
  while ((blocks + 1) * bytes + KillBytes(static_cast<uint16_t>((blocks + 1) * capacity)) <= kRoom) ++blocks;
  return blocks * capacity;
}

TEST(KeyLayoutTest, CapacityWastesLittleOrAsLittleAsAny) {
  for (int dimensions = 1; dimensions <= kMaxDimensions; ++dimensions) {
    const KeyLayout layout = Make({{static_cast<uint16_t>(dimensions), 8, true, Scalar::kFloat64}});
    const BlockLayout& block = layout.Block(true, false);
    const int entry_bytes = dimensions * 16 + 6;
    EXPECT_EQ(EntriesWith(block.capacity, entry_bytes), block.max_entries) << dimensions << " dimensions";
    if ((kRoom - block.max_entries * entry_bytes) * 10 < kRoom) continue;
    for (const int capacity : {16, 8, 4, 1}) {
      EXPECT_LE(EntriesWith(capacity, entry_bytes), block.max_entries) << dimensions << " dimensions";
    }
  }
  EXPECT_EQ(1, Make({{100, 8, true, Scalar::kFloat64}}).Block(true, false).capacity);
}

TEST(KeyLayoutTest, WidthsOfMarksAndHistories) {
  const ColumnShape narrow = {1, 4, false, Scalar::kInteger};
  const int marks[][2] = {{1, 1}, {4, 1}, {5, 2}, {8, 2}, {9, 4}, {16, 4}, {17, 8}, {32, 8}};
  for (const auto& [columns, width] : marks) {
    EXPECT_EQ(width, Make(std::vector<ColumnShape>(columns, narrow)).marks_width) << columns << " columns";
  }
  const int histories[][2] = {{1, 1}, {8, 1}, {9, 2}, {16, 2}, {17, 4}, {32, 4}, {33, 8}, {64, 8}, {65, 16}, {100, 16}};
  for (const auto& [dimensions, width] : histories) {
    const KeyLayout layout = Make({{static_cast<uint16_t>(dimensions), 8, false, Scalar::kInteger}});
    EXPECT_EQ(width, layout.history_width) << dimensions << " dimensions";
  }
}

TEST(KeyLayoutTest, ColumnsOfDimensions) {
  const KeyLayout layout = Make({{2, 8, false, Scalar::kFloat64}, {1, 4, true, Scalar::kFloat32}});
  EXPECT_EQ(3, layout.dimensions);
  EXPECT_EQ(0, layout.first_dimension[0]);
  EXPECT_EQ(2, layout.first_dimension[1]);
  EXPECT_EQ(3, layout.first_dimension[2]);
  EXPECT_EQ(1, layout.dimension[2].column);
  EXPECT_TRUE(layout.dimension[2].extended);
  EXPECT_EQ(Scalar::kFloat32, layout.dimension[2].scalar);
}

TEST(KeyLayoutTest, RefusesWhatCannotExist) {
  const ColumnShape integer = {1, 8, false, Scalar::kInteger};
  EXPECT_STREQ("an index has 1 to 32 key columns", Reason({}));
  EXPECT_STREQ("an index has 1 to 32 key columns", Reason(std::vector<ColumnShape>(33, integer)));
  EXPECT_STREQ("a column has at least 1 dimension", Reason({{0, 8, false, Scalar::kInteger}}));
  EXPECT_STREQ("ordinals are 4 or 8 bytes wide", Reason({{1, 2, false, Scalar::kInteger}}));
  EXPECT_NE(nullptr, Reason({{1, 4, false, Scalar::kFloat64}}));
  EXPECT_NE(nullptr, Reason({{1, 8, false, Scalar::kFloat32}}));
  EXPECT_EQ(nullptr, Reason({{100, 8, true, Scalar::kFloat64}}));
  EXPECT_STREQ("an index has at most 100 dimensions in all its key columns", Reason({{101, 8, true, Scalar::kFloat64}}));
  EXPECT_STREQ("an index has at most 100 dimensions in all its key columns", Reason({{99, 4, true, Scalar::kInteger}, integer, integer}));
}

// memcpy(size()) is a copy that works.
TEST(KeyLayoutTest, SizeCoversTheDimensionsInUse) {
  const KeyLayout layout = Make({{3, 8, true, Scalar::kFloat64}});
  KeyLayout copy;
  memset(static_cast<void*>(&copy), 0xEE, sizeof(copy));
  memcpy(static_cast<void*>(&copy), &layout, layout.size());
  EXPECT_EQ(0, memcmp(&copy.dimension[2], &layout.dimension[2], sizeof(DimensionLayout)));
  EXPECT_LT(layout.size(), sizeof(layout) / 2);
}

TEST(BoxTest, EmptyIsTheIdentityOfUnion) {
  RandomNodes random(2);
  for (int round = 0; round < 1000; ++round) {
    const KeyLayout layout = random.Layout(false);
    const Box box = random.RandomBox(layout, true, true);
    Box sum;
    MakeEmpty(layout, &sum);
    EXPECT_TRUE(Contains(layout, box, sum));
    Extend(layout, box, &sum);
    EXPECT_TRUE(Equal(layout, box, sum));
    Box same = box;
    Box empty;
    MakeEmpty(layout, &empty);
    Extend(layout, empty, &same);
    EXPECT_TRUE(Equal(layout, box, same));
  }
}

TEST(BoxTest, UnionContainsBothAndNothingSmallerDoes) {
  RandomNodes random(3);
  for (int round = 0; round < 1000; ++round) {
    const KeyLayout layout = random.Layout(false);
    const Box a = random.RandomBox(layout, true, true);
    const Box b = random.RandomBox(layout, true, true);
    Box sum = a;
    Extend(layout, b, &sum);
    EXPECT_TRUE(Contains(layout, sum, a));
    EXPECT_TRUE(Contains(layout, sum, b));
    const int d = static_cast<int>(random.Between(0, layout.dimensions - 1));
    if (sum.lo[d] >= sum.hi[d]) continue;
    Box smaller = sum;
    ++smaller.lo[d];
    EXPECT_FALSE(Contains(layout, smaller, a) && Contains(layout, smaller, b));
    EXPECT_FALSE(Equal(layout, smaller, sum));
    smaller = sum;
    --smaller.hi[d];
    EXPECT_FALSE(Contains(layout, smaller, a) && Contains(layout, smaller, b));
  }
}

TEST(BoxTest, MarksAreContainedToo) {
  const KeyLayout layout = Make({{1, 8, false, Scalar::kInteger}, {1, 8, false, Scalar::kInteger}});
  Box outer;
  MakeEmpty(layout, &outer);
  outer.marks = ColumnMarks(1, kMarkNull);
  Box inner = outer;
  EXPECT_TRUE(Contains(layout, outer, inner));
  inner.marks = ColumnMarks(1, kMarkEmpty);
  EXPECT_FALSE(Contains(layout, outer, inner));
  EXPECT_FALSE(Equal(layout, outer, inner));
  Extend(layout, inner, &outer);
  EXPECT_EQ(ColumnMarks(1, kMarkNull | kMarkEmpty), outer.marks);
}

TEST(SplitHistoryTest, IsASetOfDimensions) {
  SplitHistory a;
  EXPECT_TRUE(a.Empty());
  a.Add(3);
  a.Add(99);
  EXPECT_TRUE(a.Has(3));
  EXPECT_TRUE(a.Has(99));
  EXPECT_FALSE(a.Has(35));
  SplitHistory b;
  b.Add(99);
  EXPECT_EQ(b, a & b);
  EXPECT_EQ(a, a | b);
}

TEST(EqualityTest, LooksAtEveryPart) {
  const TupleId tuple = {1, 2, 3};
  for (const TupleId other : {TupleId{7, 2, 3}, TupleId{1, 7, 3}, TupleId{1, 2, 7}}) EXPECT_FALSE(tuple == other);
  SplitHistory history, other;
  history.Add(99);
  EXPECT_FALSE(history == other);
  const KeyLayout layout = Make({{1, 8, true, Scalar::kInteger}});
  Box box;
  MakeEmpty(layout, &box);
  box.lo[0] = 3;
  box.hi[0] = 5;
  Box longer = box;
  longer.hi[0] = 6;
  EXPECT_FALSE(Equal(layout, box, longer));
}

}  // namespace
}  // namespace xtree
