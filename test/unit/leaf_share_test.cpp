// The model of how many leaves a scan visits, beside trees that are read: from one dimension to a hundred, for windows
// from a few rows to all.
//
// Seen to fail: with the number of dimensions taken from the columns' types (data on lines and planes); with side and slice
// added up (24 dimensions, and guesses); with the share of a point taken for 1 / leaves (several columns; one column of
// boxes is not told from points, since the number of dimensions that is fitted makes up for it).
#include <gtest/gtest.h>

#include "bulk_tree.h"
#include "core/leaf_share.h"
#include "tree_fixture.h"
#include "window_fixture.h"

namespace xtree::test {
namespace {

enum class Data { kUniform, kClustered, kLine, kPlane };
constexpr const char* kDataName[] = {"uniform", "clustered", "on a line", "on a plane"};

struct Shape {
  std::vector<int> columns;  // dimensions of each
  Data data;
  double side = 0;  // of boxes, at most
  std::vector<int> constrained = {0};
  double factor = 2.5;  // of what is read, up or down
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << kDataName[static_cast<int>(shape.data)] << (shape.side > 0 ? " boxes," : " points,");
  for (const int dimensions : shape.columns) *out << " " << dimensions;
  *out << " dimensions, conditions on";
  for (const int column : shape.constrained) *out << " " << column;
}

KeyLayout LayoutOf(const Shape& shape) {
  std::vector<ColumnShape> columns;
  for (const int d : shape.columns) columns.push_back({static_cast<uint16_t>(d), 8, shape.side > 0, Scalar::kFloat64});
  return MakeLayout(columns);
}

RowSet RowsOf(const KeyLayout& layout, const Shape& shape, size_t count) {
  constexpr int kClusters = 50;
  RowSet rows(layout);
  Random random(11);
  std::vector<double> lo(layout.dimensions), hi(layout.dimensions), centres;
  for (int i = 0; i < kClusters * layout.dimensions; ++i) centres.push_back(random.Uniform());
  for (size_t i = 0; i < count; ++i) {
    const double x = random.Uniform(), y = random.Uniform();
    const double* centre = &centres[random.Below(kClusters) * layout.dimensions];
    for (int d = 0; d < layout.dimensions; ++d) {
      switch (shape.data) {
        case Data::kUniform:
          lo[d] = random.Uniform();
          break;
        case Data::kClustered:
          lo[d] = random.Normal(centre[d], 0.03);
          break;
        case Data::kLine:
          lo[d] = random.Normal(x, 0.001);
          break;
        case Data::kPlane:
          lo[d] = random.Normal(d % 2 == 0 ? x : y, 0.005);
          break;
      }
      hi[d] = lo[d] + random.Uniform(0, shape.side);
    }
    rows.AddBox(lo, shape.side > 0 ? hi : lo);
  }
  return rows;
}

// Conditions on some columns: windows around a row, so far to each side.
Constraint Around(const RowSet& rows, size_t row, const std::vector<int>& columns, double half) {
  const KeyLayout& layout = rows.layout();
  Constraint constraint = Everything(layout);
  for (const int column : columns) {
    for (int d = layout.first_dimension[column]; d < layout.first_dimension[column + 1]; ++d) {
      const double at = (DoubleFromOrdinal(rows.Lo(row)[d]) + DoubleFromOrdinal(rows.Hi(row)[d])) / 2;
      constraint.RequireLo(d, {kOrdinalMin, OrdinalFromDouble(at + half)});
      constraint.RequireHi(d, {OrdinalFromDouble(at - half), kOrdinalMax});
    }
  }
  return constraint;
}

bool Meets(const KeyLayout& layout, const Box& box, const Constraint& constraint) {
  for (int d = 0; d < layout.dimensions; ++d) {
    if (box.lo[d] > constraint.lo[d].max || box.hi[d] < constraint.hi[d].min) return false;
  }
  return true;
}

double LeavesRead(MemoryStore& store, const Constraint& constraint) {
  std::vector<BlockNumber> stack{kRootBlock};
  double leaves = 0;
  Box box;
  while (!stack.empty()) {
    const NodeView node = store.view(stack.back());
    stack.pop_back();
    if (node.leaf()) {
      ++leaves;
      continue;
    }
    for (int i = 0; i < node.followers(); ++i) stack.push_back(node.Follower(i));
    for (int i = 0; i < node.entries(); ++i) {
      node.GetBox(i, &box);
      if (Meets(store.layout(), box, constraint)) stack.push_back(node.Child(i));
    }
  }
  return leaves;
}

double ShareOfRows(const RowSet& rows, const Constraint& constraint) {
  return static_cast<double>(BruteForce(rows, constraint).size()) / static_cast<double>(rows.size());
}

struct Tree {
  explicit Tree(const Shape& shape, size_t count) : layout(LayoutOf(shape)), rows(RowsOf(layout, shape, count)), store(BulkLoadTree(rows)) {
    LeafSample sample(layout);
    for (BlockNumber block = kRootBlock; block < store->size(); ++block) {
      if (!store->view(block).leaf()) continue;
      sample.Offer(store->view(block));
      ++leaves;
    }
    sample.Fit(leaves, statistics);
  }

  double Estimate(const std::vector<int>& columns, size_t row, double half) const {
    double share = 1;
    for (const int column : columns) {
      share *= LeafShare(statistics[column], static_cast<double>(leaves), ShareOfRows(rows, Around(rows, row, {column}, half)));
    }
    return share * static_cast<double>(leaves);
  }

  KeyLayout layout;
  RowSet rows;
  std::unique_ptr<MemoryStore> store;
  uint64_t leaves = 0;
  ColumnStatistics statistics[kMaxColumns];
};

class LeafShareOf : public testing::TestWithParam<Shape> {};

// Of windows that hold more than the row that they lie around: narrower ones hold no less. Clusters in many dimensions
// have gaps that no one number of dimensions tells of: a window that grows within a gap gains neither rows nor leaves.
TEST_P(LeafShareOf, IsNearWhatIsRead) {
  const Shape& shape = GetParam();
  const Tree tree(shape, 10000);
  for (const double half : {0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0}) {
    constexpr int kQueries = 12;
    Random random(7);
    double read = 0, estimated = 0, found = 0;
    for (int i = 0; i < kQueries; ++i) {
      const size_t row = random.Below(static_cast<int>(tree.rows.size()));
      const Constraint window = Around(tree.rows, row, shape.constrained, half);
      found += static_cast<double>(BruteForce(tree.rows, window).size());
      read += LeavesRead(*tree.store, window);
      estimated += tree.Estimate(shape.constrained, row, half);
    }
    if (found < 3 * kQueries) continue;
    EXPECT_LT(estimated, shape.factor * read) << "half a side: " << half;
    EXPECT_GT(estimated, read / shape.factor) << "half a side: " << half;
  }
}

const Shape kShapes[] = {
    {{1}, Data::kUniform},
    {{2}, Data::kUniform},
    {{4}, Data::kUniform},
    {{8}, Data::kUniform},
    {{12}, Data::kUniform},
    {{24}, Data::kUniform},
    {{60}, Data::kUniform},
    {{1}, Data::kClustered},
    {{2}, Data::kClustered},
    {{4}, Data::kClustered},
    {{12}, Data::kClustered},
    {{24}, Data::kClustered, 0, {0}, 4},
    {{100}, Data::kClustered, 0, {0}, 4},
    {{2}, Data::kLine},
    {{12}, Data::kLine},
    {{60}, Data::kLine},
    {{4}, Data::kPlane},
    {{24}, Data::kPlane},
    {{1}, Data::kUniform, 0.05},
    {{2}, Data::kUniform, 0.05},
    {{4}, Data::kUniform, 0.1},
    {{12}, Data::kUniform, 0.1},
    {{2}, Data::kClustered, 0.2},
    {{12}, Data::kClustered, 0.1, {0}, 4},
    {{1, 1, 1, 1}, Data::kUniform, 0, {0, 1}},
    {{1, 1, 1, 1}, Data::kUniform, 0, {2}},
    {{1, 1, 1, 1}, Data::kUniform, 0, {0, 1, 2, 3}},
    {{2, 1}, Data::kUniform, 0, {0}},
    {{2, 1}, Data::kUniform, 0, {1}},
    {{2, 1}, Data::kClustered, 0, {0}},
    {{12, 1}, Data::kUniform, 0, {1}},
    {{12, 1}, Data::kClustered, 0, {1}},
    {{12, 1}, Data::kClustered, 0, {0, 1}, 4},
    {{1, 24}, Data::kUniform, 0, {0, 1}},
};
INSTANTIATE_TEST_SUITE_P(Shapes, LeafShareOf, testing::ValuesIn(kShapes));

// A selectivity that is a guess: windows that reach 0.3 to each side, as few rows as they hold.
TEST(LeafShare, GuessIsOfWindowsWithFewRows) {
  for (const int dimensions : {8, 12, 24, 60, 100}) {
    const Tree tree({{dimensions}, Data::kUniform}, 10000);
    Random random(7);
    double read = 0;
    constexpr int kQueries = 20;
    for (int i = 0; i < kQueries; ++i)
      read += LeavesRead(*tree.store, Around(tree.rows, random.Below(static_cast<int>(tree.rows.size())), {0}, 0.3)) / kQueries;
    const double leaves = static_cast<double>(tree.leaves);
    const double guessed = leaves * LeafShare(tree.statistics[0], leaves, 0.001, 0.5);
    EXPECT_LT(guessed, 4 * read) << dimensions << " dimensions";
    EXPECT_GT(guessed, read / 4) << dimensions << " dimensions";
  }
}

TEST(LeafShare, NothingIsSaidOfFewLeavesAndOfColumnsWithoutValues) {
  const Tree small({{2}, Data::kUniform}, 500);
  EXPECT_EQ(small.statistics[0].dimension, 0);

  const KeyLayout layout = MakeLayout({{1, 8, false, Scalar::kFloat64}, {1, 4, false, Scalar::kInteger}});
  RowSet rows(layout);
  for (int i = 0; i < 20000; ++i) {
    rows.AddPoint({i * 1.0, 0});
    rows.Mark(i, 1, kMarkNull);
  }
  const auto store = BulkLoadTree(rows);
  LeafSample sample(layout);
  for (BlockNumber block = kRootBlock; block < store->size(); ++block) {
    if (store->view(block).leaf()) sample.Offer(store->view(block));
  }
  ColumnStatistics statistics[kMaxColumns];
  sample.Fit(sample.seen(), statistics);
  EXPECT_GT(statistics[0].dimension, 0);
  EXPECT_EQ(statistics[1].dimension, 0);
}

TEST(LeafShare, StaysBetweenAPointsAndAll) {
  for (const float cuts : {0.0F, 0.1F, 0.5F, 1.0F}) {
    for (const float dimension : {0.05F, 0.5F, 1.0F, 2.0F, 12.0F, 100.0F, 200.0F}) {
      const ColumnStatistics column{cuts, dimension};
      double last = 0;
      for (const double selectivity : {0.0, 1e-9, 1e-3, 0.1, 0.5, 0.9, 1.0}) {
        const double share = LeafShare(column, 1000, selectivity);
        EXPECT_GE(share, last - 1e-12);
        EXPECT_LE(share, 1 + 1e-12);
        last = share;
      }
      EXPECT_NEAR(LeafShare(column, 1000, 0), std::pow(1000, -static_cast<double>(cuts)), 1e-9);
      EXPECT_NEAR(last, 1, 1e-12);
    }
  }
  EXPECT_EQ(LeafShare(AssumedStatistics(2, 2), 1, 0.5), 1) << "one leaf";
}

}  // namespace
}  // namespace xtree::test
