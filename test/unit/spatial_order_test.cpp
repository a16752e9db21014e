// Scans that lay rows out: neighbours stay together, whatever built the tree.
//
// Seen to fail: with nodes visited in the order of their parents' entries (grown trees), with the lower half always first,
// and with columns of unlike units that share one scale.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "bulk_tree.h"
#include "tree_fixture.h"
#include "window_fixture.h"

namespace xtree::test {
namespace {

std::vector<size_t> InSpace(MemoryStore& store) {
  MemoryReader reader(store);
  auto scan = std::make_unique<WindowScan>();
  scan->Begin(store.layout(), Everything(store.layout()), {.order = WindowOrder::kSpatial});
  return Collect(reader, scan.get());
}

// Mean distance of rows that follow each other; `unit`: of each dimension.
double StepLength(const RowSet& rows, const std::vector<size_t>& order, const std::vector<double>& unit) {
  double sum = 0;
  for (size_t i = 1; i < order.size(); ++i) {
    double square = 0;
    for (size_t d = 0; d < unit.size(); ++d) {
      const double step = DoubleFromOrdinal(rows.Lo(order[i])[d]) - DoubleFromOrdinal(rows.Lo(order[i - 1])[d]);
      square += step * step / unit[d] / unit[d];
    }
    sum += std::sqrt(square);
  }
  return sum / static_cast<double>(order.size());
}

// Rows 0 <= x < unit along the curve of Morton, which GiST sorts points along when it builds.
std::vector<size_t> AlongMortonsCurve(const RowSet& rows, const std::vector<double>& unit) {
  std::vector<uint64_t> key(rows.size());
  const int bits = 60 / static_cast<int>(unit.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    for (int bit = bits - 1; bit >= 0; --bit) {
      for (size_t d = 0; d < unit.size(); ++d) {
        const auto place = static_cast<uint64_t>(DoubleFromOrdinal(rows.Lo(row)[d]) / unit[d] * static_cast<double>(uint64_t{1} << bits));
        key[row] = key[row] << 1 | (place >> bit & 1);
      }
    }
  }
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key[a] < key[b]; });
  return order;
}

// Along one dimension all orders are the same.
void ExpectNeighbours(MemoryStore& store, const RowSet& rows, const std::vector<double>& unit) {
  const std::vector<size_t> order = InSpace(store);
  ASSERT_EQ(Sorted(order), Search(store, Everything(store.layout()))) << "every row once";
  const double mortons = StepLength(rows, AlongMortonsCurve(rows, unit), unit);
  EXPECT_LT(StepLength(rows, order, unit), (unit.size() > 1 ? 0.95 : 1.000001) * mortons);
}

class SpatialOrderOf : public testing::TestWithParam<int> {};

TEST_P(SpatialOrderOf, BulkLoadedTree) {
  const KeyLayout layout = FloatLayout(GetParam(), false);
  const RowSet rows = RandomRows(layout, 30000, Distribution::kUniform, 3);
  const auto store = BulkLoadTree(rows);
  ExpectNeighbours(*store, rows, std::vector<double>(GetParam(), 1));
}

TEST_P(SpatialOrderOf, TreeBuiltThroughFiles) {
  const KeyLayout layout = FloatLayout(GetParam(), false);
  const RowSet rows = RandomRows(layout, 60000, Distribution::kUniform, 3);
  const auto store = BulkLoadTree(rows, {}, kMinBulkMemory);
  ExpectNeighbours(*store, rows, std::vector<double>(GetParam(), 1));
}

TEST_P(SpatialOrderOf, GrownTree) {
  const KeyLayout layout = FloatLayout(GetParam(), false);
  const RowSet rows = RandomRows(layout, 20000, Distribution::kUniform, 3);
  ModelTree tree(rows);
  tree.InsertRange(0, rows.size());
  ExpectNeighbours(tree.store(), rows, std::vector<double>(GetParam(), 1));
}

TEST_P(SpatialOrderOf, Supernodes) {
  const KeyLayout layout = FloatLayout(GetParam(), false);
  const RowSet rows = RandomRows(layout, 20000, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {50, 20, 4});
  ExpectNeighbours(*store, rows, std::vector<double>(GetParam(), 1));
}

INSTANTIATE_TEST_SUITE_P(Dimensions, SpatialOrderOf, testing::Values(1, 2, 3, 6));

TEST(SpatialOrder, UnlikeUnitsWeighTheSame) {
  const KeyLayout layout = MakeLayout({{1, 8, false, Scalar::kFloat64}, {1, 8, false, Scalar::kFloat64}});
  RowSet rows(layout);
  Random random(4);
  for (int i = 0; i < 20000; ++i) rows.AddPoint({random.Uniform(), random.Uniform() * 1e9});
  const auto store = BulkLoadTree(rows);
  ExpectNeighbours(*store, rows, {1, 1e9});
}

// Without a value: together, and at the ends of the double's range nothing overflows.
TEST(SpatialOrder, RowsWithoutValueAndExtremesComeOnce) {
  const KeyLayout layout = MakeLayout({{2, 8, true, Scalar::kFloat64}, {1, 4, false, Scalar::kInteger}, {1, 8, true, Scalar::kInteger}});
  for (const Kind kind : {Kind::kNulls, Kind::kExtremes, Kind::kOnePlace}) {
    const RowSet rows = MakeRows(layout, kind, 3000, 8);
    const auto store = BulkLoadTree(rows);
    std::vector<size_t> all(rows.size());
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(Sorted(InSpace(*store)), all);
  }
}

TEST(SpatialOrder, StaysWithSlots) {
  const KeyLayout layout = FloatLayout(2, false);
  const auto store = BulkLoadTree(RandomRows(layout, 2000, Distribution::kUniform, 3));
  MemoryReader reader(*store);
  auto scan = std::make_unique<WindowScan>();
  scan->Begin(layout, Everything(layout), {.order = WindowOrder::kSpatial});
  LeafBatch batch;
  while (scan->Step(reader, &batch)) {
    for (int i = 0; i < batch.count; ++i) EXPECT_EQ(store->view(batch.block).Tuple(batch.slots[i]), batch.tuples[i]);
  }
}

}  // namespace
}  // namespace xtree::test
