// Fixture of the bulk load's tests: an index under construction beside the rows that it must hold.
#pragma once

#include <optional>
#include <random>

#include "bulk_support.h"

namespace xtree::test::bulk {

inline constexpr size_t kMuchMemory = size_t{1} << 30;

inline constexpr ColumnShape kPoint{2, 8, false, Scalar::kFloat64};
inline constexpr ColumnShape kBox{2, 8, true, Scalar::kFloat64};
inline constexpr ColumnShape kInt4{1, 4, false, Scalar::kInteger};
inline constexpr ColumnShape kInt8{1, 8, false, Scalar::kInteger};
inline constexpr ColumnShape kFloat4{1, 4, false, Scalar::kFloat32};
inline constexpr ColumnShape kInt4Range{1, 4, true, Scalar::kInteger};
inline constexpr ColumnShape kInt8Range{1, 8, true, Scalar::kInteger};
inline constexpr ColumnShape kFloat4Range{2, 4, true, Scalar::kFloat32};
inline constexpr ColumnShape Vector(uint16_t dimensions, bool extended = false) { return {dimensions, 8, extended, Scalar::kFloat64}; }

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

inline void AddUniform(Load* load, int rows, Random* random) {
  for (int i = 0; i < rows; i++) load->Add(random->Point(load->layout.dimensions));
}

inline void AddBoxes(Load* load, int rows, double side, Random* random) {
  for (int i = 0; i < rows; i++) {
    const std::vector<double> lo = random->Point(load->layout.dimensions);
    std::vector<double> hi = lo;
    for (double& x : hi) x += random->Uniform(side);
    load->Add(lo, hi);
  }
}

inline size_t FewestLeaves(const Load& load, int fillfactor = 90) {
  const size_t capacity = load.leaf_limit() * fillfactor / 100;
  return (load.rows.size() + capacity - 1) / capacity;
}

inline std::string RandomPayload(Random* random, size_t longest) {
  std::string payload(random->Below(longest + 1), 0);
  for (char& c : payload) c = static_cast<char>(random->Below(256));
  return payload;
}

}  // namespace xtree::test::bulk
