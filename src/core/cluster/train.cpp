// train.h
#include "core/cluster/train.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/cluster/code_clusters.h"
#include "core/cluster/sample_scale.h"
#include "core/cluster/vector_kernels.h"

namespace xtree {
namespace {

// Rows that a centroid is to be made from: the more of them, the better are clusters of few dimensions. Of many dimensions, where they take longest,
// half as many do (docs/vectors.md).
constexpr uint64_t kRowsOfCluster = 256;
constexpr uint64_t kLeastRowsOfCluster = 128;
constexpr uint64_t kCoordinatesOfCluster = 768 * kRowsOfCluster;
constexpr uint64_t kFewRows = 20000;
constexpr uint64_t kManyRows = 1 << 24;  // sums of so many coordinates are still within 32 bits
constexpr uint64_t kHeldBack = 200;
constexpr int kNeighbours = 10;
constexpr int kEarlyIterations = 6;
constexpr int kIterations = 4;
constexpr uint64_t kEarlyRowsOfCluster = 64;
constexpr size_t kFixedBytes = 4 << 20;
// Distances between two looks at interrupts: a few milliseconds.
constexpr uint64_t kWorkOfTurn = 300000;

// Counts distances, and says how far it is.
class Work {
 public:
  Work(const TrainOptions& options, uint64_t total) : options_(options), total_(total) {}
  void Add(uint64_t distances) {
    pending_ += distances;
    if (pending_ < kWorkOfTurn) return;
    done_ = std::min(done_ + pending_, total_);
    pending_ = 0;
    if (options_.check_interrupt) options_.check_interrupt();
    if (options_.progress) options_.progress(done_, total_);
  }
  void Finish() {
    if (options_.progress) options_.progress(total_, total_);
  }

 private:
  const TrainOptions& options_;
  uint64_t total_;
  uint64_t done_ = 0;
  uint64_t pending_ = 0;
};

std::vector<uint32_t> RandomOrder(uint64_t count) {
  std::vector<uint32_t> order(count);
  for (uint64_t i = 0; i < count; ++i) order[i] = static_cast<uint32_t>(i);
  Choices choices;
  for (uint64_t i = count; i > 1; --i) std::swap(order[i - 1], order[choices.Below(i)]);
  return order;
}

std::vector<uint8_t> EncodeAll(const VectorModel& model, const float* sample, const std::vector<uint32_t>& order, Work* work) {
  const auto dimensions = static_cast<size_t>(model.dimensions());
  const size_t bytes = VectorCodeBytes(model.dimensions());
  std::vector<uint8_t> codes(order.size() * bytes);
  std::vector<double> vector(dimensions);
  for (size_t i = 0; i < order.size(); ++i) {
    const float* row = sample + order[i] * dimensions;
    std::copy(row, row + dimensions, vector.begin());
    EncodeVector(model, vector.data(), &codes[i * bytes]);
    work->Add(100);
  }
  return codes;
}

// Early iterations are for centroids that are still far from where they belong; a part of the sample says that as well.
void FindClusters(CodeClusters* all, uint64_t rows, int clusters) {
  all->Seed(clusters);
  if (all->clusters() > 1) {
    const uint64_t early = std::min(rows, kEarlyRowsOfCluster * static_cast<uint64_t>(clusters));
    for (int i = 0; i < kEarlyIterations; ++i) all->Iterate(early, true);
    for (int i = 0; i < kIterations; ++i) all->Iterate(rows, i + 2 < kIterations);
  } else {
    all->Iterate(rows, false);
  }
  all->Sort();
  all->AssignAll();
}

// For each neighbour of a row that was held back: how many clusters are nearer to the row than the neighbour's.
std::vector<int> ProbesOf(CodeClusters* all, const uint8_t* code, uint64_t rows, uint64_t neighbours) {
  std::vector<double> squares(rows);
  all->SquaresFrom(code, all->code(0), rows, squares.data());
  std::vector<uint32_t> nearest(rows);
  for (uint64_t row = 0; row < rows; ++row) nearest[row] = static_cast<uint32_t>(row);
  const auto end = nearest.begin() + static_cast<ptrdiff_t>(neighbours);
  std::partial_sort(nearest.begin(), end, nearest.end(),
                    [&](uint32_t a, uint32_t b) { return squares[a] != squares[b] ? squares[a] < squares[b] : a < b; });
  std::vector<double> ranks(static_cast<size_t>(all->clusters()));
  all->SquaresFrom(code, all->centroid(0), ranks.size(), ranks.data());
  std::vector<int> probes;
  for (auto it = nearest.begin(); it != end; ++it) {
    const int cluster = all->cluster_of(*it);
    const double rank = ranks[cluster];
    int before = 0;
    for (int c = 0; c < all->clusters(); ++c) before += ranks[c] < rank || (ranks[c] == rank && c < cluster);
    probes.push_back(before);
  }
  return probes;
}

void Calibrate(CodeClusters* all, const uint8_t* held_back, uint64_t held_rows, uint64_t rows, uint64_t table_rows, VectorModelHead* head) {
  const double share = std::round(kNeighbours * static_cast<double>(rows) / static_cast<double>(std::max(table_rows, rows)));
  const uint64_t neighbours = std::min(rows, std::max<uint64_t>(1, static_cast<uint64_t>(share)));
  std::vector<int> probes;
  for (uint64_t i = 0; i < held_rows; ++i) {
    const std::vector<int> more = ProbesOf(all, held_back + i * VectorCodeBytes(static_cast<int>(head->dimensions)), rows, neighbours);
    probes.insert(probes.end(), more.begin(), more.end());
  }
  const auto clusters = static_cast<uint32_t>(all->clusters());
  uint32_t count = 1;
  for (int i = 0; i < kCalibrations; ++i, count = std::min(2 * count, clusters)) {
    if (i == kCalibrations - 1) count = clusters;
    const auto found = std::count_if(probes.begin(), probes.end(), [&](int before) { return static_cast<uint32_t>(before) < count; });
    const bool all_of_them = count == clusters;
    if (held_rows == 0 && !all_of_them) continue;
    head->calibration[held_rows == 0 ? 0 : i] = {
        count, all_of_them ? 1 : static_cast<float>(static_cast<double>(found) / static_cast<double>(probes.size()))};
    if (all_of_them) break;
  }
}

uint64_t WorkOf(uint64_t rows, uint64_t clusters) {
  const uint64_t early = std::min(rows, kEarlyRowsOfCluster * clusters);
  return clusters * (kEarlyIterations * early + (kIterations + 1) * rows + 16 * clusters) + (kHeldBack + 100) * rows;
}

}  // namespace

// The cost of a search is that of ranking all clusters and that of the rows of some: least where both grow alike.
int RecommendedClusters(uint64_t rows) {
  const double root = std::sqrt(static_cast<double>(rows));
  return static_cast<int>(std::clamp(std::round(root), 1.0, static_cast<double>(kMaxClusters)));
}

uint64_t RecommendedSample(int clusters, int dimensions, size_t memory) {
  const size_t row = sizeof(float) * static_cast<size_t>(dimensions) + VectorCodeBytes(dimensions) + sizeof(uint32_t) +
                     (CodeClusters::BytesFor(1, dimensions, 1024) - CodeClusters::BytesFor(1, dimensions, 0)) / 1024 + sizeof(double) +
                     sizeof(uint32_t);
  const size_t fixed = kFixedBytes + CodeClusters::BytesFor(clusters, dimensions, 0) + VectorModel::BytesFor(dimensions, clusters);
  const uint64_t of_cluster = std::clamp(kCoordinatesOfCluster / static_cast<uint64_t>(dimensions), kLeastRowsOfCluster, kRowsOfCluster);
  const uint64_t wanted = std::max(kFewRows, of_cluster * static_cast<uint64_t>(clusters));
  const uint64_t possible = memory > fixed ? (memory - fixed) / row : 0;
  return std::clamp<uint64_t>(possible, 1, wanted);
}

std::vector<uint8_t> TrainModel(const float* sample, uint64_t count, const TrainOptions& options) {
  const int dimensions = options.dimensions;
  count = std::min(count, kManyRows);
  const int wanted = std::clamp(options.clusters > 0 ? options.clusters : RecommendedClusters(options.rows), 1, kMaxClusters);
  const uint64_t held = std::min(kHeldBack, count / 10), rows = count - held;
  const int clusters = static_cast<int>(std::min<uint64_t>(static_cast<uint64_t>(wanted), rows));
  Work work(options, WorkOf(rows, static_cast<uint64_t>(clusters)));

  // Scales first, in a model of one cluster; the clusters' number is known only later.
  const std::vector<uint32_t> order = RandomOrder(count);
  std::vector<uint8_t> bytes(VectorModel::BytesFor(dimensions, 1));
  const VectorModel scales = VectorModel::Begin(dimensions, 1, bytes.data());
  auto* center = reinterpret_cast<float*>(bytes.data() + sizeof(VectorModelHead));
  FindScales(sample, order.data(), count, dimensions, options.check_interrupt, center, center + dimensions);
  const std::vector<uint8_t> codes = EncodeAll(scales, sample, order, &work);

  CodeClusters all(scales, codes.data(), rows, [&work](uint64_t distances) { work.Add(distances); });
  FindClusters(&all, rows, clusters);

  std::vector<uint8_t> model(VectorModel::BytesFor(dimensions, all.clusters()));
  VectorModel::Begin(dimensions, all.clusters(), model.data());
  auto* head = reinterpret_cast<VectorModelHead*>(model.data());
  head->trained_rows = std::max(options.rows, count);
  head->sampled_rows = static_cast<uint32_t>(count);
  head->spread = static_cast<float>(all.Spread());
  Calibrate(&all, codes.data() + rows * VectorCodeBytes(dimensions), held, rows, options.rows, head);
  const size_t arrays = 2 * sizeof(float) * static_cast<size_t>(dimensions);
  memcpy(&model[sizeof(*head)], center, arrays);
  memcpy(&model[sizeof(*head) + arrays], all.centroid(0), static_cast<size_t>(all.clusters()) * VectorCodeBytes(dimensions));
  work.Finish();
  return model;
}

}  // namespace xtree
