// Bulk load through temporary files: the same tests of the tree, its quality beside that of a load in memory, and the
// memory limit.
#include "bulk_fixture.h"

namespace xtree::test::bulk {
namespace {

TEST(BulkLoadExternal, PointsAsGoodAsInMemory) {
  double pages[2];
  for (const bool external : {false, true}) {
    Load load({kPoint}, false, external ? kMinBulkMemory : kMuchMemory);
    Random random(18);
    AddUniform(&load, 100000, &random);
    load.Finish();
    EXPECT_EQ(load.files.created > 0, external);
    EXPECT_LE(load.statistics.level[0].nodes, FewestLeaves(load) * 102 / 100 + 1);
    pages[external] = load.Query(200, 0.0158, &random.engine);
  }
  EXPECT_LT(pages[1], pages[0] * 1.1);
}

TEST(BulkLoadExternal, SortedInput) {
  Load load({kPoint}, false, kMinBulkMemory);
  Random random(19);
  for (int i = 0; i < 150000; i++) load.Add({i / 150.0, random.Uniform(10)});
  load.Finish();
  EXPECT_GT(load.files.created, 0);
  EXPECT_LT(load.files.created, 15);  // parts of parts where the sample is of the first rows only
  EXPECT_LT(load.Query(100, 0.00129, &random.engine), 6);
}

TEST(BulkLoadExternal, SeveralLevels) {
  Load load({Vector(40, true)}, false, kMinBulkMemory);
  Random random(20);
  AddBoxes(&load, 40000, 100, &random);
  load.Finish();
  EXPECT_GT(load.files.created, 40);
  load.Query(5, 0.1, &random.engine);
}

TEST(BulkLoadExternal, OnePlaceOnly) {
  Load load({kPoint}, false, kMinBulkMemory);
  for (int i = 0; i < 200000; i++) load.Add({7, 7});
  load.Finish();
  EXPECT_GT(load.files.created, 0);
  EXPECT_LE(load.statistics.level[0].nodes, FewestLeaves(load) + 20);
}

TEST(BulkLoadExternal, MostlyDuplicates) {
  Load load({kPoint}, false, kMinBulkMemory);
  Random random(21);
  for (int i = 0; i < 200000; i++) {
    if (random.Below(10) < 9)
      load.Add({1, 1});
    else
      load.Add(random.Point(2));
  }
  load.Finish();
  EXPECT_GT(load.files.created, 0);
  load.Query(10, 0.001, &random.engine);
}

TEST(BulkLoadExternal, NullsAndBoxesAndPayload) {
  Load load({kInt4, kInt4Range, kFloat4}, true, kMinBulkMemory);
  Random random(22);
  for (int i = 0; i < 60000; i++) {
    const uint64_t marks = random.Below(4) == 0 ? ColumnMarks(static_cast<int>(random.Below(3)), kMarkNull) : 0;
    const double x = std::floor(random.Uniform());
    load.Add({x, x, x}, {x, x + 2, x}, marks, RandomPayload(&random, 40));
  }
  load.Finish();
  EXPECT_GT(load.files.created, 0);
  load.Query(10, 0.01, &random.engine);
}

TEST(BulkLoadExternal, OverlappingBoxes) {
  Load load({kBox}, false, kMinBulkMemory);
  Random random(23);
  AddBoxes(&load, 100000, 2000, &random);
  load.Finish();
  EXPECT_GT(load.files.created, 0);
  EXPECT_GT(load.statistics.level[1].supernodes, 0u);
  load.Query(5, 0, &random.engine);
}

}  // namespace
}  // namespace xtree::test::bulk
