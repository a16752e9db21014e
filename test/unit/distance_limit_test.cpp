// Limits of distance in window and nearest-neighbour scans: no row that is within the limit is missing, also where it is just as far
// away, none that is clearly beyond comes, and a node that is beyond as a whole is not read; rows that may be nearer than their bounds
// always come.
#include <gtest/gtest.h>

#include <algorithm>

#include "nearest_fixture.h"
#include "window_fixture.h"

namespace xtree::test {
namespace {

DistanceLimit LimitOf(const DistanceKey& key, double limit, double slack = 0) {
  return {key.column, key.first, key.dimensions, key.query, key.lower_bound, key.context, limit, GreatestSquare(limit + slack), false};
}

Constraint Within(const KeyLayout& layout, DistanceLimit* limit) {
  Constraint constraint = Everything(layout);
  constraint.limit = limit;
  constraint.limit_count = 1;
  return constraint;
}

std::vector<size_t> Windowed(MemoryStore& store, const Constraint& constraint, std::vector<BlockNumber>* trace = nullptr) {
  MemoryReader reader(store);
  reader.trace = trace;
  auto scan = std::make_unique<WindowScan>();
  scan->Begin(store.layout(), constraint, {});
  return Sorted(Collect(reader, scan.get()));
}

double DistanceOf(const RowSet& rows, size_t row, const DistanceKey& key) {
  return key.distance(key.context, rows.Lo(row) + key.first, rows.Hi(row) + key.first);
}

// What is nearer must be there, what is further by more than rounding must not.
void ExpectWithin(const RowSet& rows, const DistanceKey& key, double limit, const std::vector<size_t>& found) {
  for (size_t row = 0; row < rows.size(); ++row) {
    const bool there = std::binary_search(found.begin(), found.end(), row);
    if (rows.Marked(row, key.column)) {
      ASSERT_FALSE(there) << "row " << row << " has no distance";
      continue;
    }
    const double distance = DistanceOf(rows, row, key);
    ASSERT_TRUE(there || distance > limit) << "row " << row << " at " << distance << ", limit " << limit;
    ASSERT_FALSE(there && distance > limit * (1 + 1e-11)) << "row " << row << " at " << distance << ", limit " << limit;
  }
}

class DistanceLimitTest : public testing::TestWithParam<std::tuple<int, bool, bool>> {};

TEST_P(DistanceLimitTest, LeavesWhatIsWithin) {
  const auto [dimensions, extended, kernels] = GetParam();
  const KeyLayout layout =
      MakeLayout({{1, 4, false, Scalar::kInteger}, {static_cast<uint16_t>(dimensions), 8, extended, Scalar::kFloat64}});
  Random random(31);
  RowSet rows(layout);
  for (int i = 0; i < 3000; ++i) {
    Box box;
    box.marks = 0;
    box.lo[0] = box.hi[0] = i % 7;
    for (int d = 1; d <= dimensions; ++d) {
      const double at = random.Uniform();
      box.lo[d] = OrdinalFromDouble(at);
      box.hi[d] = OrdinalFromDouble(at + (extended ? 0.01 : 0));
    }
    rows.Add(box);
    if (i % 9 == 0 || i > 2700) rows.Mark(i, 1, i % 2 == 0 ? kMarkNull : kMarkEmpty);
  }
  const auto store = PackTree(rows, {12, 9, 2});
  for (int i = 0; i < 60; ++i) {
    Euclidean metric;
    for (int d = 0; d < dimensions; ++d) metric.query.push_back(random.Uniform(-0.1, 1.1));
    DistanceKey key = EuclideanKey(layout, 1, &metric);
    key.lower_bound = &Euclidean::Distance;
    const double exact = DistanceOf(rows, 1 + i, key);  // the limit of every second one is the distance of a row
    const double distance = i % 2 == 0 && !rows.Marked(1 + i, 1) ? exact : random.Uniform(0, 0.5);
    if (!kernels) key.query = nullptr;
    DistanceLimit limit = LimitOf(key, distance);
    const Constraint constraint = Within(layout, &limit);
    const std::vector<size_t> found = Windowed(*store, constraint);
    ASSERT_NO_FATAL_FAILURE(ExpectWithin(rows, key, distance, found));
    Result nearest = Search(*store, constraint, {key});
    ASSERT_TRUE(std::is_sorted(nearest.ranks.begin(), nearest.ranks.end()));
    std::sort(nearest.rows.begin(), nearest.rows.end());
    ASSERT_EQ(nearest.rows, found);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, DistanceLimitTest, testing::Combine(testing::Values(1, 2, 5), testing::Bool(), testing::Bool()));

TEST(DistanceLimit, ReadsOnlyNodesThatAreNearEnough) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 20000, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {50, 50, 1});
  Euclidean metric{{0.4, 0.6}};
  const DistanceKey key = EuclideanKey(layout, 0, &metric);
  DistanceLimit limit = LimitOf(key, 0.05);
  std::vector<BlockNumber> trace;
  const std::vector<size_t> found = Windowed(*store, Within(layout, &limit), &trace);
  EXPECT_GT(found.size(), 100u);
  EXPECT_LT(trace.size(), 25u);  // of 408
}

// Such rows have bounds like others, for conditions and for the order; one in each corner of the tree.
TEST(DistanceLimit, LeavesOutNoneThatMayBeNearer) {
  for (const bool extended : {false, true}) {
    const KeyLayout layout = MakeLayout({{1, 4, false, Scalar::kInteger}, {2, 8, extended, Scalar::kFloat64, false, true}});
    Random random(7);
    RowSet rows(layout);
    std::vector<size_t> nearer, in_window;
    for (size_t i = 0; i < 3000; ++i) {
      Box box;
      box.lo[0] = box.hi[0] = static_cast<Ordinal>(i % 7);
      for (int d = 1; d <= 2; ++d) box.lo[d] = box.hi[d] = OrdinalFromDouble(random.Uniform());
      box.marks = i % 100 == 0 ? ColumnMarks(1, kMarkNearer) : 0;
      if (box.marks != 0) nearer.push_back(i);
      if (DoubleFromOrdinal(box.lo[1]) <= 0.5) in_window.push_back(i);
      rows.Add(box);
      if (i % 50 == 1) rows.Mark(i, 1, kMarkNull);
    }
    std::erase_if(in_window, [&](size_t row) { return row % 50 == 1; });
    const auto store = PackTree(rows, {12, 9, 2});
    Euclidean metric{{0.4, 0.6}};
    for (const bool kernels : {true, false}) {
      DistanceKey key = EuclideanKey(layout, 1, &metric);
      key.lower_bound = &Euclidean::Distance;
      if (!kernels) key.query = nullptr;
      DistanceLimit limit = LimitOf(key, 0.01);
      std::vector<size_t> found = Windowed(*store, Within(layout, &limit));
      EXPECT_TRUE(std::includes(found.begin(), found.end(), nearer.begin(), nearer.end()));
      EXPECT_LT(found.size(), nearer.size() + 20);
      EXPECT_EQ(std::count_if(found.begin(), found.end(), [](size_t row) { return row % 50 == 1; }), 0);
      Result nearest = Search(*store, Within(layout, &limit), {key});
      EXPECT_TRUE(std::is_sorted(nearest.ranks.begin(), nearest.ranks.end()));
      std::sort(nearest.rows.begin(), nearest.rows.end());
      EXPECT_EQ(nearest.rows, found);
      limit.by_boxes = true;
      EXPECT_LT(Windowed(*store, Within(layout, &limit)).size(), 20u);
    }
    Constraint window = Everything(layout);
    window.RequireHi(1, {kOrdinalMin, OrdinalFromDouble(0.5)});
    EXPECT_EQ(Windowed(*store, window), in_window);
  }
}

TEST(DistanceLimit, NumbersThatAreNoLimit) {
  const KeyLayout layout = FloatLayout(1, false);
  RowSet rows(layout);
  for (const double x : {-kInfinity, -1e308, -1.0, 0.0, 1.0, 1e200, 1e308, kInfinity, kNaN}) rows.AddPoint({x});
  const auto store = PackTree(rows);
  for (const bool kernels : {true, false}) {
    Euclidean metric{{0}};
    DistanceKey key = EuclideanKey(layout, 0, &metric);
    key.lower_bound = &Euclidean::Distance;
    if (!kernels) key.query = nullptr;
    const auto within = [&](double distance) {
      DistanceLimit limit = LimitOf(key, distance);
      return Windowed(*store, Within(layout, &limit)).size();
    };
    EXPECT_EQ(within(kNaN), 9u);
    EXPECT_GE(within(kInfinity), 8u);
    const size_t unknown = kernels ? 0 : 1;  // a bound that is no number says nothing
    EXPECT_EQ(within(-1), unknown);
    EXPECT_EQ(within(-kInfinity), unknown);
    EXPECT_EQ(within(1), 3 + unknown);
    EXPECT_GE(within(1e200), 4u);
    EXPECT_GE(within(0), 1u);
  }
}

// BoundFromSquare says what the kernels' squares are worth.
TEST(DistanceLimit, GreatestSquareLeavesOutNothingThatIsInReach) {
  for (const double reach : {0.0, 5e-324, 1e-200, 1e-145, 1e-144, 1.0, 3.7e12, 1e149, 1e151, 1.7e308}) {
    const double square = GreatestSquare(reach);
    EXPECT_GT(BoundFromSquare(std::nextafter(square, kInfinity)), std::isfinite(square) ? reach : 0) << reach;
    const bool precise = std::isfinite(square) && reach > 1e-140;
    EXPECT_TRUE(!precise || std::sqrt(square) < reach * (1 + 1e-11)) << reach;
  }
  EXPECT_LT(GreatestSquare(-1e-300), 0);
  EXPECT_EQ(GreatestSquare(kNaN), kInfinity);
  EXPECT_EQ(GreatestSquare(kInfinity), kInfinity);
}

}  // namespace
}  // namespace xtree::test
