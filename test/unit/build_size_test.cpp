// What is said of the size of a build, against builds: the same height, and pages within a few percent.
#include "core/estimate/build_size.h"

#include "bulk_fixture.h"

namespace xtree::test::bulk {
namespace {

void ExpectSize(const Load& load, const BuildSize& size, double error) {
  ASSERT_EQ(size.levels, load.statistics.levels);
  for (int level = 0; level < size.levels; level++) {
    const double pages = load.statistics.level[level].pages;
    EXPECT_NEAR(size.pages[level], pages, std::max(pages * error, level == 0 ? 1.0 : 6.0)) << "level " << level;
  }
}

void AddRows(Load* load, int rows, Random* random, uint64_t marks, const std::function<std::string()>& payload) {
  const int dimensions = load->layout.dimensions;
  std::vector<double> lo(dimensions), hi(dimensions);
  for (int i = 0; i < rows; i++) {
    for (int d = 0; d < dimensions; d++) {
      lo[d] = random->Uniform(1000);
      hi[d] = lo[d] + (load->layout.dimension[d].extended ? random->Uniform(3) : 0);
    }
    load->Add(lo, hi, i % 50 == 0 ? marks : 0, payload ? payload() : std::string());
  }
}

struct Shape {
  std::vector<ColumnShape> columns;
  int fillfactor = 90;
  uint64_t marks = 0;
};

const std::vector<Shape>& Shapes() {
  static const std::vector<Shape> shapes = {{{kPoint}}, {{kPoint}, 50},        {{kPoint}, 100}, {{kInt4}},
                                            {{kBox}},   {{kInt8Range, kInt4}}, {{Vector(12)}},  {{kPoint}, 90, ColumnMarks(0, kMarkNull)}};
  return shapes;
}

// Rows that all lie in memory, from none to a tree of three levels.
TEST(BuildSize, InMemory) {
  for (const Shape& shape : Shapes()) {
    for (const int rows : {0, 1, 100, 1000, 15000, 90000}) {
      Load load(shape.columns, false, kMuchMemory, {{}, shape.fillfactor});
      Random random(rows);
      AddRows(&load, rows, &random, shape.marks, nullptr);
      load.Finish();
      const RowsToLoad all = {static_cast<double>(rows), 0, shape.marks != 0};
      const BuildSize size = SizeOfBuild(load.layout, load.options, all, {kMuchMemory, 1});
      EXPECT_TRUE(size.in_memory);
      ExpectSize(load, size, 0.03);
    }
  }
}

// Through files: their parts have nodes of their own. Not of many dimensions, where it depends on the rows whether the root becomes a supernode.
TEST(BuildSize, ThroughFiles) {
  for (const size_t memory : {size_t{1} << 20, size_t{2} << 20}) {
    for (const Shape& shape : Shapes()) {
      if (shape.columns[0].dimensions > 2) continue;
      Load load(shape.columns, false, memory, {{}, shape.fillfactor});
      Random random(7);
      AddRows(&load, 200000, &random, shape.marks, nullptr);
      load.Finish();
      const RowsToLoad all = {200000, 0, shape.marks != 0};
      const BuildSize size = SizeOfBuild(load.layout, load.options, all, {memory, 1});
      EXPECT_FALSE(size.in_memory);
      ExpectSize(load, size, 0.06);
    }
  }
}

// What a sample tells: payloads of unlike lengths, and supernodes.
TEST(BuildSize, ByExample) {
  Random random(5);
  const auto payload = [&] { return std::string(random.Below(20) == 0 ? 900 : 20, 'x'); };
  Load sample({kPoint}, true), load({kPoint}, true);
  AddRows(&sample, 20000, &random, 0, payload);
  AddRows(&load, 100000, &random, 0, payload);
  sample.Finish();
  load.Finish();
  const RowsToLoad some = {20000, 66, false}, all = {100000, 66, false};
  ExpectSize(load, SizeByExample(load.layout, load.options, all, {kMuchMemory, 1}, some, sample.statistics), 0.05);
  const BuildSize blind = SizeOfBuild(load.layout, load.options, all, {kMuchMemory, 1});
  EXPECT_LT(blind.pages[0], 0.95 * load.statistics.level[0].pages) << "the sample is of use";
}

// With the memory that is said to be wanted no file is made, and with somewhat less one is.
TEST(BuildSize, Memory) {
  for (const Shape& shape : Shapes()) {
    const RowsToLoad all = {100000, 0, false};
    const double wanted = MemoryToLoad(Load(shape.columns).layout, all);
    for (const double share : {1.01, 0.9}) {
      Load load(shape.columns, false, static_cast<size_t>(wanted * share));
      Random random(3);
      AddRows(&load, 100000, &random, 0, nullptr);
      load.Finish();
      EXPECT_EQ(load.files.created == 0, share > 1);
    }
  }
}

TEST(BuildSize, InParallel) {
  const KeyLayout layout = Load({kPoint}).layout;
  const RowsToLoad rows = {1000000, 0, false};
  const BuildSize alone = SizeOfBuild(layout, {}, rows, {kMuchMemory, 1}), together = SizeOfBuild(layout, {}, rows, {kMuchMemory, 3});
  EXPECT_TRUE(alone.in_memory);
  EXPECT_FALSE(together.in_memory);
  EXPECT_NEAR(together.AllPages(), alone.AllPages(), alone.AllPages() * 0.02);
}

}  // namespace
}  // namespace xtree::test::bulk
