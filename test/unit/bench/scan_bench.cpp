// Time of the scans on a million 2-D points that were bulk loaded, without a server: pages lie in memory, a reader
// costs nothing. Queries are spread over the data; every result carries the pages that a query reads and the rows it
// returns. `make -C test/unit bench`.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "core/scan/nearest_scan.h"
#include "core/scan/window_scan.h"
#include "bulk_tree.h"

namespace xtree::test {
namespace {

constexpr size_t kRows = 1000000;

class Tree {
 public:
  Tree(Distribution distribution, bool extended)
      : layout_(FloatLayout(2, extended)), store_(BulkLoadTree(RandomRows(layout_, kRows, distribution, 1))) {}
  const KeyLayout& layout() const { return layout_; }
  MemoryStore& store() { return *store_; }

 private:
  KeyLayout layout_;
  std::unique_ptr<MemoryStore> store_;
};

Tree& Points() {
  static Tree tree(Distribution::kUniform, false);
  return tree;
}

Tree& Clusters() {
  static Tree tree(Distribution::kClustered, false);
  return tree;
}

Tree& Boxes() {
  static Tree tree(Distribution::kUniform, true);
  return tree;
}

// The least that a reader can do.
class BareReader final : public PageReader {
 public:
  explicit BareReader(MemoryStore& store) : store_(store) {
    for (BlockNumber block = 0; block < store.size(); ++block) pages_.push_back(store.image(block).bytes);
  }
  NodeView Open(int, BlockNumber block, int) override {
    ++opens;
    lsn_ = 1;
    return NodeView(store_.layout(), pages_[block]);
  }
  Lsn PageLsn(int) override { return lsn_; }
  bool Close(int) override { return true; }
  [[noreturn]] void Corrupt(BlockNumber, const char*) override { std::abort(); }
  void* Reallocate(void* old, size_t bytes) override { return std::realloc(old, bytes); }
  void WillRead(const BlockNumber*, int, ReadOrder) override {}

  int64_t opens = 0;

 private:
  MemoryStore& store_;
  std::vector<const uint8_t*> pages_;
  Lsn lsn_ = 1;
};

double Distance(void* context, const Ordinal* lo, const Ordinal* hi) {
  const double* query = static_cast<const double*>(context);
  double sum = 0;
  for (int d = 0; d < 2; ++d) {
    const double side = std::max({DoubleFromOrdinal(lo[d]) - query[d], query[d] - DoubleFromOrdinal(hi[d]), 0.0});
    sum += side * side;
  }
  return std::sqrt(sum);
}

void Report(benchmark::State& state, const BareReader& reader, int64_t rows) {
  state.counters["pages"] = benchmark::Counter(static_cast<double>(reader.opens), benchmark::Counter::kAvgIterations);
  state.counters["rows"] = benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kAvgIterations);
}

void Nearest(benchmark::State& state, Tree& (*make)(), bool kernels) {
  Tree& tree = make();
  BareReader reader(tree.store());
  auto scan = std::make_unique<NearestScan>();
  Constraint constraint = Everything(tree.layout());
  Random random(2);
  double query[2];
  DistanceKey key{0, 2, 0, kernels ? query : nullptr, &Distance, &Distance, query};
  NearestRow row;
  int64_t rows = 0;
  for (auto _ : state) {
    query[0] = random.Uniform();
    query[1] = random.Uniform();
    scan->Begin(tree.layout(), constraint, &key, 1, {});
    for (int64_t i = 0; i < state.range(0) && scan->Next(reader, &row); ++i) ++rows;
    benchmark::DoNotOptimize(row);
  }
  Report(state, reader, rows);
}

// A window of so many rows on average.
void Window(benchmark::State& state, Tree& (*make)(), bool keep_pages) {
  Tree& tree = make();
  BareReader reader(tree.store());
  auto scan = std::make_unique<WindowScan>();
  auto batch = std::make_unique<LeafBatch>();
  Random random(3);
  const double side = std::sqrt(static_cast<double>(state.range(0)) / kRows);
  int64_t rows = 0;
  for (auto _ : state) {
    const double x = random.Uniform(0, 1 - side);
    const double y = random.Uniform(0, 1 - side);
    scan->Begin(tree.layout(), Overlapping(tree.layout(), {x, y}, {x + side, y + side}), {.keep_pages = keep_pages});
    while (scan->Step(reader, batch.get())) rows += batch->count;
  }
  Report(state, reader, rows);
}

BENCHMARK_CAPTURE(Nearest, points, Points, true)->Arg(1)->Arg(10)->Arg(100)->Arg(10000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Nearest, points_all, Points, true)->Arg(kRows)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Nearest, points_without_kernels, Points, false)->Arg(10)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Nearest, clusters, Clusters, true)->Arg(10)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Nearest, boxes, Boxes, true)->Arg(10)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Window, points, Points, false)->Arg(1)->Arg(100)->Arg(10000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Window, points_with_pages, Points, true)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Window, boxes, Boxes, false)->Arg(100)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace xtree::test
