// code_clusters.h
#include "core/cluster/code_clusters.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>

#include "core/cluster/vector_kernels.h"

namespace xtree {
namespace {

constexpr int kTile = 32;  // rows whose codes stay in the processor's cache while all centroids pass
constexpr int kSets = 4;   // of dot_grid
constexpr uint64_t kSeedDistances = 100000000;
// A cluster with that many times its share is divided; one with less than a part of it is given up for that.
constexpr double kLarge = 3;
constexpr double kSmall = 0.3;
// Sorting looks at so many candidates for the next.
constexpr int kWindow = 2048;

int RoundUpToSets(int clusters) { return (clusters + kSets - 1) / kSets * kSets; }

const int8_t* CoordinatesOf(const uint8_t* code) { return reinterpret_cast<const int8_t*>(code + sizeof(VectorCodeHead)); }

}  // namespace

CodeClusters::CodeClusters(const VectorModel& model, const uint8_t* codes, uint64_t count, CodeWork work)
    : model_(model),
      codes_(codes),
      count_(count),
      work_(std::move(work)),
      dimensions_(model.dimensions()),
      code_bytes_(VectorCodeBytes(model.dimensions())),
      slots_(static_cast<size_t>(KernelSlots(model.dimensions()))),
      cluster_of_(count),
      distance_(count) {}

size_t CodeClusters::BytesFor(int clusters, int dimensions, uint64_t rows) {
  const auto sets = static_cast<size_t>(RoundUpToSets(clusters));
  const auto slots = static_cast<size_t>(KernelSlots(dimensions));
  const size_t of_cluster =
      VectorCodeBytes(dimensions) * 3 + slots * sizeof(int16_t) + sizeof(int32_t) * static_cast<size_t>(dimensions) + 64;
  return sets * of_cluster + rows * (sizeof(uint32_t) + sizeof(float)) + rows * sizeof(double);
}

double CodeClusters::SquareOf(const uint8_t* code) const {
  VectorCodeHead head;
  memcpy(&head, code, sizeof(head));
  return head.square;
}

void CodeClusters::SetCentroid(int cluster, const uint8_t* code) {
  uint8_t* centroid = centroids_.data() + static_cast<size_t>(cluster) * code_bytes_;
  memcpy(centroid, code, code_bytes_);
  FinishExactCode(model_, centroid);
}

void CodeClusters::SquaresFrom(const uint8_t* code, const uint8_t* codes, uint64_t count, double* squares) {
  std::vector<double> y(static_cast<size_t>(dimensions_));
  std::vector<int16_t> weights(slots_);
  for (int d = 0; d < dimensions_; ++d) y[d] = static_cast<double>(CoordinatesOf(code)[d]) * static_cast<double>(model_.scale()[d]);
  const double factor = 2 * MakeWeights(y.data(), model_.scale(), dimensions_, weights.data());
  const auto& kernels = ActiveVectorKernels();
  const double square = SquareOf(code);
  for (uint64_t i = 0; i < count; ++i) {
    const uint8_t* other = codes + i * code_bytes_;
    squares[i] = memcmp(other + sizeof(VectorCodeHead), code + sizeof(VectorCodeHead), static_cast<size_t>(dimensions_)) == 0
                     ? 0
                     : std::max(0.0, square + SquareOf(other) - factor * kernels.dot(weights.data(), other, dimensions_));
    if (i % 4096 == 4095) work_(4096);
  }
  work_(count % 4096);
}

void CodeClusters::Seed(int clusters) {
  const uint64_t least = 2 * static_cast<uint64_t>(clusters), most = 16 * static_cast<uint64_t>(clusters);
  const uint64_t rows = std::min(count_, std::clamp(kSeedDistances / static_cast<uint64_t>(clusters), least, most));
  centroids_.resize(static_cast<size_t>(clusters) * code_bytes_);
  std::vector<double> nearest(rows, std::numeric_limits<double>::infinity());
  std::vector<double> squares(rows);
  uint64_t next = choices_.Below(rows);
  for (clusters_ = 0; clusters_ < clusters;) {
    SetCentroid(clusters_++, code(next));
    if (clusters_ == clusters) break;
    SquaresFrom(code(next), codes_, rows, squares.data());
    double sum = 0;
    for (uint64_t row = 0; row < rows; ++row) sum += nearest[row] = std::min(nearest[row], squares[row]);
    if (!(sum > 0)) break;
    double left = choices_.Fraction() * sum;
    uint64_t chosen = rows;
    for (uint64_t row = 0; row < rows && (chosen == rows || left >= 0); ++row) {
      if (nearest[row] > 0) chosen = row;
      left -= nearest[row];
    }
    next = chosen;
  }
  centroids_.resize(static_cast<size_t>(clusters_) * code_bytes_);
}

void CodeClusters::PrepareWeights() {
  const auto sets = static_cast<size_t>(RoundUpToSets(clusters_));
  weights_.assign(sets * slots_, 0);
  factors_.assign(sets, 0);
  std::vector<double> y(static_cast<size_t>(dimensions_));
  for (int c = 0; c < clusters_; ++c) {
    const int8_t* k = CoordinatesOf(centroid(c));
    for (int d = 0; d < dimensions_; ++d) y[d] = static_cast<double>(k[d]) * static_cast<double>(model_.scale()[d]);
    factors_[c] = 2 * MakeWeights(y.data(), model_.scale(), dimensions_, &weights_[static_cast<size_t>(c) * slots_]);
  }
  work_(static_cast<uint64_t>(clusters_) * 100);
}

void CodeClusters::AssignTile(uint64_t first, int rows) {
  int32_t dots[kTile * kSets];
  double least[kTile];
  uint32_t nearest[kTile] = {};
  std::fill(least, least + kTile, std::numeric_limits<double>::infinity());
  const auto& kernels = ActiveVectorKernels();
  for (int c = 0; c < clusters_; c += kSets) {
    kernels.dot_grid(&weights_[static_cast<size_t>(c) * slots_], code(first), code_bytes_, rows, dimensions_, dots);
    const int sets = std::min(kSets, clusters_ - c);
    for (int set = 0; set < sets; ++set) {
      const double square = SquareOf(centroid(c + set)), factor = factors_[c + set];
      for (int row = 0; row < rows; ++row) {
        const double rank = square - factor * dots[row * kSets + set];
        nearest[row] = rank < least[row] ? static_cast<uint32_t>(c + set) : nearest[row];
        least[row] = rank < least[row] ? rank : least[row];
      }
    }
  }
  for (int row = 0; row < rows; ++row) {
    cluster_of_[first + row] = nearest[row];
    distance_[first + row] = static_cast<float>(std::sqrt(std::max(0.0, SquareOf(code(first + row)) + least[row])));
  }
}

void CodeClusters::Assign(uint64_t rows) {
  PrepareWeights();
  for (uint64_t row = 0; row < rows; row += kTile) {
    const int tile = static_cast<int>(std::min<uint64_t>(kTile, rows - row));
    AssignTile(row, tile);
    work_(static_cast<uint64_t>(tile) * static_cast<uint64_t>(clusters_));
  }
  sizes_.assign(static_cast<size_t>(clusters_), 0);
  for (uint64_t row = 0; row < rows; ++row) sizes_[cluster_of_[row]]++;
}

void CodeClusters::MoveCentroids(uint64_t rows) {
  std::vector<int32_t> sums(static_cast<size_t>(clusters_) * static_cast<size_t>(dimensions_));
  for (uint64_t row = 0; row < rows; ++row) {
    int32_t* sum = &sums[cluster_of_[row] * static_cast<size_t>(dimensions_)];
    const int8_t* k = CoordinatesOf(code(row));
    for (int d = 0; d < dimensions_; ++d) sum[d] += k[d];
    work_(1);
  }
  std::vector<uint8_t> mean(code_bytes_);
  for (int c = 0; c < clusters_; ++c) {
    if (sizes_[c] == 0) continue;
    const int32_t* sum = &sums[static_cast<size_t>(c) * static_cast<size_t>(dimensions_)];
    auto* k = reinterpret_cast<int8_t*>(mean.data() + sizeof(VectorCodeHead));
    for (int d = 0; d < dimensions_; ++d) k[d] = static_cast<int8_t>(RoundToWhole(static_cast<double>(sum[d]) / sizes_[c]));
    SetCentroid(c, mean.data());
  }
}

// The centroid of a small cluster becomes a row of a large one.
void CodeClusters::Balance(uint64_t rows) {
  struct Wish {
    uint32_t large, row, small;
  };
  const double share = static_cast<double>(rows) / clusters_;
  std::vector<uint32_t> by_size(static_cast<size_t>(clusters_));
  for (int c = 0; c < clusters_; ++c) by_size[c] = static_cast<uint32_t>(c);
  std::stable_sort(by_size.begin(), by_size.end(), [&](uint32_t a, uint32_t b) { return sizes_[a] < sizes_[b]; });
  std::vector<Wish> wishes;
  size_t small = 0;
  for (size_t large = by_size.size(); large-- > small + 1;) {
    const uint32_t size = sizes_[by_size[large]];
    for (double left = size; left > kLarge * share && small < large && sizes_[by_size[small]] < kSmall * share; left -= share) {
      wishes.push_back({by_size[large], static_cast<uint32_t>(choices_.Below(size)), by_size[small++]});
    }
  }
  if (wishes.empty()) return;
  std::sort(wishes.begin(), wishes.end(),
            [](const Wish& a, const Wish& b) { return std::tie(a.large, a.row, a.small) < std::tie(b.large, b.row, b.small); });
  std::vector<uint32_t> first_wish(static_cast<size_t>(clusters_) + 1);
  for (const Wish& wish : wishes) first_wish[wish.large + 1]++;
  for (int c = 0; c < clusters_; ++c) first_wish[c + 1] += first_wish[c];
  std::vector<uint32_t> seen(static_cast<size_t>(clusters_));
  std::vector<uint32_t> next(first_wish.begin(), first_wish.end() - 1);
  for (uint64_t row = 0; row < rows; ++row) {
    const uint32_t c = cluster_of_[row];
    for (; next[c] < first_wish[c + 1] && wishes[next[c]].row == seen[c]; ++next[c])
      SetCentroid(static_cast<int>(wishes[next[c]].small), code(row));
    ++seen[c];
  }
}

void CodeClusters::Iterate(uint64_t rows, bool balance) {
  Assign(rows);
  MoveCentroids(rows);
  if (balance) Balance(rows);
}

void CodeClusters::AssignAll() { Assign(count_); }

double CodeClusters::Spread() const {
  double sum = 0;
  for (const float distance : distance_) sum += distance;
  return count_ > 0 ? sum / static_cast<double>(count_) : 0;
}

// From the centroid that is furthest from the center to the nearest that is left, and so on. Of many, those are looked at that are next in their
// distance from the first.
void CodeClusters::Sort() {
  std::vector<uint32_t> left(static_cast<size_t>(clusters_));
  for (int c = 0; c < clusters_; ++c) left[c] = static_cast<uint32_t>(c);
  const auto first =
      std::max_element(left.begin(), left.end(), [&](uint32_t a, uint32_t b) { return SquareOf(centroid(a)) < SquareOf(centroid(b)); });
  std::vector<double> squares(static_cast<size_t>(clusters_));
  SquaresFrom(centroid(*first), centroids_.data(), static_cast<uint64_t>(clusters_), squares.data());
  squares[*first] = -1;
  std::stable_sort(left.begin(), left.end(), [&](uint32_t a, uint32_t b) { return squares[a] < squares[b]; });

  std::vector<uint8_t> sorted(centroids_.size());
  std::vector<uint8_t> window(std::min<size_t>(kWindow, left.size()) * code_bytes_);
  std::vector<uint32_t> members;
  size_t next = 0;
  const uint8_t* last = centroid(left[0]);
  for (int number = 0; number < clusters_; ++number) {
    while (members.size() < kWindow && next < left.size()) {
      memcpy(&window[members.size() * code_bytes_], centroid(left[next]), code_bytes_);
      members.push_back(left[next++]);
    }
    SquaresFrom(last, window.data(), members.size(), squares.data());
    const size_t nearest =
        static_cast<size_t>(std::min_element(squares.begin(), squares.begin() + static_cast<ptrdiff_t>(members.size())) - squares.begin());
    uint8_t* place = &sorted[static_cast<size_t>(number) * code_bytes_];
    memcpy(place, centroid(members[nearest]), code_bytes_);
    last = place;
    members[nearest] = members.back();
    memcpy(&window[nearest * code_bytes_], &window[(members.size() - 1) * code_bytes_], code_bytes_);
    members.pop_back();
  }
  centroids_ = std::move(sorted);
}

}  // namespace xtree
