// The splits on data of which one knows where it should be cut.
#include "core/write/split.h"

#include <gtest/gtest.h>

#include "entry_fixture.h"

namespace xtree::test {
namespace {

constexpr double kMinFill = 0.4;

// Every entry is in one half; both are large enough.
void ExpectPartition(const Partition& partition, int entries, double smallest) {
  std::vector<int> seen(entries);
  for (const int i : partition.left) ++seen[i];
  for (const int i : partition.right) ++seen[i];
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), entries);
  const double least = std::floor(std::min(std::ceil(smallest * entries - 1e-9), entries / 2.0));
  EXPECT_GE(partition.left.size(), std::max(least, 1.0));
  EXPECT_GE(partition.right.size(), std::max(least, 1.0));
}

bool Separates(const EntrySet& entries, const Partition& partition, int dimension) {
  Ordinal last = kOrdinalMin, first = kOrdinalMax;
  for (const int i : partition.left) last = std::max(last, entries.hi(i, dimension));
  for (const int i : partition.right) first = std::min(first, entries.lo(i, dimension));
  return last < first;
}

std::vector<Box> RandomBoxes(int count, int dimensions, double side, uint64_t seed) {
  Random random(seed);
  std::vector<Box> boxes;
  for (int i = 0; i < count; ++i) {
    std::vector<Interval1> sides;
    for (int d = 0; d < dimensions; ++d) {
      const double lo = random.Uniform();
      sides.push_back({lo, lo + side});
    }
    boxes.push_back(MakeBox(sides));
  }
  return boxes;
}

// Topological.

TEST(TopologicalSplit, FindsTheGap) {
  for (const bool leaf : {true, false}) {
    const KeyLayout layout = FloatLayout(3, true);
    Random random(1);
    std::vector<Box> boxes;
    for (int i = 0; i < 25; ++i) {
      const double y = i % 2 == 0 ? 0 : 6;
      const double x = random.Uniform(0, 2), z = random.Uniform(0, 2);
      boxes.push_back(MakeBox({{x, x + 0.1}, {y, y + 1}, {z, z + 0.1}}));
    }
    const EntrySet entries = EntriesOf(layout, leaf, boxes);
    const Partition partition = TopologicalSplit(entries);
    ExpectPartition(partition, 25, kMinFill);
    EXPECT_EQ(partition.dimension, 1);
    EXPECT_EQ(partition.overlap, 0);
    EXPECT_EQ(partition.left.size(), 13u);
    EXPECT_TRUE(Separates(entries, partition, 1));
  }
}

// The longer side is cut, so that halves come out square.
TEST(TopologicalSplit, CutsTheLongSide) {
  const KeyLayout layout = FloatLayout(2, false);
  Random random(2);
  std::vector<Box> boxes;
  for (int i = 0; i < 200; ++i) boxes.push_back(MakePoint({random.Uniform(0, 1), random.Uniform(0, 8)}));
  const Partition partition = TopologicalSplit(EntriesOf(layout, true, boxes));
  ExpectPartition(partition, 200, kMinFill);
  EXPECT_EQ(partition.dimension, 1);
}

// A gap at 10 % is not taken: halves keep 40 %.
TEST(TopologicalSplit, KeepsTheMinimumFill) {
  const KeyLayout layout = FloatLayout(1, false);
  for (const int count : {2, 3, 4, 5, 9, 10, 11, 100}) {
    std::vector<Box> boxes;
    for (int i = 0; i < count; ++i) boxes.push_back(MakePoint({i < count / 10 + 1 ? -1000.0 : i}));
    ExpectPartition(TopologicalSplit(EntriesOf(layout, true, boxes)), count, kMinFill);
  }
}

// Intervals that begin together and end in two groups: only the order of their ends shows the cut.
TEST(TopologicalSplit, OrdersByEndsAsWell) {
  const KeyLayout layout = FloatLayout(1, true);
  std::vector<Box> boxes;
  for (int i = 0; i < 20; ++i) boxes.push_back(MakeBox({{0.001 * (i * 7 % 20), i % 2 == 0 ? 1.0 : 10}}));
  const Partition partition = TopologicalSplit(EntriesOf(layout, true, boxes));
  EXPECT_EQ(partition.left.size(), 10u);
  for (const int i : partition.left) EXPECT_EQ(i % 2, 0);
}

TEST(TopologicalSplit, IdenticalEntriesAreHalved) {
  for (const bool leaf : {true, false}) {
    const KeyLayout layout = FloatLayout(2, true);
    const std::vector<Box> boxes(21, MakeBox({{1, 2}, {3, 4}}));
    const Partition partition = TopologicalSplit(EntriesOf(layout, leaf, boxes));
    ExpectPartition(partition, 21, 0.47);
    EXPECT_DOUBLE_EQ(partition.overlap, 1);
  }
}

TEST(TopologicalSplit, FlatDimensionIsNotCut) {
  const KeyLayout layout = FloatLayout(2, false);
  std::vector<Box> boxes;
  for (int i = 0; i < 30; ++i) boxes.push_back(MakePoint({5, i * 1.0}));
  const EntrySet entries = EntriesOf(layout, true, boxes);
  const Partition partition = TopologicalSplit(entries);
  ExpectPartition(partition, 30, kMinFill);
  EXPECT_EQ(partition.dimension, 1);
  EXPECT_TRUE(Separates(entries, partition, 1));
}

// Integers that one double stands for: no extent can be seen, yet they are told apart.
TEST(TopologicalSplit, IntegersBeyondDoublePrecision) {
  const KeyLayout layout = MakeLayout({{2, 8, false, Scalar::kInteger}});
  std::vector<Box> boxes;
  for (int i = 0; i < 20; ++i) {
    Box box;
    box.marks = 0;
    box.lo[0] = box.hi[0] = 7;
    box.lo[1] = box.hi[1] = (int64_t{1} << 62) + i * 7 % 20;
    boxes.push_back(box);
  }
  const EntrySet entries = EntriesOf(layout, true, boxes);
  const Partition partition = TopologicalSplit(entries);
  ExpectPartition(partition, 20, kMinFill);
  EXPECT_EQ(partition.dimension, 1);
  EXPECT_TRUE(Separates(entries, partition, 1));
}

TEST(TopologicalSplit, EndsOfIntervalsBeyondDoublePrecision) {
  const KeyLayout layout = MakeLayout({{2, 8, true, Scalar::kInteger}});
  std::vector<Box> boxes;
  for (int i = 0; i < 20; ++i) {
    Box box;
    box.marks = 0;
    box.lo[0] = box.hi[0] = 7;
    box.lo[1] = int64_t{1} << 62;
    box.hi[1] = (int64_t{1} << 62) + i * 7 % 20;
    boxes.push_back(box);
  }
  const EntrySet entries = EntriesOf(layout, true, boxes);
  const Partition partition = TopologicalSplit(entries);
  ExpectPartition(partition, 20, kMinFill);
  EXPECT_EQ(partition.dimension, 1);
  for (const int l : partition.left)
    for (const int r : partition.right) EXPECT_LT(entries.hi(l, 1), entries.hi(r, 1));
}

// A column in microseconds beside one in degrees: the shape decides, not the unit.
TEST(TopologicalSplit, UnitsDoNotDecide) {
  for (const double unit : {1.0, 1e-15, 1e15}) {
    const KeyLayout layout = MakeLayout({{1, 8, false, Scalar::kFloat64}, {1, 8, false, Scalar::kFloat64}});
    std::vector<Box> boxes;
    for (int i = 0; i < 40; ++i) boxes.push_back(MakePoint({i % 2 == 0 ? 0.001 * i : 1 - 0.001 * i, unit * (i * 7 % 40)}));
    const EntrySet entries = EntriesOf(layout, true, boxes);
    const Partition partition = TopologicalSplit(entries);
    EXPECT_EQ(partition.dimension, 0) << unit;
    EXPECT_TRUE(Separates(entries, partition, 0));
  }
}

// One row that is infinite, or no number, in a dimension: the other dimension still tells the groups apart.
TEST(TopologicalSplit, InfinitiesAndNaNPoisonNothing) {
  for (const double extreme : {double{INFINITY}, double{-INFINITY}, double{NAN}, 1e308, -1e308}) {
    const KeyLayout layout = FloatLayout(2, false);
    std::vector<Box> boxes;
    for (int i = 0; i < 40; ++i) boxes.push_back(MakePoint({i == 3 ? extreme : 0.5 + i * 1e-3, i % 2 == 0 ? 0.0 : 1e300}));
    const EntrySet entries = EntriesOf(layout, true, boxes);
    const Partition partition = TopologicalSplit(entries);
    ExpectPartition(partition, 40, kMinFill);
    EXPECT_TRUE(partition.overlap >= 0 && partition.overlap <= 1);
  }
  const KeyLayout layout = MakeLayout({{1, 8, false, Scalar::kFloat64}, {1, 8, false, Scalar::kFloat64}});
  std::vector<Box> boxes;
  for (int i = 0; i < 40; ++i) boxes.push_back(MakePoint({i == 3 ? INFINITY : i == 4 ? -INFINITY : 0.5 + i * 1e-3, i % 2 == 0 ? 0.0 : 1}));
  EXPECT_EQ(TopologicalSplit(EntriesOf(layout, true, boxes)).dimension, 1);
}

// NULLs stay together: one half at most holds NULLs and values.
TEST(TopologicalSplit, NullsStayTogether) {
  const KeyLayout layout = FloatLayout(1, false);
  Random random(3);
  for (const int nulls : {10, 30, 50}) {
    std::vector<Box> boxes;
    for (int i = 0; i < 60; ++i) {
      boxes.push_back(MakePoint({random.Uniform(-1, 1)}));
      if (i * 7 % 60 >= nulls) continue;
      MakeEmpty(layout, &boxes.back());
      boxes.back().marks = ColumnMarks(0, kMarkNull);
    }
    const EntrySet entries = EntriesOf(layout, true, boxes);
    const Partition partition = TopologicalSplit(entries);
    ExpectPartition(partition, 60, kMinFill);
    int mixed = 0;
    for (const std::vector<int>* half : {&partition.left, &partition.right}) {
      const auto count = std::count_if(half->begin(), half->end(), [&](int i) { return entries.marks(i) != 0; });
      mixed += count > 0 && count < static_cast<int>(half->size());
    }
    EXPECT_LE(mixed, 1) << nulls;
  }
}

TEST(TopologicalSplit, RandomEntriesOfAllDimensions) {
  for (const int dimensions : {1, 2, 3, 8, 16, 100}) {
    for (const bool leaf : {true, false}) {
      const KeyLayout layout = FloatLayout(dimensions, true);
      const Partition partition = TopologicalSplit(EntriesOf(layout, leaf, RandomBoxes(31, dimensions, 0.3, dimensions)));
      ExpectPartition(partition, 31, kMinFill);
      EXPECT_TRUE(partition.overlap >= 0 && partition.overlap <= 1);
    }
  }
}

// Overlap-minimal.

// Cleanly divisible in x, and not at all in y.
std::vector<Box> DivisibleInX(int left, int right) {
  std::vector<Box> boxes;
  for (int i = 0; i < left + right; ++i) {
    const double x = i < left ? 0 : 5, y = i * 7 % (left + right) * 0.01;
    boxes.push_back(MakeBox({{x, x + 4}, {y, 10 + y}}));
  }
  return boxes;
}

TEST(OverlapMinimalSplit, NeedsACommonDimension) {
  const KeyLayout layout = FloatLayout(2, true);
  std::vector<SplitHistory> histories(20, HistoryOf({0}));
  histories[7] = HistoryOf({1});
  EXPECT_FALSE(OverlapMinimalSplit(EntriesOf(layout, false, DivisibleInX(10, 10), histories), 0.35));
  histories[7] = HistoryOf({0, 1});
  const std::optional<Partition> partition = OverlapMinimalSplit(EntriesOf(layout, false, DivisibleInX(10, 10), histories), 0.35);
  ASSERT_TRUE(partition);
  EXPECT_EQ(partition->dimension, 0);
  EXPECT_EQ(partition->overlap, 0);
  EXPECT_EQ(partition->left.size(), 10u);
}

TEST(OverlapMinimalSplit, UsesOnlyCommonDimensions) {
  const KeyLayout layout = FloatLayout(2, true);
  const std::vector<SplitHistory> histories(20, HistoryOf({1}));
  const std::optional<Partition> partition = OverlapMinimalSplit(EntriesOf(layout, false, DivisibleInX(10, 10), histories), 0.35);
  ASSERT_TRUE(partition);
  EXPECT_EQ(partition->dimension, 1);
  EXPECT_GT(partition->overlap, 0.9);
}

TEST(OverlapMinimalSplit, TakesTheBestOfTheCommonDimensions) {
  const KeyLayout layout = FloatLayout(2, true);
  const std::vector<SplitHistory> histories(20, HistoryOf({0, 1}));
  const std::optional<Partition> partition = OverlapMinimalSplit(EntriesOf(layout, false, DivisibleInX(10, 10), histories), 0.35);
  ASSERT_TRUE(partition);
  EXPECT_EQ(partition->dimension, 0);
}

// The clean cut would leave 4 of 20.
TEST(OverlapMinimalSplit, KeepsMinFanout) {
  const KeyLayout layout = FloatLayout(2, true);
  const EntrySet entries = EntriesOf(layout, false, DivisibleInX(4, 16));
  const std::optional<Partition> balanced = OverlapMinimalSplit(entries, 0.35);
  ASSERT_TRUE(balanced);
  ExpectPartition(*balanced, 20, 0.35);
  EXPECT_GT(balanced->overlap, 0);
  const std::optional<Partition> unbalanced = OverlapMinimalSplit(entries, 0.2);
  ASSERT_TRUE(unbalanced);
  EXPECT_EQ(unbalanced->left.size(), 4u);
  EXPECT_EQ(unbalanced->overlap, 0);
  for (const int count : {2, 3, 7, 20, 29, 31}) {
    for (const double min_fanout : {0.0, 0.1, 0.35, 0.5}) {
      const std::optional<Partition> partition = OverlapMinimalSplit(EntriesOf(layout, false, DivisibleInX(1, count - 1)), min_fanout);
      ASSERT_TRUE(partition);
      ExpectPartition(*partition, count, min_fanout);
    }
  }
}

// The rule.

TEST(DirectorySplit, TopologicalWhereHalvesOverlapLittle) {
  const KeyLayout layout = FloatLayout(2, true);
  const std::optional<Partition> partition = DirectorySplit(EntriesOf(layout, false, RandomBoxes(100, 2, 0.01, 8)), {}, true);
  ASSERT_TRUE(partition);
  EXPECT_LE(partition->overlap, 0.2);
}

TEST(DirectorySplit, OverlapMinimalWhereTopologicalOverlaps) {
  const KeyLayout layout = FloatLayout(2, true);
  // By margins y is the dimension to cut; x is divisible at 35 %, which the topological split may not.
  std::vector<Box> boxes;
  for (int i = 0; i < 100; ++i) {
    const double x = i < 36 ? 0 : 2;
    boxes.push_back(MakeBox({{x, x + 1.9}, {i % 10 * 0.01, 1 + i % 10 * 0.01}}));
  }
  const EntrySet entries = EntriesOf(layout, false, boxes);
  ASSERT_GT(TopologicalSplit(entries).overlap, 0.2);
  const std::optional<Partition> partition = DirectorySplit(entries, {}, true);
  ASSERT_TRUE(partition);
  EXPECT_EQ(partition->overlap, 0);
  EXPECT_EQ(partition->left.size(), 36u);
}

TEST(DirectorySplit, SupernodeWhereEverySplitOverlaps) {
  const KeyLayout layout = FloatLayout(2, true);
  const EntrySet entries = EntriesOf(layout, false, RandomBoxes(50, 2, 5, 8));
  EXPECT_FALSE(DirectorySplit(entries, {}, true));
  const std::optional<Partition> forced = DirectorySplit(entries, {}, false);
  ASSERT_TRUE(forced) << "a supernode that may not grow is split";
  EXPECT_GT(forced->overlap, 0.2);
  const std::optional<Partition> r_star = DirectorySplit(entries, {.max_overlap = 1}, true);
  ASSERT_TRUE(r_star) << "any overlap is allowed";
  EXPECT_EQ(r_star->left, TopologicalSplit(entries).left);
}

TEST(DirectorySplit, TopologicalIfForcedWithoutACommonDimension) {
  const KeyLayout layout = FloatLayout(2, true);
  std::vector<SplitHistory> histories(50, HistoryOf({0}));
  histories[7] = HistoryOf({1});
  const EntrySet entries = EntriesOf(layout, false, RandomBoxes(50, 2, 5, 8), histories);
  EXPECT_FALSE(DirectorySplit(entries, {}, true));
  const std::optional<Partition> forced = DirectorySplit(entries, {}, false);
  ASSERT_TRUE(forced);
  EXPECT_EQ(forced->left, TopologicalSplit(entries).left);
}

TEST(DirectorySplit, ForcedSplitIsTheLessOverlapping) {
  const KeyLayout layout = FloatLayout(2, true);
  std::vector<Box> boxes;
  for (int i = 0; i < 100; ++i) {
    const double y = i % 10 * 0.01;
    boxes.push_back(i < 36 ? MakeBox({{0, 2.05}, {y, 1 + y}}) : MakeBox({{2, 3.9}, {y, 1 + y}}));
  }
  const EntrySet entries = EntriesOf(layout, false, boxes);
  EXPECT_FALSE(DirectorySplit(entries, {.max_overlap = 0}, true));
  const std::optional<Partition> partition = DirectorySplit(entries, {.max_overlap = 0}, false);
  ASSERT_TRUE(partition);
  EXPECT_EQ(partition->left.size(), 36u);
  EXPECT_LT(partition->overlap, TopologicalSplit(entries).overlap);
}

// Half of the volume is common in each of a hundred dimensions of unlike spread: that is overlap, not rounding.
TEST(DirectorySplit, OverlapInHundredDimensionsIsNoticed) {
  const KeyLayout layout = FloatLayout(100, true);
  Random random(9);
  std::vector<Box> boxes;
  for (int i = 0; i < 10; ++i) {
    std::vector<Interval1> sides;
    for (int d = 0; d < 100; ++d) {
      const double unit = d == 0 ? 1e6 : 1;
      sides.push_back({unit * random.Uniform(0, 0.001), unit * random.Uniform(0.999, 1)});
    }
    boxes.push_back(MakeBox(sides));
  }
  const EntrySet entries = EntriesOf(layout, false, boxes);
  EXPECT_GT(TopologicalSplit(entries).overlap, 0.5);
  EXPECT_FALSE(DirectorySplit(entries, {}, true));
}

}  // namespace
}  // namespace xtree::test
