// Bulk load against brute force: every row exactly once in a tree whose invariants hold, in memory and through temporary files.
#include "core/bulk_load.h"

#include <random>

#include "bulk_support.h"

namespace xtree::test {
namespace {

constexpr size_t kMuchMemory = size_t{1} << 30;

constexpr ColumnShape kPoint{2, 8, false, Scalar::kFloat64};
constexpr ColumnShape kBox{2, 8, true, Scalar::kFloat64};
constexpr ColumnShape kInt4{1, 4, false, Scalar::kInteger};
constexpr ColumnShape kInt8{1, 8, false, Scalar::kInteger};
constexpr ColumnShape kFloat4{1, 4, false, Scalar::kFloat32};
constexpr ColumnShape kInt4Range{1, 4, true, Scalar::kInteger};
constexpr ColumnShape kInt8Range{1, 8, true, Scalar::kInteger};
constexpr ColumnShape kFloat4Range{2, 4, true, Scalar::kFloat32};
constexpr ColumnShape Vector(uint16_t dimensions, bool extended = false) { return {dimensions, 8, extended, Scalar::kFloat64}; }

// An index under construction and what must come out of it.
class Load {
 public:
  explicit Load(std::vector<ColumnShape> columns, bool include = false, size_t memory = kMuchMemory, BulkOptions bulk_options = {})
      : layout(MakeLayout(columns, include)), memory_limit(memory), options(bulk_options), rows(layout) {
    environment.other_memory = [this] { return files.buffers(); };
    loader.emplace(layout, options, memory, environment, sink, files);
  }

  // The next row. Columns with marks get an inverted box.
  void Add(const std::vector<double>& lo, const std::vector<double>& hi, uint64_t marks = 0, const std::string& payload = {}) {
    Box box;
    box.marks = marks;
    for (int d = 0; d < layout.dimensions; d++) {
      const DimensionLayout& dimension = layout.dimension[d];
      const bool none = (marks >> (2 * dimension.column)) & 3;
      box.lo[d] = none ? InvertedLo(dimension.width) : Encode(d, lo[d]);
      box.hi[d] = none ? InvertedHi(dimension.width) : Encode(d, hi[d]);
    }
    loader->Add(box, RowTable::Tuple(rows.size()), reinterpret_cast<const uint8_t*>(payload.data()), static_cast<uint16_t>(payload.size()));
    rows.Set(rows.size(), box, payload);
  }
  void Add(const std::vector<double>& at) { Add(at, at); }

  Ordinal Encode(int d, double value) const {
    switch (layout.dimension[d].scalar) {
      case Scalar::kFloat64:
        return OrdinalFromDouble(value);
      case Scalar::kFloat32:
        return OrdinalFromFloat(static_cast<float>(value));
      case Scalar::kInteger:
        break;
    }
    return static_cast<Ordinal>(value);
  }

  // Finishes, walks, compares rows and statistics.
  void Finish() {
    statistics = loader->Finish();
    loader.reset();
    EXPECT_EQ(environment.used, 0u);
    EXPECT_LE(environment.peak, memory_limit);
    EXPECT_TRUE(files.all_dropped());
    walk.emplace(layout, sink);
    EXPECT_TRUE(walk->rows == rows);
    CompareStatistics();
  }

  void CompareStatistics() const {
    ASSERT_EQ(statistics.levels, walk->levels);
    for (int l = 0; l < statistics.levels; l++) {
      EXPECT_EQ(statistics.level[l].nodes, walk->level[l].nodes);
      EXPECT_EQ(statistics.level[l].pages, walk->level[l].pages);
      EXPECT_EQ(statistics.level[l].entries, walk->level[l].entries);
      EXPECT_EQ(statistics.level[l].supernodes, walk->level[l].supernodes);
      EXPECT_GE(statistics.level[l].overlap, 0);
      EXPECT_LE(statistics.level[l].overlap, 1);
    }
  }

  // Windows around random rows, `share` of the data's extent wide, against brute force. Mean pages read per window.
  double Query(int count, double share, std::mt19937_64* random) const {
    int pages = 0;
    for (int i = 0; i < count; i++) {
      Box window;
      rows.GetBox((*random)() % rows.size(), &window);
      for (int d = 0; d < layout.dimensions; d++) Widen(d, share, &window);
      std::vector<size_t> expected;
      for (size_t row = 0; row < rows.size(); row++)
        if (rows.Meets(row, window)) expected.push_back(row);
      EXPECT_EQ(walk->Search(window, &pages), expected);
    }
    return static_cast<double>(pages) / count;
  }

  size_t leaf_limit() const { return layout.Block(true, false).max_entries; }

  KeyLayout layout;
  size_t memory_limit;
  BulkOptions options;
  CountingEnvironment environment;
  MemorySink sink;
  MemoryFiles files;
  std::optional<BulkLoader> loader;
  RowTable rows;
  BulkStatistics statistics{};
  std::optional<TreeWalk> walk;

 private:
  static KeyLayout MakeLayout(const std::vector<ColumnShape>& columns, bool include) {
    KeyLayout made;
    const char* wrong = KeyLayout::Make(columns.data(), static_cast<int>(columns.size()), include, &made);
    if (wrong != nullptr) throw std::logic_error(wrong);
    return made;
  }

  // Data are in 0 .. 1000 or so.
  void Widen(int d, double share, Box* window) const {
    if (window->lo[d] > window->hi[d]) {
      window->lo[d] = kOrdinalMin;
      window->hi[d] = kOrdinalMax;
      return;
    }
    const Scalar scalar = layout.dimension[d].scalar;
    window->lo[d] = Encode(d, Decode(scalar, window->lo[d]) - share * 1000);
    window->hi[d] = Encode(d, Decode(scalar, window->hi[d]) + share * 1000);
  }
};

class Random {
 public:
  explicit Random(uint64_t seed) : engine(seed) {}
  double Uniform(double below = 1000) { return std::uniform_real_distribution<double>(0, below)(engine); }
  double Normal() { return std::normal_distribution<double>()(engine); }
  uint64_t Below(uint64_t bound) { return engine() % bound; }
  std::vector<double> Point(int dimensions) {
    std::vector<double> point(dimensions);
    for (double& x : point) x = Uniform();
    return point;
  }
  std::mt19937_64 engine;
};

void AddUniform(Load* load, int rows, Random* random) {
  for (int i = 0; i < rows; i++) load->Add(random->Point(load->layout.dimensions));
}

void AddBoxes(Load* load, int rows, double side, Random* random) {
  for (int i = 0; i < rows; i++) {
    const std::vector<double> lo = random->Point(load->layout.dimensions);
    std::vector<double> hi = lo;
    for (double& x : hi) x += random->Uniform(side);
    load->Add(lo, hi);
  }
}

size_t FewestLeaves(const Load& load, int fillfactor = 90) {
  const size_t capacity = load.leaf_limit() * fillfactor / 100;
  return (load.rows.size() + capacity - 1) / capacity;
}

TEST(BulkLoad, FewRows) {
  for (const int rows : {0, 1, 2, 3}) {
    Load load({kPoint});
    Random random(rows);
    AddUniform(&load, rows, &random);
    load.Finish();
    EXPECT_EQ(load.statistics.levels, 1);
    EXPECT_EQ(load.sink.pages.size(), 1u);
  }
}

TEST(BulkLoad, OnePageAndOneRowMore) {
  for (const int fillfactor : {10, 90, 100}) {
    for (const int more : {0, 1}) {
      Load load({kPoint}, false, kMuchMemory, {{}, fillfactor});
      Random random(1);
      AddUniform(&load, static_cast<int>(load.leaf_limit()) * fillfactor / 100 + more, &random);
      load.Finish();
      EXPECT_EQ(load.statistics.levels, 1 + more);
      EXPECT_EQ(load.statistics.level[0].nodes, 1u + more);
    }
  }
}

TEST(BulkLoad, LeavesAreAsFewAsFillfactorAllows) {
  for (const int fillfactor : {10, 55, 90, 100}) {
    Load load({kPoint}, false, kMuchMemory, {{}, fillfactor});
    Random random(fillfactor);
    AddUniform(&load, 50000, &random);
    load.Finish();
    EXPECT_EQ(load.statistics.level[0].nodes, FewestLeaves(load, fillfactor));
  }
}

TEST(BulkLoad, UniformPoints) {
  Load load({kPoint});
  Random random(2);
  AddUniform(&load, 100000, &random);
  load.Finish();
  EXPECT_EQ(load.statistics.levels, 3);
  EXPECT_EQ(load.statistics.level[1].supernodes, 0u);
  // 100 rows of 100,000 in a window 31.6 wide; leaves are 57 wide: (1 + 31.6 / 57)^2 = 2.4 of them, 2 levels above.
  EXPECT_LT(load.Query(200, 0.0158, &random.engine), 5);
}

TEST(BulkLoad, ClusteredPointsWithOutliers) {
  Load load({kPoint});
  Random random(3);
  for (int i = 0; i < 60000; i++) {
    const double x = static_cast<double>(random.Below(20)) * 50, y = std::fmod(x * 7, 1000);
    load.Add({x + random.Normal(), y + random.Normal()});
  }
  for (const double far : {1e300, -1e300, HUGE_VAL, -HUGE_VAL, std::nan("")}) load.Add({far, 500});
  load.Finish();
  EXPECT_LT(load.Query(100, 0.0002, &random.engine), 5);
}

TEST(BulkLoad, DuplicatesByTheThousand) {
  Load load({kPoint});
  Random random(4);
  for (int i = 0; i < 60000; i++) load.Add({std::floor(random.Uniform(3)), std::floor(random.Uniform(40))});
  load.Finish();
  EXPECT_EQ(load.statistics.level[0].nodes, FewestLeaves(load));
  load.Query(20, 0, &random.engine);
}

TEST(BulkLoad, OnePlaceOnly) {
  for (const ColumnShape& column : {kPoint, kBox}) {
    Load load({column});
    for (int i = 0; i < 100000; i++) load.Add({7, 7});
    load.Finish();
    EXPECT_EQ(load.statistics.level[0].nodes, FewestLeaves(load));
  }
}

TEST(BulkLoad, OnLine) {
  Load load({kPoint});
  for (int i = 0; i < 50000; i++) load.Add({500, i * 0.02});
  load.Finish();
  std::mt19937_64 random(5);
  EXPECT_LT(load.Query(50, 0.0005, &random), 4.5);
}

TEST(BulkLoad, Boxes) {
  for (const ColumnShape& column : {kBox, kFloat4Range}) {
    Load load({column});
    Random random(6);
    AddBoxes(&load, 100000, 6, &random);
    load.Finish();
    EXPECT_EQ(load.statistics.level[0].nodes, FewestLeaves(load));
    EXPECT_EQ(load.statistics.level[1].supernodes, 0u);
    EXPECT_LT(load.Query(100, 0.0158, &random.engine), 6);
  }
}

TEST(BulkLoad, OneDimension) {
  Load load({kInt4});
  Random random(7);
  for (int i = 0; i < 50000; i++) load.Add({static_cast<double>(random.Below(1000000))});
  load.Finish();
  EXPECT_EQ(load.statistics.level[0].nodes, FewestLeaves(load));
  EXPECT_LT(load.Query(50, 0.1, &random.engine), 4);
}

TEST(BulkLoad, IntegersBeyondDoublePrecision) {
  Load load({kInt8, kInt8Range});
  Random random(8);
  for (int i = 0; i < 20000; i++) {
    const double big = std::ldexp(1, 62) + static_cast<double>(random.Below(1000)) * 65536;
    load.Add({big, -big}, {big, big});
  }
  load.Finish();
  load.Query(20, 0, &random.engine);
}

// Longitude, latitude, a count and a time: the dimensions with the largest numbers must not take all the cuts.
TEST(BulkLoad, ColumnsOfDifferentUnits) {
  Load load({kPoint, kInt8, kFloat4});
  Random random(9);
  for (int i = 0; i < 100000; i++)
    load.Add({random.Uniform(1), random.Uniform(1), std::floor(random.Uniform(1e15)), random.Uniform(1e-3)});
  load.Finish();
  SplitHistory cut;
  const NodeView root(load.layout, load.sink.pages.at(kRootBlock).bytes);
  for (int i = 0; i < root.entries(); i++) {
    cut = cut | root.History(i);
    const NodeView node(load.layout, load.sink.pages.at(root.Child(i)).bytes);
    for (int j = 0; j < node.entries(); j++) cut = cut | node.History(j);
  }
  for (int d = 0; d < 4; d++) EXPECT_TRUE(cut.Has(d)) << "dimension " << d;
  load.Query(10, 0.0001, &random.engine);
}

// A few invented values far away must not keep their column from being cut.
TEST(BulkLoad, OutliersDoNotHideAColumn) {
  Load load({kInt8, kInt8});
  Random random(26);
  for (int i = 0; i < 100000; i++) load.Add({i % 50 == 0 ? 1e17 : std::floor(random.Uniform(1e6)), std::floor(random.Uniform(1e6))});
  load.Finish();
  int pages = 0;
  for (int i = 0; i < 100; i++) {
    Box window;
    window.lo[1] = kOrdinalMin;
    window.hi[1] = kOrdinalMax;
    window.lo[0] = static_cast<Ordinal>(random.Below(1000000));
    window.hi[0] = window.lo[0];
    load.walk->Search(window, &pages);
  }
  // 280 leaves, 17 columns of 17 if cuts are shared fairly.
  EXPECT_LT(pages / 100, 40);
}

// A column of few values: cuts fall between them, so that one value does not share its leaves with the next.
TEST(BulkLoad, CutsFallBetweenEqualValues) {
  Load load({kInt4, kInt8});
  Random random(27);
  for (int i = 0; i < 200000; i++) load.Add({static_cast<double>(random.Below(20)), std::floor(random.Uniform(1e6))});
  load.Finish();
  int pages = 0;
  for (int i = 0; i < 100; i++) {
    Box window;
    window.lo[0] = window.hi[0] = static_cast<Ordinal>(random.Below(20));
    window.lo[1] = static_cast<Ordinal>(random.Below(1000000));
    window.hi[1] = window.lo[1] + 1000;
    load.walk->Search(window, &pages);
  }
  EXPECT_LT(pages, 420);  // 513 with cuts through the middle of equal values
}

// Some long intervals among many short ones: they get leaves of their own.
TEST(BulkLoad, LongIntervalsApart) {
  Load load({kBox});
  Random random(28);
  for (int i = 0; i < 100000; i++) {
    const std::vector<double> lo = random.Point(2);
    load.Add(lo, {lo[0] + 400 * std::pow(random.Uniform(1), 8), lo[1] + 400 * std::pow(random.Uniform(1), 8)});
  }
  load.Finish();
  EXPECT_LT(load.Query(100, 0, &random.engine), 60);  // 120 when only positions are cut
}

TEST(BulkLoad, HighDimensions) {
  for (const int dimensions : {16, 100}) {
    Load load({Vector(static_cast<uint16_t>(dimensions))});
    Random random(dimensions);
    AddUniform(&load, 5000, &random);
    load.Finish();
    EXPECT_EQ(load.statistics.level[0].nodes, FewestLeaves(load));
    load.Query(5, 0.2, &random.engine);
  }
}

TEST(BulkLoad, HundredDimensionalBoxes) {
  Load load({Vector(100, true)});
  Random random(10);
  AddBoxes(&load, 2000, 100, &random);
  load.Finish();
  load.Query(5, 0.1, &random.engine);
}

void AddWithMarks(Load* load, int rows, Random* random) {
  for (int i = 0; i < rows; i++) {
    uint64_t marks = 0;
    if (random->Below(3) == 0) marks |= ColumnMarks(0, kMarkNull);
    if (random->Below(5) == 0) marks |= ColumnMarks(1, random->Below(2) == 0 ? kMarkNull : kMarkEmpty);
    if (random->Below(40) == 0) marks = ColumnMarks(0, kMarkNull) | ColumnMarks(1, kMarkNull) | ColumnMarks(2, kMarkNull);
    const double a = std::floor(random->Uniform()), b = std::floor(random->Uniform()), c = random->Uniform();
    load->Add({a, b, c}, {a, b + 3, c}, marks);
  }
}

TEST(BulkLoad, NullAndEmpty) {
  Load load({kInt4, kInt4Range, kFloat4});
  Random random(11);
  for (int i = 0; i < 3; i++) load.Add({0, 0, 0}, {0, 0, 0}, ColumnMarks(1, kMarkEmpty));
  AddWithMarks(&load, 40000, &random);
  load.Finish();
  load.Query(20, 0.01, &random.engine);
}

TEST(BulkLoad, FullPagesWithMarks) {
  Load load({kInt4, kInt4Range, kFloat4}, false, kMuchMemory, {{}, 100});
  Random random(12);
  AddWithMarks(&load, 40000, &random);
  load.Finish();
}

TEST(BulkLoad, RecordsKeepBoxes) {
  const ColumnShape columns[] = {kInt4, kInt4Range, kFloat4, kBox};
  KeyLayout layout;
  ASSERT_EQ(KeyLayout::Make(columns, 4, true, &layout), nullptr);
  for (const bool leaf : {true, false}) {
    const RecordFormat format(layout, leaf);
    Box box, back;
    MakeEmpty(layout, &box);
    for (int d = 0; d < layout.dimensions; d++) box.lo[d] = box.hi[d] = -d;
    box.hi[1] = 5;
    box.lo[0] = InvertedLo(4);
    box.hi[0] = InvertedHi(4);
    box.lo[4] = InvertedLo(8);
    box.hi[4] = InvertedHi(8);
    box.lo[3] = InvertedLo(8);
    box.hi[3] = InvertedHi(8);
    box.marks = ColumnMarks(0, kMarkNull) | ColumnMarks(3, kMarkEmpty);
    std::vector<uint8_t> record(format.stride());
    format.SetBox(box, record.data());
    format.GetBox(record.data(), &back);
    EXPECT_TRUE(Equal(layout, box, back));
    EXPECT_EQ(format.Key(record.data(), 0), kNoKey);
    EXPECT_EQ(format.Key(record.data(), 1), 2);
    EXPECT_EQ(format.Key(record.data(), 3), kNoKey);
  }
}

TEST(BulkLoad, OnlyNulls) {
  Load load({kPoint, kInt4Range});
  for (int i = 0; i < 20000; i++) load.Add({}, {}, ColumnMarks(0, kMarkNull) | ColumnMarks(1, kMarkNull));
  load.Finish();
}

std::string RandomPayload(Random* random, size_t longest) {
  std::string payload(random->Below(longest + 1), 0);
  for (char& c : payload) c = static_cast<char>(random->Below(256));
  return payload;
}

TEST(BulkLoad, Include) {
  for (const size_t longest : {0, 9, 300, 2600}) {
    for (const int fillfactor : {90, 100}) {
      Load load({kInt4}, true, kMuchMemory, {{}, fillfactor});
      Random random(longest);
      for (int i = 0; i < 5000; i++) {
        const double x = static_cast<double>(random.Below(100000));
        load.Add({x}, {x}, 0, RandomPayload(&random, longest));
      }
      load.Finish();
    }
  }
}

// Large payloads that lie together overflow the leaves that the mean suggests, and so many leaves overflow their parents.
TEST(BulkLoad, IncludeOfUnequalLength) {
  Load load({kInt4}, true, kMuchMemory, {{}, 100});
  Random random(13);
  for (int i = 0; i < 200000; i++) {
    const double x = static_cast<double>(i);
    load.Add({x}, {x}, 0, i < 6000 ? std::string(2000, 'x') : std::string());
  }
  load.Finish();
  EXPECT_EQ(load.statistics.level[1].supernodes, 0u);
}

TEST(BulkLoad, SupernodesWhereEveryCutOverlaps) {
  Load load({kBox});
  Random random(14);
  AddBoxes(&load, 100000, 2000, &random);
  load.Finish();
  EXPECT_EQ(load.statistics.levels, 2);
  EXPECT_EQ(load.statistics.level[1].supernodes, 1u);
  EXPECT_GT(load.walk->largest_supernode, 1);
  EXPECT_LE(load.walk->largest_supernode, load.options.tree.max_supernode_pages);
  load.Query(10, 0, &random.engine);
}

// The list of followers takes room on the head's page, so that entries for exactly twelve pages need thirteen.
TEST(BulkLoad, FullSupernode) {
  Load load({Vector(100, true)}, false, kMuchMemory, {{}, 100});
  const size_t leaves = 12u * load.layout.Block(false, false).max_entries;
  for (size_t i = 0; i < leaves * load.leaf_limit(); i++) load.Add(std::vector<double>(100, 7));
  load.Finish();
  EXPECT_EQ(load.statistics.levels, 2);
  EXPECT_EQ(load.statistics.level[0].nodes, leaves);
  EXPECT_EQ(load.walk->largest_supernode, 13);
}

TEST(BulkLoad, SupernodesObeyTheirOptions) {
  const auto build = [](TreeOptions tree) {
    Load load({kBox}, false, kMuchMemory, {tree, 90});
    Random random(15);
    AddBoxes(&load, 100000, 2000, &random);
    load.Finish();
    return load.walk->largest_supernode;
  };
  EXPECT_EQ(build({.max_overlap = 1}), 0);
  EXPECT_EQ(build({.max_supernode_pages = 1}), 0);
  const int limited = build({.max_supernode_pages = 2});
  EXPECT_EQ(limited, 2);
}

// Below a root of several levels, with the list of followers on the head's page.
TEST(BulkLoad, InnerSupernodes) {
  Load load({Vector(8, true)}, false, kMuchMemory, {{.max_supernode_pages = 4}, 90});
  Random random(16);
  AddBoxes(&load, 60000, 1500, &random);
  load.Finish();
  EXPECT_GT(load.statistics.levels, 2);
  EXPECT_GT(load.statistics.level[1].supernodes, 1u);
  EXPECT_LE(load.walk->largest_supernode, 4);
}

TEST(BulkLoad, SameRowsSameIndex) {
  for (const size_t memory : {kMuchMemory, kMinBulkMemory}) {
    const auto build = [memory] {
      Load load({kBox}, false, memory);
      Random random(17);
      AddBoxes(&load, 60000, 50, &random);
      load.Finish();
      return std::move(load.sink.pages);
    };
    const auto first = build(), second = build();
    ASSERT_EQ(first.size(), second.size());
    for (const auto& [block, page] : first)
      EXPECT_EQ(memcmp(page.bytes + 8, second.at(block).bytes + 8, kPageSize - 8), 0) << "block " << block;
  }
}

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

// Parts of parts: one distribution cannot make parts small enough, and downlinks are spilled as well.
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

TEST(BulkLoad, ReportsProgress) {
  Load load({kPoint}, false, kMinBulkMemory);
  Random random(24);
  AddUniform(&load, 100000, &random);
  load.Finish();
  EXPECT_GT(load.environment.interrupts, 200);
  EXPECT_GE(load.environment.progress[BulkPhase::kRows], 95000u);
  EXPECT_GE(load.environment.progress[BulkPhase::kDistribute], 95000u);
  EXPECT_GE(load.environment.progress[BulkPhase::kBuild], 99000u);
}

// Memory runs out at every allocation in turn: the exception passes, and everything is given back (~CountingEnvironment).
TEST(BulkLoad, OutOfMemory) {
  for (int fail_at = 1;; fail_at++) {
    Load load({kBox}, false, kMinBulkMemory);
    load.environment.fail_at = fail_at;
    Random random(25);
    try {
      AddBoxes(&load, 60000, 5, &random);
      load.loader->Finish();
    } catch (const std::bad_alloc&) {
      load.loader.reset();
      continue;
    }
    EXPECT_GT(fail_at, 20);
    break;
  }
}

}  // namespace
}  // namespace xtree::test
