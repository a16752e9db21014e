// Choose subtree on nodes of which one knows where a key should go.
#include "core/write/choose_subtree.h"

#include <gtest/gtest.h>

#include "entry_fixture.h"

namespace xtree::test {
namespace {

class ChooseSubtreeTest : public testing::Test {
 protected:
  // The root, of this level, with these children.
  int Choose(const KeyLayout& layout, const std::vector<Box>& children, const Box& key, int level = 1) {
    MemoryStore store(layout);
    NodeEditor root = store.editor(kRootBlock);
    root.Initialize(level, 0);
    for (size_t i = 0; i < children.size(); ++i) root.AppendChild(children[i], static_cast<BlockNumber>(100 + i), HistoryOf({0}));
    const OpenNode node(store, layout, kRootBlock, LockMode::kShare);
    const EntryPosition position = ChooseSubtree(node, layout, key);
    EXPECT_EQ(position.page, 0);
    return position.entry;
  }
};

TEST_F(ChooseSubtreeTest, SmallestThatContains) {
  const KeyLayout layout = FloatLayout(2, false);
  const std::vector<Box> children = {MakeBox({{0, 10}, {0, 10}}), MakeBox({{4, 6}, {4, 6}}), MakeBox({{3, 7}, {3, 7}}),
                                     MakeBox({{8, 9}, {8, 9}})};
  EXPECT_EQ(Choose(layout, children, MakePoint({5, 5})), 1);
  EXPECT_EQ(Choose(layout, children, MakePoint({3.5, 5})), 2);
  EXPECT_EQ(Choose(layout, children, MakePoint({1, 1})), 0);
  EXPECT_EQ(Choose(layout, children, MakePoint({6, 6})), 1) << "borders belong to a box";
}

// The product of their sides is beyond any double: too large, too small.
TEST_F(ChooseSubtreeTest, SmallestOfHundredDimensions) {
  const KeyLayout layout = FloatLayout(100, true);
  for (const double unit : {1e6, 1e-6, 1e300, 1e-300}) {
    const auto box = [&](double side) { return MakeBox(std::vector<Interval1>(100, Interval1{-side * unit, side * unit})); };
    EXPECT_EQ(Choose(layout, {box(4), box(2), box(3)}, box(1)), 1) << unit;
  }
}

// All points lie on a line: the shorter piece is chosen, though both have no area.
TEST_F(ChooseSubtreeTest, SmallestOnALine) {
  const KeyLayout layout = FloatLayout(2, false);
  EXPECT_EQ(Choose(layout, {MakeBox({{5, 5}, {0, 10}}), MakeBox({{5, 5}, {4, 6}})}, MakePoint({5, 5})), 1);
}

TEST_F(ChooseSubtreeTest, InfiniteBoxIsTheLargest) {
  const KeyLayout layout = FloatLayout(2, true);
  const std::vector<Box> children = {MakeBox({{-INFINITY, INFINITY}, {-INFINITY, NAN}}), MakeBox({{0, INFINITY}, {0, 1e300}}),
                                     MakeBox({{0, 8}, {0, 8}})};
  EXPECT_EQ(Choose(layout, children, MakePoint({5, 5})), 2);
  EXPECT_EQ(Choose(layout, children, MakePoint({5, 9})), 1);
  EXPECT_EQ(Choose(layout, children, MakePoint({-5, NAN})), 0);
}

// The first box would grow less, but into the second. Above leaves that counts.
TEST_F(ChooseSubtreeTest, LeastOverlapAboveLeaves) {
  const KeyLayout layout = FloatLayout(2, false);
  const std::vector<Box> children = {MakeBox({{0, 4}, {0, 4}}), MakeBox({{4.5, 20}, {2.5, 9}})};
  EXPECT_EQ(Choose(layout, children, MakePoint({5, 2}), 1), 1);
  EXPECT_EQ(Choose(layout, children, MakePoint({5, 2}), 2), 0);
}

TEST_F(ChooseSubtreeTest, LeastGrowthOfAreaHigherUp) {
  const KeyLayout layout = FloatLayout(2, false);
  const std::vector<Box> children = {MakeBox({{0, 1}, {0, 10}}), MakeBox({{4, 8}, {0, 1}})};
  EXPECT_EQ(Choose(layout, children, MakePoint({2, 0.5}), 2), 1) << "2 by 1 rather than 1 by 10";
}

// No area grows at all: the margin decides.
TEST_F(ChooseSubtreeTest, LeastGrowthOfMarginOnALine) {
  const KeyLayout layout = FloatLayout(2, false);
  std::vector<Box> children;
  for (int i = 0; i < 10; ++i) children.push_back(MakeBox({{5, 5}, {i * 10.0, i * 10.0 + 5}}));
  EXPECT_EQ(Choose(layout, children, MakePoint({5, 47})), 4);
  EXPECT_EQ(Choose(layout, children, MakePoint({5, 47}), 2), 4);
}

// A key without any value goes where nothing else is.
TEST_F(ChooseSubtreeTest, NullGoesToNulls) {
  const KeyLayout layout = FloatLayout(2, false);
  Box null;
  MakeEmpty(layout, &null);
  null.marks = ColumnMarks(0, kMarkNull);
  EXPECT_EQ(Choose(layout, {MakeBox({{0, 1}, {0, 1}}), null, MakeBox({{0, 2}, {0, 2}})}, null), 1);
}

TEST_F(ChooseSubtreeTest, FollowersAreLookedAtAsWell) {
  const KeyLayout layout = FloatLayout(2, false);
  MemoryStore store(layout);
  PageImage image;
  NodeEditor follower(layout, image.bytes);
  follower.Initialize(1, kNodeSupernodeFollower | kNodeHasMarks);
  follower.opaque().link = kRootBlock;
  follower.AppendChild(MakeBox({{0, 1}, {0, 1}}), 100, HistoryOf({0}));
  follower.AppendChild(MakeBox({{4, 6}, {4, 6}}), 101, HistoryOf({0}));
  const BlockNumber block = store.Append(image);
  NodeEditor root = store.editor(kRootBlock);
  root.Initialize(1, kNodeHasMarks);
  root.SetFollowers(&block, 1);
  root.AppendChild(MakeBox({{0, 10}, {0, 10}}), 102, HistoryOf({0}));
  const OpenNode node(store, layout, kRootBlock, LockMode::kShare);
  const EntryPosition position = ChooseSubtree(node, layout, MakePoint({5, 5}));
  EXPECT_EQ(position.page, 1);
  EXPECT_EQ(position.entry, 1);
  EXPECT_EQ(ChooseSubtree(node, layout, MakePoint({9, 9})).page, 0);
}

TEST_F(ChooseSubtreeTest, NodeWithoutEntriesIsDamage) {
  const KeyLayout layout = FloatLayout(2, false);
  EXPECT_THROW(Choose(layout, {}, MakePoint({5, 5})), CorruptPage);
}

// One divided by the extent is beyond any double: such a dimension tells nothing apart.
TEST_F(ChooseSubtreeTest, ExtentTooSmallToDivideBy) {
  const KeyLayout layout = FloatLayout(2, false);
  const double tiny = std::numeric_limits<double>::denorm_min();
  for (const int level : {1, 2}) {
    EXPECT_EQ(Choose(layout, {MakePoint({0, 0}), MakePoint({2 * tiny, 0})}, MakePoint({tiny, 0}), level), 0);
    EXPECT_EQ(Choose(layout, {MakePoint({0, 1}), MakePoint({2 * tiny, 5})}, MakePoint({tiny, 4}), level), 1);
  }
}

}  // namespace
}  // namespace xtree::test
