// Area, margin, overlap and volume: units, hard numbers, a hundred dimensions; and entries taken off their pages.
#include "core/write/measures.h"

#include <gtest/gtest.h>

#include "entry_fixture.h"

namespace xtree::test {
namespace {

NormalizedBoxes Normalized(const KeyLayout& layout, const std::vector<Box>& boxes) {
  NormalizedBoxes normalized(layout, static_cast<int>(boxes.size()));
  for (const Box& box : boxes) normalized.Add(box);
  normalized.Normalize();
  return normalized;
}

TEST(NormalizedBoxes, AreaMarginAndOverlap) {
  const KeyLayout layout = FloatLayout(2, true);
  const NormalizedBoxes boxes = Normalized(layout, {MakeBox({{0, 10}, {0, 5}}), MakeBox({{5, 10}, {0, 10}}), MakeBox({{1, 2}, {9, 10}})});
  EXPECT_DOUBLE_EQ(boxes.Area(boxes.row(0)), 0.5);  // of the node's extent, 10 x 10
  EXPECT_DOUBLE_EQ(boxes.Area(boxes.row(1)), 0.5);
  EXPECT_DOUBLE_EQ(boxes.Margin(boxes.row(0)), 1.5);
  EXPECT_DOUBLE_EQ(boxes.OverlapArea(boxes.row(0), boxes.row(1)), 0.25);
  EXPECT_DOUBLE_EQ(boxes.OverlapRatio(boxes.row(0), boxes.row(1)), 0.25 / 0.75);
  EXPECT_EQ(boxes.OverlapRatio(boxes.row(0), boxes.row(2)), 0);
  EXPECT_DOUBLE_EQ(boxes.OverlapRatio(boxes.row(1), boxes.row(1)), 1);
}

TEST(NormalizedBoxes, TouchingBoxesDoNotOverlap) {
  const KeyLayout layout = FloatLayout(2, true);
  const NormalizedBoxes boxes = Normalized(layout, {MakeBox({{0, 1}, {0, 1}}), MakeBox({{1, 2}, {0, 1}})});
  EXPECT_EQ(boxes.OverlapArea(boxes.row(0), boxes.row(1)), 0);
  EXPECT_EQ(boxes.OverlapRatio(boxes.row(0), boxes.row(1)), 0);
}

// Where a node has no extent, nothing is multiplied by zero.
TEST(NormalizedBoxes, FlatDimensionsAreLeftOut) {
  const KeyLayout layout = FloatLayout(3, true);
  const NormalizedBoxes boxes = Normalized(layout, {MakeBox({{0, 4}, {7, 7}, {0, 1}}), MakeBox({{2, 4}, {7, 7}, {0, 1}})});
  EXPECT_FALSE(boxes.spread(1));
  EXPECT_DOUBLE_EQ(boxes.Area(boxes.row(1)), 0.5);
  EXPECT_DOUBLE_EQ(boxes.OverlapRatio(boxes.row(0), boxes.row(1)), 0.5);
}

// Dimensions of a column share a unit in margins; columns weigh the same whatever they are measured in.
TEST(NormalizedBoxes, UnitsOfMargins) {
  const KeyLayout layout = MakeLayout({{2, 8, true, Scalar::kFloat64}, {1, 8, true, Scalar::kFloat64}});
  const NormalizedBoxes boxes = Normalized(
      layout, {MakeBox({{0, 10}, {0, 1}, {0, 1e15}}), MakeBox({{0, 5}, {0, 1}, {0, 0.5e15}}), MakeBox({{0, 0}, {0, 1}, {0, 0}})});
  EXPECT_DOUBLE_EQ(boxes.Margin(boxes.row(0)), 1 + 0.1 + 1);
  EXPECT_DOUBLE_EQ(boxes.Margin(boxes.row(1)), 0.5 + 0.1 + 0.5);
  EXPECT_DOUBLE_EQ(boxes.Margin(boxes.row(2)), 0.1);
}

// Of words only the first that tells entries apart counts, as neighbours beyond 2^53 do too. Seen to fail where each counts by its length, and where
// lengths are differences of rounded numbers.
TEST(NormalizedBoxes, OfWordsTheFirstThatTellsApartCounts) {
  const KeyLayout layout = MakeLayout({{3, 8, true, Scalar::kInteger, true}});
  constexpr Ordinal kFar = Ordinal{1} << 62;
  const auto box = [](Ordinal second, Ordinal length) {
    Box made;
    made.marks = 0;
    made.lo[0] = made.hi[0] = 7;
    made.lo[1] = second;
    made.hi[1] = second + length;
    made.lo[2] = -kFar;
    made.hi[2] = kFar;
    return made;
  };
  const NormalizedBoxes boxes = Normalized(layout, {box(kFar, 1), box(kFar + 1, 0), box(kFar + 2, 2)});
  EXPECT_FALSE(boxes.spread(0));
  EXPECT_TRUE(boxes.spread(1));
  EXPECT_NEAR(boxes.Margin(boxes.row(0)), 0.25, 1e-9);
  EXPECT_NEAR(boxes.Margin(boxes.row(1)), 0, 1e-9);
  EXPECT_NEAR(boxes.Margin(boxes.row(2)), 0.5, 1e-9);
}

TEST(NormalizedBoxes, InfinitiesAndNaNAreOnlyFar) {
  const KeyLayout layout = FloatLayout(2, true);
  const NormalizedBoxes boxes = Normalized(layout, {MakeBox({{-INFINITY, INFINITY}, {0, 1}}), MakeBox({{0, INFINITY}, {0, 1}}),
                                                    MakeBox({{INFINITY, NAN}, {0, 1}}), MakeBox({{1, 2}, {0, 0.5}})});
  for (int a = 0; a < boxes.size(); ++a) {
    EXPECT_TRUE(boxes.Area(boxes.row(a)) >= 0 && boxes.Area(boxes.row(a)) <= 1) << a;
    EXPECT_TRUE(std::isfinite(boxes.Margin(boxes.row(a)))) << a;
    for (int b = 0; b < boxes.size(); ++b) {
      const double ratio = boxes.OverlapRatio(boxes.row(a), boxes.row(b));
      EXPECT_TRUE(ratio >= 0 && ratio <= 1) << a << ", " << b;
    }
  }
  EXPECT_DOUBLE_EQ(boxes.OverlapRatio(boxes.row(0), boxes.row(1)), 0.5);
}

// NULL and empty are nowhere: they add nothing to a union and overlap nothing.
TEST(NormalizedBoxes, InvertedBoxesAreNowhere) {
  const KeyLayout layout = FloatLayout(2, true);
  Box none;
  MakeEmpty(layout, &none);
  const NormalizedBoxes boxes = Normalized(layout, {MakeBox({{0, 2}, {0, 2}}), none, MakeBox({{1, 2}, {0, 2}})});
  EXPECT_EQ(boxes.Area(boxes.row(1)), 0);
  EXPECT_EQ(boxes.Margin(boxes.row(1)), 0);
  EXPECT_EQ(boxes.OverlapRatio(boxes.row(0), boxes.row(1)), 0);
  Extent united[2];
  boxes.Clear(united);
  boxes.Unite(boxes.row(1), united);
  boxes.Unite(boxes.row(2), united);
  EXPECT_DOUBLE_EQ(boxes.Area(united), 0.5);
}

// One dimension a million times as wide as the others: in a shared unit every product would be 0, and no halves would
// overlap.
TEST(NormalizedBoxes, HundredDimensionsOfUnlikeSpread) {
  const KeyLayout layout = FloatLayout(100, true);
  const auto box = [](double from, double to) {
    std::vector<Interval1> sides(100, Interval1{from, to});
    sides[0] = {from * 1e6, to * 1e6};
    return MakeBox(sides);
  };
  const NormalizedBoxes boxes = Normalized(layout, {box(0, 0.99), box(0.01, 1), box(0, 1)});
  const double area = std::pow(0.99, 100), overlap = std::pow(0.98, 100);
  EXPECT_NEAR(boxes.Area(boxes.row(0)), area, 1e-9);
  EXPECT_NEAR(boxes.OverlapRatio(boxes.row(0), boxes.row(1)), overlap / (2 * area - overlap), 1e-9);
}

TEST(NormalizedBoxes, OverlapRatioIsSymmetricAndWithinItsRange) {
  Random random(4);
  for (const int dimensions : {1, 2, 8, 100}) {
    const KeyLayout layout = FloatLayout(dimensions, true);
    std::vector<Box> boxes;
    for (int i = 0; i < 20; ++i) {
      std::vector<Interval1> sides;
      for (int d = 0; d < dimensions; ++d) {
        const double lo = random.Uniform(0, 0.1);
        sides.push_back({lo, lo + random.Uniform(0.5, 1)});
      }
      boxes.push_back(MakeBox(sides));
    }
    const NormalizedBoxes normalized = Normalized(layout, boxes);
    double sum = 0;
    for (int a = 0; a < 20; ++a) {
      for (int b = 0; b < a; ++b) {
        const double ratio = normalized.OverlapRatio(normalized.row(a), normalized.row(b));
        ASSERT_EQ(ratio, normalized.OverlapRatio(normalized.row(b), normalized.row(a)));
        ASSERT_TRUE(ratio >= 0 && ratio <= 1);
        sum += ratio;
      }
    }
    EXPECT_GT(sum, 0);
  }
}

Volume VolumeOf(const std::vector<double>& lengths) {
  Volume volume;
  for (const double length : lengths) volume.Multiply(length);
  return volume;
}

TEST(Volume, ComparesAsProducts) {
  EXPECT_TRUE(VolumeOf({2, 3}) < VolumeOf({7}));
  EXPECT_TRUE(VolumeOf({0.1, 30}) < VolumeOf({2, 2}));
  EXPECT_FALSE(VolumeOf({2, 2}) < VolumeOf({4, 1}));
  EXPECT_FALSE(VolumeOf({4, 1}) < VolumeOf({2, 2}));
  Random random(5);
  for (int i = 0; i < 1000; ++i) {
    std::vector<double> a, b;
    double product_a = 1, product_b = 1;
    for (int d = 0; d < 8; ++d) {
      a.push_back(random.Uniform(1e-3, 1e3));
      b.push_back(random.Uniform(1e-3, 1e3));
      product_a *= a.back();
      product_b *= b.back();
    }
    ASSERT_EQ(VolumeOf(a) < VolumeOf(b), product_a < product_b);
  }
}

TEST(Volume, HundredLengthsBeyondADouble) {
  EXPECT_TRUE(VolumeOf(std::vector<double>(100, 1e300)) < VolumeOf(std::vector<double>(100, 1.01e300)));
  EXPECT_TRUE(VolumeOf(std::vector<double>(100, 1e-300)) < VolumeOf(std::vector<double>(100, 1.01e-300)));
  EXPECT_TRUE(VolumeOf(std::vector<double>(100, 1e-300)) < VolumeOf(std::vector<double>(100, 1e300)));
}

TEST(Volume, FlatIsSmaller) {
  EXPECT_TRUE(VolumeOf({0, 1e300}) < VolumeOf({1e-300, 1e-300}));
  EXPECT_TRUE(VolumeOf({0, 0}) < VolumeOf({0, 1e-300}));
  EXPECT_TRUE(VolumeOf({0, 1}) < VolumeOf({2, 0}));
  EXPECT_EQ(VolumeOf({0, -1, 5}).flat(), 2);
}

// Entries come off their pages and go onto others as they were.
TEST(EntrySet, KeepsWhatItTakes) {
  const KeyLayout layout = MakeLayout({{2, 8, false, Scalar::kFloat64}, {1, 4, true, Scalar::kInteger}}, true);
  PageImage image, copy;
  NodeEditor page(layout, image.bytes), other(layout, copy.bytes);
  page.Initialize(0, 0);
  other.Initialize(0, 0);
  for (int i = 0; i < 20; ++i) {
    Box box = MakePoint({i * 0.5, -i * 0.25});
    box.lo[2] = i;
    box.hi[2] = i + 3;
    if (i % 3 == 0) {
      box.marks = ColumnMarks(1, kMarkNull);
      box.lo[2] = InvertedLo(4);
      box.hi[2] = InvertedHi(4);
    }
    const std::string payload(i * 7, static_cast<char>('a' + i));
    page.AppendTuple(box, TupleOf(i), reinterpret_cast<const uint8_t*>(payload.data()), static_cast<uint16_t>(payload.size()));
  }
  EntrySet entries(layout, true);
  entries.Add(page.view());
  ASSERT_EQ(entries.size(), 20);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(entries.FitsOn(other.view(), i));
    entries.AppendTo(&other, i);
  }
  for (int i = 0; i < 20; ++i) {
    Box before, after;
    page.view().GetBox(i, &before);
    other.view().GetBox(i, &after);
    EXPECT_TRUE(Equal(layout, before, after));
    EXPECT_EQ(page.view().Tuple(i), other.view().Tuple(i));
    uint16_t length, length_after;
    const uint8_t* payload = page.view().Payload(i, &length);
    const uint8_t* payload_after = other.view().Payload(i, &length_after);
    ASSERT_EQ(length, length_after);
    EXPECT_EQ(memcmp(payload, payload_after, length), 0);
  }
}

TEST(EntrySet, KeepsSplitHistories) {
  const KeyLayout layout = FloatLayout(100, true);
  std::vector<Box> boxes(12, MakeBox(std::vector<Interval1>(100, Interval1{0, 1})));
  std::vector<SplitHistory> histories;
  for (int i = 0; i < 12; ++i) histories.push_back(HistoryOf({i, 99 - i}));
  const EntrySet entries = EntriesOf(layout, false, boxes, histories);
  ASSERT_EQ(entries.size(), 12) << "over several pages";
  PageImage image;
  NodeEditor page(layout, image.bytes);
  page.Initialize(1, 0);
  entries.AppendTo(&page, 7);
  EXPECT_EQ(page.view().History(0), histories[7]);
  EXPECT_EQ(page.view().Child(0), 107u);
}

}  // namespace
}  // namespace xtree::test
