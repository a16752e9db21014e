// Scans on the trees that CREATE INDEX builds: every shape of data, in memory and through temporary files.
#include <gtest/gtest.h>

#include "bulk_tree.h"
#include "nearest_fixture.h"
#include "window_fixture.h"

namespace xtree::test {
namespace {

struct Shape {
  int dimensions;
  bool extended;
  Distribution distribution;
  size_t rows;
  size_t memory;
};

void PrintTo(const Shape& s, std::ostream* out) {
  *out << s.dimensions << (s.extended ? "-D boxes" : "-D points") << ", distribution " << static_cast<int>(s.distribution) << ", " << s.rows
       << " rows, " << s.memory << " bytes";
}

class ScansOnBulkLoadedTree : public testing::TestWithParam<Shape> {};

TEST_P(ScansOnBulkLoadedTree, AgreeWithBruteForce) {
  const Shape& shape = GetParam();
  const KeyLayout layout = FloatLayout(shape.dimensions, shape.extended);
  RowSet rows = RandomRows(layout, shape.rows, shape.distribution, 5);
  for (size_t row = 0; row < rows.size(); row += 50) rows.Mark(row, 0, row % 100 == 0 ? kMarkNull : kMarkEmpty);
  const auto store = BulkLoadTree(rows, {}, shape.memory);
  ASSERT_GT(store->view(kRootBlock).level(), 0);
  Random random(6);
  size_t found = 0;
  for (int i = 0; i < 25; ++i) {
    const size_t near = random.Below(static_cast<int>(rows.size()) / 50) * 50 + 1;  // a row with a value
    std::vector<double> lo, hi;
    Euclidean metric;
    for (int d = 0; d < layout.dimensions; ++d) {
      const double place = DoubleFromOrdinal(rows.Lo(near)[d]);
      lo.push_back(place - 0.2);
      hi.push_back(place + random.Uniform(0, 0.3));
      metric.query.push_back(place + 0.01);
    }
    const Constraint window = Overlapping(layout, lo, hi);
    const std::vector<size_t> expected = BruteForce(rows, window);
    ASSERT_EQ(Search(*store, window), expected);
    found += expected.size();
    const std::vector<DistanceKey> keys = {EuclideanKey(layout, 0, &metric)};
    ASSERT_NO_FATAL_FAILURE(ExpectNearest(rows, Everything(layout), keys, Search(*store, Everything(layout), keys, 30)));
    ASSERT_NO_FATAL_FAILURE(ExpectNearest(rows, window, keys, Search(*store, window, keys)));
  }
  EXPECT_GT(found, 0u);
}

constexpr size_t kPlenty = size_t{1} << 30;
const Shape kShapes[] = {
    {2, false, Distribution::kUniform, 20000, kPlenty},   {2, false, Distribution::kUniform, 20000, kMinBulkMemory},
    {2, false, Distribution::kDuplicates, 5000, kPlenty}, {2, true, Distribution::kClustered, 5000, kPlenty},
    {3, true, Distribution::kOnePoint, 3000, kPlenty},    {16, true, Distribution::kUniform, 4000, kPlenty},
    {100, false, Distribution::kClustered, 500, kPlenty},
};
INSTANTIATE_TEST_SUITE_P(Shapes, ScansOnBulkLoadedTree, testing::ValuesIn(kShapes));

}  // namespace
}  // namespace xtree::test
