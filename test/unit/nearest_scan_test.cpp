// NearestScan against brute force and boost's R-tree, and on hard numbers.
#include "core/scan/nearest_scan.h"

#define BOOST_ALLOW_DEPRECATED_HEADERS  // boost's own use of them
#include <boost/geometry.hpp>
#include <boost/geometry/geometries/box.hpp>
#include <boost/geometry/geometries/point.hpp>
#include <boost/geometry/index/rtree.hpp>
#include <gtest/gtest.h>

#include <algorithm>

#include "nearest_fixture.h"

namespace xtree::test {
namespace {

struct Case {
  int dimensions;
  bool extended;
  Distribution distribution;
  PackOptions pack;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.dimensions << (c.extended ? "-D boxes" : "-D points") << ", distribution " << static_cast<int>(c.distribution) << ", "
       << c.pack.leaf_entries << "/" << c.pack.page_entries << "/" << c.pack.node_pages;
}

class NearestScanData : public testing::TestWithParam<Case> {};

TEST_P(NearestScanData, AgreesWithBruteForce) {
  const Case& c = GetParam();
  const KeyLayout layout = FloatLayout(c.dimensions, c.extended);
  const RowSet rows = RandomRows(layout, 2000, c.distribution, 7);
  const auto store = PackTree(rows, c.pack);
  Random random(8);
  for (int i = 0; i < 12; ++i) {
    Euclidean metric;
    for (int d = 0; d < c.dimensions; ++d) metric.query.push_back(random.Coordinate(c.distribution, random.Below(10)) + (i % 3) * 0.01);
    const std::vector<DistanceKey> keys = {EuclideanKey(layout, 0, &metric)};
    ASSERT_NO_FATAL_FAILURE(ExpectAll(*store, rows, Everything(layout), keys));
    ASSERT_NO_FATAL_FAILURE(ExpectNearest(rows, Everything(layout), keys, Search(*store, Everything(layout), keys, 10)));
    const Constraint window = Overlapping(layout, std::vector<double>(c.dimensions, 0.2), std::vector<double>(c.dimensions, 0.9));
    ASSERT_NO_FATAL_FAILURE(ExpectAll(*store, rows, window, keys));
  }
}

// The children that a search visits are among those that were announced when their parent was read.
TEST(NearestScan, AnnouncesWhatItWillRead) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 5000, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {20, 20, 1});
  Euclidean metric{{0.4, 0.6}};
  const DistanceKey key = EuclideanKey(layout, 0, &metric);
  std::vector<BlockNumber> trace, announced;
  MemoryReader reader(*store);
  reader.trace = &trace;
  reader.announced = &announced;
  auto scan = std::make_unique<NearestScan>();
  scan->Begin(layout, Everything(layout), &key, 1, {});
  NearestRow row;
  ASSERT_TRUE(scan->Next(reader, &row));
  ASSERT_GT(trace.size(), 2u);
  for (size_t i = 1; i < trace.size(); ++i) {
    EXPECT_NE(std::find(announced.begin(), announced.end(), trace[i]), announced.end()) << "block " << trace[i];
  }
  const size_t directories = std::count_if(trace.begin(), trace.end(), [&](BlockNumber b) { return !store->view(b).leaf(); });
  EXPECT_LE(announced.size(), 8 * directories);
}

TEST(NearestScan, AnnouncesNothingToAReaderThatDoesNotReadAhead) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 5000, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {20, 20, 1});
  Euclidean metric{{0.4, 0.6}};
  const DistanceKey key = EuclideanKey(layout, 0, &metric);
  std::vector<BlockNumber> announced;
  MemoryReader reader(*store);
  reader.reads_ahead = false;
  reader.announced = &announced;
  auto scan = std::make_unique<NearestScan>();
  scan->Begin(layout, Everything(layout), &key, 1, {});
  EXPECT_EQ(Collect(reader, scan.get(), 1).rows.size(), rows.size());
  EXPECT_TRUE(announced.empty());
}

const Case kCases[] = {
    {1, false, Distribution::kUniform, {}},           {2, false, Distribution::kUniform, {}},
    {2, false, Distribution::kUniform, {5, 4, 1}},    {2, false, Distribution::kUniform, {5, 4, 3}},
    {2, false, Distribution::kClustered, {40, 7, 1}}, {2, false, Distribution::kDuplicates, {9, 7, 1}},
    {2, false, Distribution::kOnePoint, {9, 7, 2}},   {2, true, Distribution::kUniform, {9, 7, 1}},
    {3, true, Distribution::kClustered, {9, 7, 1}},   {3, false, Distribution::kUniform, {}},
    {8, false, Distribution::kClustered, {20, 8, 2}}, {32, true, Distribution::kDuplicates, {}},
    {100, false, Distribution::kUniform, {}},         {100, true, Distribution::kClustered, {4, 3, 4}},
};
INSTANTIATE_TEST_SUITE_P(Cases, NearestScanData, testing::ValuesIn(kCases));

template <int kDimensions>
void CompareWithBoost(uint64_t seed) {
  namespace bg = boost::geometry;
  using Point = bg::model::point<double, kDimensions, bg::cs::cartesian>;
  const KeyLayout layout = FloatLayout(kDimensions, false);
  const RowSet rows = RandomRows(layout, 20000, Distribution::kUniform, seed);
  const auto to_point = [](const auto& coordinate) {
    Point point;
    bg::set<0>(point, coordinate(0));
    bg::set<1>(point, coordinate(1));
    if constexpr (kDimensions == 3) bg::set<2>(point, coordinate(2));
    return point;
  };
  bg::index::rtree<std::pair<Point, size_t>, bg::index::quadratic<16>> reference;
  for (size_t row = 0; row < rows.size(); ++row) {
    reference.insert({to_point([&](int d) { return DoubleFromOrdinal(rows.Lo(row)[d]); }), row});
  }
  const auto store = PackTree(rows);
  Random random(seed + 1);
  for (int i = 0; i < 100; ++i) {
    Euclidean metric;
    for (int d = 0; d < kDimensions; ++d) metric.query.push_back(random.Uniform(-0.2, 1.2));
    const Point query = to_point([&](int d) { return metric.query[d]; });
    std::vector<std::pair<double, size_t>> expected;
    for (auto it = reference.qbegin(bg::index::nearest(query, 25)); it != reference.qend(); ++it) {
      expected.emplace_back(bg::distance(query, it->first), it->second);
    }
    std::sort(expected.begin(), expected.end());
    const Result result = Search(*store, Everything(layout), {EuclideanKey(layout, 0, &metric)}, 25);
    ASSERT_EQ(result.rows.size(), expected.size());
    for (size_t k = 0; k < expected.size(); ++k) ASSERT_EQ(result.rows[k], expected[k].second);
  }
}

TEST(NearestScan, AgreesWithBoost2D) { CompareWithBoost<2>(21); }
TEST(NearestScan, AgreesWithBoost3D) { CompareWithBoost<3>(22); }

TEST(NearestScan, EmptyTree) {
  const KeyLayout layout = FloatLayout(2, false);
  MemoryStore store(layout);
  Euclidean metric{{0, 0}};
  EXPECT_TRUE(Search(store, Everything(layout), {EuclideanKey(layout, 0, &metric)}).rows.empty());
}

TEST(NearestScan, ContradictionReadsNothing) {
  const KeyLayout layout = FloatLayout(2, false);
  const auto store = PackTree(RandomRows(layout, 1000, Distribution::kUniform, 1));
  Constraint constraint = Everything(layout);
  constraint.Require(0, MarkRule::kNever);
  Euclidean metric{{0, 0}};
  const DistanceKey key = EuclideanKey(layout, 0, &metric);
  MemoryReader reader(*store);
  NearestScan scan;
  scan.Begin(layout, constraint, &key, 1, {});
  EXPECT_TRUE(Collect(reader, &scan, 1).rows.empty());
  EXPECT_EQ(reader.opens, 0);
}

// Best first: no page is read whose bounds are farther than the last row, and few exact distances are computed.
TEST(NearestScan, ReadsOnlyPagesThatMayMatter) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 20000, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {40, 10, 1});
  Random random(4);
  for (int i = 0; i < 20; ++i) {
    Euclidean metric{{random.Uniform(), random.Uniform()}};
    const DistanceKey key = EuclideanKey(layout, 0, &metric);
    std::vector<BlockNumber> trace;
    MemoryReader reader(*store);
    reader.trace = &trace;
    auto scan = std::make_unique<NearestScan>();
    scan->Begin(layout, Everything(layout), &key, 1, {});
    const Result result = Collect(reader, scan.get(), 1, 10);
    EXPECT_EQ(metric.calls, 10);
    const double farthest = DistanceFromRank(result.ranks.back()[0]);
    std::set<BlockNumber> needed;
    const std::function<void(BlockNumber)> walk = [&](BlockNumber block) {
      needed.insert(block);
      const NodeView node = store->view(block);
      for (int e = 0; !node.leaf() && e < node.entries(); ++e) {
        const Ordinal lo[] = {node.Lo(e, 0), node.Lo(e, 1)};
        const Ordinal hi[] = {node.Hi(e, 0), node.Hi(e, 1)};
        if (Euclidean::Distance(&metric, lo, hi) <= farthest) walk(node.Child(e));
      }
    };
    walk(kRootBlock);
    EXPECT_EQ(std::set<BlockNumber>(trace.begin(), trace.end()), needed);
    EXPECT_EQ(trace.size(), needed.size());
  }
}

// Among equal bounds the search goes down first: one path, not the whole tree.
TEST(NearestScan, FirstRowOfManyEqualBounds) {
  const KeyLayout layout = FloatLayout(2, true);
  RowSet rows(layout);
  for (int i = 0; i < 2000; ++i) rows.AddBox({-1, -1}, {1 + i * 0.001, 1});
  const auto store = PackTree(rows, {10, 5, 1});
  ASSERT_GE(store->view(kRootBlock).level(), 3);
  Euclidean metric{{0, 0}};
  const DistanceKey key = EuclideanKey(layout, 0, &metric);
  MemoryReader reader(*store);
  auto scan = std::make_unique<NearestScan>();
  scan->Begin(layout, Everything(layout), &key, 1, {});
  Collect(reader, scan.get(), 1, 3);
  EXPECT_EQ(reader.opens, store->view(kRootBlock).level() + 1);
}

TEST(NearestScan, HardNumbers) {
  const KeyLayout layout = FloatLayout(2, false);
  RowSet rows(layout);
  const double values[] = {0,     -0.0,   1,       -1,       1e-200, -3e-162, 5e-324,    1e-308,     1e154,     -1e154,
                           1e200, -1e200, 1.7e308, -1.7e308, 1e300,  kNaN,    kInfinity, -kInfinity, 1 + 1e-15, 3e-155};
  for (const double x : values) {
    for (const double y : values) rows.AddPoint({x, y});
  }
  const auto store = PackTree(rows, {7, 4, 2});
  const auto all = PackTree(rows);
  for (const double x : values) {
    for (const double y : values) {
      Euclidean metric{{x, y}};
      const std::vector<DistanceKey> keys = {EuclideanKey(layout, 0, &metric)};
      ASSERT_NO_FATAL_FAILURE(ExpectAll(*store, rows, Everything(layout), keys)) << x << " " << y;
      ASSERT_NO_FATAL_FAILURE(ExpectAll(*all, rows, Everything(layout), keys)) << x << " " << y;
    }
  }
}

// Neighbouring numbers: squares cannot tell them apart, exact distances can.
TEST(NearestScan, DistancesThatDifferInTheLastBit) {
  const KeyLayout layout = FloatLayout(3, false);
  RowSet rows(layout);
  Random random(12);
  std::vector<double> near(3, 0.1);
  for (int i = 0; i < 500; ++i) {
    for (double& value : near) {
      for (int steps = random.Below(3); steps > 0; --steps) value = std::nextafter(value, random.Below(2) ? 0 : 1);
    }
    rows.AddPoint(near);
  }
  const auto store = PackTree(rows, {7, 4, 2});
  for (int i = 0; i < 20; ++i) {
    Euclidean metric{{random.Uniform(), random.Uniform(), random.Uniform()}};
    ASSERT_NO_FATAL_FAILURE(ExpectAll(*store, rows, Everything(layout), {EuclideanKey(layout, 0, &metric)}));
  }
}

TEST(DistanceRank, SortsAsSpecified) {
  const double numbers[] = {-kInfinity, -2, -1e-300, 0, 5e-324, 1, 1e308, kInfinity};
  for (size_t i = 1; i < std::size(numbers); ++i) EXPECT_LT(RankFromDistance(numbers[i - 1]), RankFromDistance(numbers[i]));
  EXPECT_EQ(RankFromDistance(-0.0), RankFromDistance(0.0));
  EXPECT_LT(RankFromDistance(kInfinity), RankFromDistance(kNaN));
  EXPECT_LT(RankFromDistance(kNaN), kNullDistance);
  EXPECT_LT(kNullDistance, kNoDistance);
  EXPECT_TRUE(std::isnan(DistanceFromRank(RankFromDistance(kNaN))));
  EXPECT_EQ(DistanceFromRank(RankFromDistance(-2.5)), -2.5);
  EXPECT_EQ(RankFromBound(kNaN), RankFromDistance(-kInfinity)) << "a bound that is no number bounds nothing";
}

TEST(DistanceRank, BoundFromSquareIsNeverAbove) {
  Random random(1);
  for (int i = 0; i < 100000; ++i) {
    const double distance = std::ldexp(random.Uniform(0.5, 1), random.Below(2090) - 1070);
    const double square = distance * distance;
    ASSERT_LE(BoundFromSquare(square), distance);
    ASSERT_LE(BoundFromSquare(square * (1 + 1e-14)), distance);
    if (distance > 1e-140 && distance < 1e150) {
      ASSERT_GE(BoundFromSquare(square), distance * (1 - 1e-12));
    }
  }
  EXPECT_EQ(BoundFromSquare(0), 0);
  EXPECT_LT(BoundFromSquare(kInfinity), 1.4e154) << "an overflow may stand for any distance above";
  EXPECT_LT(BoundFromSquare(kNaN), 1.4e154);
}

// Two columns (a point, an integer), some of either NULL or empty.
class NearestScanKeys : public testing::Test {
 protected:
  NearestScanKeys() : layout_(MakeLayout({{2, 8, true, Scalar::kFloat64}, {1, 4, false, Scalar::kInteger}})), rows_(layout_) {
    Random random(5);
    for (size_t i = 0; i < 2500; ++i) {
      Box box;
      for (int d = 0; d < 2; ++d) {
        box.lo[d] = OrdinalFromDouble(random.Below(10) * 0.1);
        box.hi[d] = OrdinalFromDouble(DoubleFromOrdinal(box.lo[d]) + random.Below(3) * 0.05);
      }
      box.lo[2] = box.hi[2] = random.Below(40);
      box.marks = 0;
      rows_.Add(box);
      if (random.Below(8) == 0) rows_.Mark(i, 0, random.Below(2) ? kMarkEmpty : kMarkNull);
      if (random.Below(8) == 0) rows_.Mark(i, 1, kMarkNull);
    }
    store_ = PackTree(rows_, {12, 6, 2});
  }

  KeyLayout layout_;
  RowSet rows_;
  std::unique_ptr<MemoryStore> store_;
  Euclidean point_{{0.33, 0.5}};
  Absolute number_{17};
};

TEST_F(NearestScanKeys, NullsComeLast) {
  const Result result = Search(*store_, Everything(layout_), {EuclideanKey(layout_, 0, &point_)});
  EXPECT_EQ(result.rows.size(), rows_.size());
  EXPECT_EQ(result.ranks.back()[0], kNullDistance);
  ExpectAll(*store_, rows_, Everything(layout_), {EuclideanKey(layout_, 0, &point_)});
  ExpectAll(*store_, rows_, Everything(layout_), {AbsoluteKey(layout_, 1, &number_)});
}

TEST_F(NearestScanKeys, SeveralKeysAreLexicographic) {
  const DistanceKey point = EuclideanKey(layout_, 0, &point_);
  const DistanceKey number = AbsoluteKey(layout_, 1, &number_);
  ExpectAll(*store_, rows_, Everything(layout_), {number, point});
  ExpectAll(*store_, rows_, Everything(layout_), {point, number});
  Absolute other{3};
  ExpectAll(*store_, rows_, Everything(layout_), {number, AbsoluteKey(layout_, 1, &other), point});
}

TEST_F(NearestScanKeys, SeveralKeysOnLargePages) {
  const auto store = PackTree(rows_, {100, 30, 1});
  const DistanceKey point = EuclideanKey(layout_, 0, &point_);
  const DistanceKey number = AbsoluteKey(layout_, 1, &number_);
  ExpectAll(*store, rows_, Everything(layout_), {number, point});
  ExpectAll(*store, rows_, Everything(layout_), {point, number});
}

// The second key prunes among equals of the first.
TEST_F(NearestScanKeys, SecondKeyGuidesTheSearch) {
  MemoryReader reader(*store_);
  const DistanceKey keys[] = {AbsoluteKey(layout_, 1, &number_), EuclideanKey(layout_, 0, &point_)};
  auto scan = std::make_unique<NearestScan>();
  scan->Begin(layout_, Everything(layout_), keys, 2, {});
  Collect(reader, scan.get(), 2, 1);
  const int64_t both = reader.opens;
  scan->Begin(layout_, Everything(layout_), keys, 2, {});
  Collect(reader, scan.get(), 2);
  EXPECT_LT(both * 3, reader.opens - both);
}

TEST_F(NearestScanKeys, Filters) {
  for (const MarkRule rule : {MarkRule::kAny, MarkRule::kNotNull, MarkRule::kNull, MarkRule::kValue}) {
    Constraint constraint = Everything(layout_);
    constraint.Require(1, rule);
    if (rule == MarkRule::kValue) constraint.RequireLo(2, {20, 25});
    ASSERT_FALSE(BruteForce(rows_, constraint).empty());
    ExpectAll(*store_, rows_, constraint, {EuclideanKey(layout_, 0, &point_)});
    ExpectAll(*store_, rows_, constraint, {AbsoluteKey(layout_, 1, &number_), EuclideanKey(layout_, 0, &point_)});
  }
}

TEST_F(NearestScanKeys, FilterOnUpperEnds) {
  Constraint constraint = Everything(layout_);
  constraint.RequireHi(0, {kOrdinalMin, OrdinalFromDouble(0.4)});
  ASSERT_LT(BruteForce(rows_, constraint).size(), rows_.size() / 2);
  ExpectAll(*store_, rows_, constraint, {EuclideanKey(layout_, 0, &point_)});
}

// A condition with alternatives and nothing else.
TEST_F(NearestScanKeys, Alternatives) {
  Interval interval[] = {{3, 3}, {17, 19}};
  MarkRule rule[] = {MarkRule::kValue, MarkRule::kValue};
  AnyOf group{1, 2, interval, interval, rule, false};
  Constraint constraint = Everything(layout_);
  constraint.any_of = &group;
  constraint.any_of_count = 1;
  const Result result = Search(*store_, constraint, {EuclideanKey(layout_, 0, &point_)});
  std::set<size_t> expected;
  for (size_t row = 0; row < rows_.size(); ++row) {
    const Ordinal number = rows_.Lo(row)[2];
    if (!rows_.Marked(row, 1) && (number == 3 || (number >= 17 && number <= 19))) expected.insert(row);
  }
  EXPECT_EQ(std::set<size_t>(result.rows.begin(), result.rows.end()), expected);
  EXPECT_EQ(result.rows.size(), expected.size());
  EXPECT_TRUE(std::is_sorted(result.ranks.begin(), result.ranks.end()));
}

// Rows without a value in the column lie in subtrees of their own.
TEST(NearestScan, SubtreesOfNulls) {
  const KeyLayout layout = MakeLayout({{1, 8, false, Scalar::kInteger}, {2, 8, false, Scalar::kFloat64}});
  RowSet rows(layout);
  Random random(5);
  for (size_t i = 0; i < 600; ++i) {
    Box box;
    box.lo[0] = box.hi[0] = static_cast<Ordinal>(i);
    box.lo[1] = box.hi[1] = OrdinalFromDouble(random.Uniform());
    box.lo[2] = box.hi[2] = OrdinalFromDouble(random.Uniform());
    box.marks = 0;
    rows.Add(box);
    if (i >= 300) rows.Mark(i, 1, kMarkNull);
  }
  const auto store = PackTree(rows, {10, 5, 1});
  Euclidean metric{{0.5, 0.5}};
  const std::vector<DistanceKey> keys = {EuclideanKey(layout, 1, &metric)};
  ExpectAll(*store, rows, Everything(layout), keys);
  Absolute number{100};
  ExpectAll(*store, rows, Everything(layout), {keys[0], AbsoluteKey(layout, 0, &number)});

  std::vector<BlockNumber> trace;
  MemoryReader reader(*store);
  reader.trace = &trace;
  auto scan = std::make_unique<NearestScan>();
  scan->Begin(layout, Everything(layout), keys.data(), 1, {});
  EXPECT_NE(Collect(reader, scan.get(), 1, 300).ranks.back()[0], kNullDistance);
  for (const BlockNumber block : trace) {
    Box bounds;
    store->view(block).Bounds(&bounds);
    EXPECT_LE(bounds.lo[1], bounds.hi[1]) << "page " << block << " has only rows without a distance: too early";
  }
}

TEST(NearestScan, NegativeDistances) {
  const KeyLayout layout = MakeLayout({{1, 8, false, Scalar::kInteger}});
  RowSet rows(layout);
  Random random(5);
  for (size_t i = 0; i < 1000; ++i) {
    Box box;
    box.lo[0] = box.hi[0] = random.Below(500) - 250;
    box.marks = 0;
    rows.Add(box);
  }
  const auto negated = [](void*, const Ordinal*, const Ordinal* hi) { return -static_cast<double>(*hi); };
  ExpectAll(*PackTree(rows, {10, 5, 1}), rows, Everything(layout), {DistanceKey{0, 1, 0, nullptr, negated, negated, nullptr}});
}

// A type may say that a bound is no number; it must not lose rows.
TEST(NearestScan, BoundThatIsNoNumber) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 500, Distribution::kUniform, 3);
  Euclidean metric{{0.5, 0.5}};
  DistanceKey key = EuclideanKey(layout, 0, &metric);
  key.query = nullptr;
  key.lower_bound = [](void*, const Ordinal*, const Ordinal*) { return kNaN; };
  ExpectAll(*PackTree(rows, {10, 5, 1}), rows, Everything(layout), {key});
}

// Distances below those that the kernels know of, by up to `slack` or up to a part of it, whichever way the bits of the coordinates fall.
struct Loose : Euclidean {
  double slack = 0, part = 0;
  static double Distance(void* context, const Ordinal* lo, const Ordinal* hi) {
    const auto some =
        static_cast<double>((static_cast<uint64_t>(lo[0]) * 31 + static_cast<uint64_t>(lo[1])) * 0x9E3779B97F4A7C15u >> 40) * 0x1p-24;
    auto* self = static_cast<Loose*>(context);
    return Euclidean::Distance(static_cast<Euclidean*>(self), lo, hi) * (1 - some * self->part) - some * self->slack;
  }
};

TEST(NearestScan, DistancesBelowThoseOfTheKernels) {
  for (const bool extended : {false, true}) {
    const KeyLayout layout = MakeLayout({{2, 8, extended, Scalar::kFloat64}, {1, 8, extended, Scalar::kFloat64}}, false);
    const RowSet rows = RandomRows(layout, 3000, Distribution::kDuplicates, 3);
    const auto store = PackTree(rows, {9, 7, 1});
    for (const auto& [slack, part] : {std::pair{0.05, 0.0}, std::pair{0.0, 0.3}, std::pair{0.02, 0.1}}) {
      Loose metric;
      metric.query = {0.4, 0.6};
      metric.slack = slack;
      metric.part = part;
      DistanceKey key = EuclideanKey(layout, 0, &metric);
      key.distance = &Loose::Distance;
      key.slack = slack;
      key.rounding = part;
      Euclidean other{{0.1}};
      ExpectAll(*store, rows, Everything(layout), {key});
      ExpectAll(*store, rows, Everything(layout), {key, EuclideanKey(layout, 1, &other)});
      ExpectAll(*store, rows, Everything(layout), {EuclideanKey(layout, 1, &other), key});
    }
  }
}

TEST(NearestScan, RowTellsWhereItLies) {
  const KeyLayout layout = MakeLayout({{2, 8, false, Scalar::kFloat64}}, true);
  MemoryStore store(layout);
  Box box;
  box.marks = 0;
  for (int i = 0; i < 50; ++i) {
    box.lo[0] = box.hi[0] = box.lo[1] = box.hi[1] = OrdinalFromDouble(i);
    const std::string payload = "row " + std::to_string(i);
    store.editor(kRootBlock)
        .AppendTuple(box, TupleOf(i), reinterpret_cast<const uint8_t*>(payload.data()), static_cast<uint16_t>(payload.size()));
  }
  Euclidean metric{{20.2, 20.2}};
  const DistanceKey key = EuclideanKey(layout, 0, &metric);
  Constraint constraint = Everything(layout);
  constraint.recheck = true;
  MemoryReader reader(store);
  auto scan = std::make_unique<NearestScan>();
  scan->Begin(layout, constraint, &key, 1, {});
  NearestRow row;
  for (const char* expected : {"row 20", "row 21", "row 19"}) {
    ASSERT_TRUE(scan->Next(reader, &row));
    EXPECT_EQ(row.block, kRootBlock);
    EXPECT_EQ(row.lsn, store.LsnOf(kRootBlock));
    EXPECT_TRUE(row.recheck);
    EXPECT_NE(row.page, store.image(kRootBlock).bytes);
    uint16_t length;
    const uint8_t* payload = NodeView(layout, row.page).Payload(row.slot, &length);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(payload), length), expected);
  }
}

TEST(NearestScan, RowTellsWhetherItIsDoubtful) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 500, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {50, 50, 1});
  Constraint near = Overlapping(layout, {0.1, 0.1}, {0.5, 0.5}), all = Everything(layout);
  std::vector<Interval> lo(near.lo, near.lo + 2), hi(near.hi, near.hi + 2);
  lo.resize(4);
  hi.resize(4);
  MarkRule rule[] = {MarkRule::kValue, MarkRule::kValue};
  bool recheck[] = {false, true};
  AnyOf group = {0, 2, lo.data(), hi.data(), rule, false, recheck};
  all.any_of = &group;
  all.any_of_count = 1;
  Euclidean metric{{0.4, 0.4}};
  const DistanceKey key = EuclideanKey(layout, 0, &metric);
  MemoryReader reader(*store);
  auto scan = std::make_unique<NearestScan>();
  scan->Begin(layout, all, &key, 1, {});
  NearestRow row;
  size_t found = 0;
  for (; scan->Next(reader, &row); ++found) EXPECT_EQ(row.recheck, !Satisfies(rows, RowOf(row.tuple), near));
  EXPECT_EQ(found, rows.size());
}

TEST(NearestScan, LeavesOutKilledEntriesIfAsked) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 500, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {50, 50, 1});
  std::set<size_t> alive;
  for (BlockNumber block = 2; block < store->size(); ++block) {
    for (int i = 0; store->view(block).leaf() && i < store->view(block).entries(); ++i) {
      if (block != 7 && (i % 3 == 0 || block == 4)) {
        store->editor(block).Kill(i);
      } else {
        alive.insert(RowOf(store->view(block).Tuple(i)));
      }
    }
  }
  Euclidean metric{{0.5, 0.5}};
  const DistanceKey key = EuclideanKey(layout, 0, &metric);
  MemoryReader reader(*store);
  auto scan = std::make_unique<NearestScan>();
  const Constraint constraints[] = {Everything(layout), Overlapping(layout, {-1, -1}, {2, 2})};
  for (const Constraint& constraint : constraints) {
    scan->Begin(layout, constraint, &key, 1, {.ignore_killed = true});
    const Result result = Collect(reader, scan.get(), 1);
    EXPECT_EQ(std::set<size_t>(result.rows.begin(), result.rows.end()), alive);
    EXPECT_EQ(result.rows.size(), alive.size());
    scan->Begin(layout, constraint, &key, 1, {});
    EXPECT_EQ(Collect(reader, scan.get(), 1).rows.size(), 500u);
  }
}

TEST(NearestScan, StartsAgainWithoutNewMemory) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 3000, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {10, 10, 1});
  MemoryReader reader(*store);
  void* memory = std::calloc(1, sizeof(NearestScan));  // as an AM's zero-filled allocation: no constructor runs
  auto* scan = static_cast<NearestScan*>(memory);
  Euclidean metric{{0.5, 0.5}};
  const DistanceKey key = EuclideanKey(layout, 0, &metric);
  scan->Begin(layout, Everything(layout), &key, 1, {});
  Collect(reader, scan, 1);
  const int64_t before = reader.reallocations;
  for (int i = 0; i < 20; ++i) {
    scan->Begin(layout, Everything(layout), &key, 1, {});
    ASSERT_NO_FATAL_FAILURE(ExpectNearest(rows, Everything(layout), {key}, Collect(reader, scan, 1, 100 * i)));
  }
  EXPECT_EQ(reader.reallocations, before);
  std::free(memory);
}

// Frames are used again: memory follows the frontier, not the number of pages read.
TEST(NearestScan, MemoryStaysSmall) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 30000, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {20, 20, 1});
  MemoryReader reader(*store);
  auto scan = std::make_unique<NearestScan>();
  Euclidean metric{{0.5, 0.5}};
  const DistanceKey key = EuclideanKey(layout, 0, &metric);
  scan->Begin(layout, Everything(layout), &key, 1, {});
  EXPECT_EQ(Collect(reader, scan.get(), 1).rows.size(), rows.size());
  EXPECT_LT(reader.AllocatedBytes(), store->size() * kPageSize / 4);
}

TEST(NearestScan, SurvivesAFaultAtEveryCall) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 400, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {10, 3, 3});
  Euclidean metric{{0.5, 0.5}};
  const DistanceKey key = EuclideanKey(layout, 0, &metric);
  int faults = 0;
  for (int at = 1;; ++at) {
    MemoryReader reader(*store);
    auto scan = std::make_unique<NearestScan>();
    scan->Begin(layout, Everything(layout), &key, 1, {});
    reader.faults.FailAt(at);
    try {
      Collect(reader, scan.get(), 1);
      break;
    } catch (const InjectedFault&) {
      ++faults;
    }
    reader.ReleaseAll();
    scan->Begin(layout, Everything(layout), &key, 1, {});
    ASSERT_NO_FATAL_FAILURE(ExpectNearest(rows, Everything(layout), {key}, Collect(reader, scan.get(), 1)));
  }
  EXPECT_GT(faults, 50);
}

}  // namespace
}  // namespace xtree::test
