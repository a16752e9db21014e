// Time of codes: lower bounds per code, of codes that lie in the processor's caches and of those that do not; encoding, placing and training.
// XTREE_KERNELS chooses the kernels. `make -C test/unit bench`.
#include <benchmark/benchmark.h>

#include <memory>

#include "core/cluster/train.h"
#include "vector_fixture.h"

namespace xtree::test {
namespace {

// Clustered rows whose coordinates are of decaying size, as those of embeddings are.
std::vector<float> Embeddings(uint64_t count, int dimensions) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> places(static_cast<size_t>(200 * dimensions));
  for (float& x : places) x = normal(random);
  std::vector<float> rows;
  rows.reserve(count * static_cast<size_t>(dimensions));
  for (uint64_t row = 0; row < count; ++row) {
    const size_t place = random() % 200 * static_cast<size_t>(dimensions);
    for (int d = 0; d < dimensions; ++d) {
      const float size = 1 / std::sqrt(1 + 0.02f * static_cast<float>(d));
      rows.push_back(size * (places[place + static_cast<size_t>(d)] + 0.7f * normal(random)));
    }
  }
  return rows;
}

Values RowOf(const std::vector<float>& rows, int dimensions, uint64_t row) {
  const auto at = rows.begin() + static_cast<ptrdiff_t>(row) * dimensions;
  return Values(at, at + dimensions);
}

struct Table {
  Table(uint64_t count, int dimensions, int clusters) : rows(Embeddings(count, dimensions)), model(Train(dimensions, clusters)) {
    for (uint64_t row = 0; row < count; ++row) {
      const std::vector<uint8_t> code = CodeOf(model.model(), RowOf(rows, dimensions, row));
      codes.insert(codes.end(), code.begin(), code.end());
    }
  }
  std::vector<uint8_t> Train(int dimensions, int clusters) const {
    TrainOptions options = {};
    options.dimensions = dimensions;
    options.clusters = clusters;
    options.rows = rows.size() / static_cast<size_t>(dimensions);
    return TrainModel(rows.data(), options.rows, options);
  }
  std::vector<float> rows;
  ModelBytes model;
  std::vector<uint8_t> codes;
};

void Bounds(benchmark::State& state, VectorMetric metric, uint64_t count) {
  const int dimensions = static_cast<int>(state.range(0));
  const Table table(count, dimensions, 1);
  const Query query(table.model.model(), metric, RowOf(table.rows, dimensions, 5), 1e-13);
  std::vector<const uint8_t*> codes;
  for (uint64_t row = 0; row < count; ++row) codes.push_back(table.codes.data() + (row * 7919 % count) * VectorCodeBytes(dimensions));
  std::vector<double> bounds(count);
  for (auto _ : state) {
    query->LowerBounds(codes.data(), static_cast<int>(count), bounds.data());
    benchmark::DoNotOptimize(bounds.data());
  }
  state.counters["ns_per_code"] = benchmark::Counter(static_cast<double>(count) * static_cast<double>(state.iterations()) * 1e-9,
                                                     benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void Encode(benchmark::State& state) {
  const int dimensions = static_cast<int>(state.range(0));
  const Table table(100, dimensions, 1);
  const Values x = RowOf(table.rows, dimensions, 7);
  std::vector<uint8_t> code(VectorCodeBytes(dimensions));
  for (auto _ : state) {
    EncodeVector(table.model.model(), x.data(), code.data());
    benchmark::DoNotOptimize(code.data());
  }
}

void Place(benchmark::State& state) {
  const int dimensions = static_cast<int>(state.range(0));
  const Table table(5000, dimensions, 450);
  const Values x = RowOf(table.rows, dimensions, 7);
  const std::vector<uint8_t> code = CodeOf(table.model.model(), x);
  for (auto _ : state) benchmark::DoNotOptimize(PlaceOf(table.model.model(), x.data(), code.data()));
}

// Time of 64 vectors.
void PlaceMany(benchmark::State& state) {
  const int dimensions = static_cast<int>(state.range(0));
  const Table table(5000, dimensions, 450);
  const Values x = RowOf(table.rows, dimensions, 7);
  const std::vector<const double*> vectors(64, x.data());
  std::vector<const uint8_t*> codes;
  for (size_t i = 0; i < 64; ++i) codes.push_back(table.codes.data() + i * VectorCodeBytes(dimensions));
  VectorPlace places[64];
  for (auto _ : state) {
    PlacesOf(table.model.model(), vectors.data(), codes.data(), 64, places);
    benchmark::DoNotOptimize(places);
  }
}

void Prepare(benchmark::State& state) {
  const int dimensions = static_cast<int>(state.range(0));
  const Table table(5000, dimensions, 450);
  const Values x = RowOf(table.rows, dimensions, 7);
  for (auto _ : state) {
    const Query query(table.model.model(), VectorMetric::kEuclid, x, 1e-13);
    benchmark::DoNotOptimize(&query);
  }
}

void Train(benchmark::State& state) {
  const int dimensions = static_cast<int>(state.range(0));
  const auto count = static_cast<uint64_t>(state.range(1));
  const std::vector<float> rows = Embeddings(count, dimensions);
  TrainOptions options = {};
  options.dimensions = dimensions;
  options.clusters = static_cast<int>(state.range(2));
  options.rows = count;
  for (auto _ : state) {
    const ModelBytes model(TrainModel(rows.data(), count, options));
    for (int i = 0; i < 6; ++i) state.counters["recall" + std::to_string(1 << i)] = model.model().head().calibration[i].recall;
    state.counters["spread"] = model.model().head().spread;
  }
}

#define FOR_METRICS(name, count)                                                                         \
  BENCHMARK_CAPTURE(Bounds, name##_euclid, VectorMetric::kEuclid, count)->Arg(100)->Arg(768)->Arg(2000); \
  BENCHMARK_CAPTURE(Bounds, name##_inner_product, VectorMetric::kInnerProduct, count)->Arg(768);         \
  BENCHMARK_CAPTURE(Bounds, name##_cosine, VectorMetric::kCosine, count)->Arg(768);                      \
  BENCHMARK_CAPTURE(Bounds, name##_taxicab, VectorMetric::kTaxicab, count)->Arg(768)
FOR_METRICS(warm, 100);
FOR_METRICS(cold, 200000);
BENCHMARK(Encode)->Arg(100)->Arg(768);
BENCHMARK(Place)->Arg(100)->Arg(768);
BENCHMARK(PlaceMany)->Arg(100)->Arg(768);
BENCHMARK(Prepare)->Arg(100)->Arg(768);
BENCHMARK(Train)->Args({768, 100000, 450})->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK(Train)->Args({100, 200000, 600})->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace xtree::test
