// Time of insertions into a tree in memory, one by one, and what the tree is worth then: pages, and pages read per
// query, beside the same tree with the R*-tree's splits only. `make -C test/unit bench`.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "tree_fixture.h"

namespace xtree::test {
namespace {

// One tree of `rows` rows; time is per row.
void Insert(benchmark::State& state, int dimensions, bool extended, Kind kind, size_t count) {
  const KeyLayout layout = FloatLayout(dimensions, extended);
  const RowSet rows = MakeRows(layout, kind, count, 1);
  size_t pages = 0;
  for (auto _ : state) {
    MemoryStore store(layout);
    TreeWriter writer(store, layout, {});
    Box box;
    for (size_t row = 0; row < count; ++row) {
      rows.Get(row, &box);
      writer.Insert(box, TupleOf(row), nullptr, 0);
    }
    pages = store.size();
  }
  state.SetItemsProcessed(static_cast<int64_t>(count) * state.iterations());
  state.counters["ns_per_row"] =
      benchmark::Counter(static_cast<double>(count) * state.iterations() * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["pages"] = static_cast<double>(pages);
}

double Euclidean(void* context, const Ordinal* lo, const Ordinal* hi) {
  const auto& query = *static_cast<const std::vector<double>*>(context);
  double sum = 0;
  for (size_t d = 0; d < query.size(); ++d) {
    const double side = std::max({DoubleFromOrdinal(lo[d]) - query[d], query[d] - DoubleFromOrdinal(hi[d]), 0.0});
    sum += side * side;
  }
  return std::sqrt(sum);
}

// Rows that contain the place of a row in the tree, and the ten nearest to it.
void Query(benchmark::State& state, bool extended, bool nearest, double max_overlap) {
  const int dimensions = static_cast<int>(state.range(0));
  const KeyLayout layout = FloatLayout(dimensions, extended);
  const RowSet rows = MakeRows(layout, Kind::kUniform, 50000, 1);
  ModelTree tree(rows, {.max_overlap = max_overlap});
  tree.InsertRange(0, rows.size());
  const TreeFacts facts = tree.Check();
  MemoryReader reader(tree.store());
  auto window = std::make_unique<WindowScan>();
  auto scan = std::make_unique<NearestScan>();
  size_t row = 0, found = 0;
  NearestRow result;
  for (auto _ : state) {
    row = (row + 7919) % rows.size();
    if (nearest) {
      std::vector<double> query;
      for (int d = 0; d < dimensions; ++d) query.push_back(DoubleFromOrdinal(rows.Lo(row)[d]) + 1e-3);
      const DistanceKey key{0, layout.dimensions, 0, query.data(), nullptr, &Euclidean, &query};
      scan->Begin(layout, Everything(layout), &key, 1, {});
      for (int i = 0; i < 10 && scan->Next(reader, &result); ++i) ++found;
    } else {
      Constraint place = Everything(layout);
      for (int d = 0; d < dimensions; ++d) {
        place.RequireLo(d, {kOrdinalMin, rows.Lo(row)[d]});
        place.RequireHi(d, {rows.Lo(row)[d], kOrdinalMax});
      }
      window->Begin(layout, place, {});
      found += ModelTree::Collect(&reader, window.get()).size();
    }
  }
  state.counters["pages_read"] = benchmark::Counter(static_cast<double>(reader.opens), benchmark::Counter::kAvgIterations);
  state.counters["rows"] = benchmark::Counter(static_cast<double>(found), benchmark::Counter::kAvgIterations);
  state.counters["tree_pages"] = static_cast<double>(tree.store().size());
  state.counters["supernodes"] = facts.supernodes;
  state.counters["largest"] = facts.largest_supernode;
}

BENCHMARK_CAPTURE(Insert, points_2d, 2, false, Kind::kUniform, 1000000)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Insert, clusters_2d, 2, false, Kind::kClustered, 300000)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Insert, sorted_2d, 2, false, Kind::kSorted, 300000)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Insert, boxes_2d, 2, true, Kind::kUniform, 300000)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Insert, one_place_2d, 2, false, Kind::kOnePlace, 300000)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Insert, points_8d, 8, false, Kind::kUniform, 100000)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Insert, points_16d, 16, false, Kind::kUniform, 50000)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Query, point_x_tree, false, false, 0.2)->Arg(2)->Arg(4)->Arg(8)->Arg(16)->Iterations(200);
BENCHMARK_CAPTURE(Query, point_r_star, false, false, 1)->Arg(2)->Arg(4)->Arg(8)->Arg(16)->Iterations(200);
BENCHMARK_CAPTURE(Query, nearest_x_tree, false, true, 0.2)->Arg(2)->Arg(4)->Arg(8)->Arg(16)->Iterations(200);
BENCHMARK_CAPTURE(Query, nearest_r_star, false, true, 1)->Arg(2)->Arg(4)->Arg(8)->Arg(16)->Iterations(200);
BENCHMARK_CAPTURE(Query, boxes_x_tree, true, false, 0.2)->Arg(2)->Arg(4)->Arg(8)->Arg(16)->Iterations(200);
BENCHMARK_CAPTURE(Query, boxes_r_star, true, false, 1)->Arg(2)->Arg(4)->Arg(8)->Arg(16)->Iterations(200);

}  // namespace
}  // namespace xtree::test
