// CodeClusters: k-means on the codes of a sample. For train.cpp.
//
// Rows and centroids are codes of one model's scales; distances are those of the codes, by kernels of whole numbers. Deterministic: every choice is
// made by a generator of fixed seed. Owns its memory; throws std::bad_alloc, and what check_interrupt throws.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/cluster/vector_code.h"

namespace xtree {

// splitmix64: as good as any for choices, and the same everywhere.
class Choices {
 public:
  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_ = 20261130;
};

// Called with the number of distances computed since the last call.
using CodeWork = std::function<void(uint64_t distances)>;

class CodeClusters {
 public:
  // `codes`: `count` of them, one after another, in an order that is as good as random. They and the model outlive this.
  // Of the model only dimensions, center and scale are used.
  CodeClusters(const VectorModel& model, const uint8_t* codes, uint64_t count, CodeWork work);

  // k-means++ on the first rows. At most `clusters` centroids; fewer where there are no more different codes.
  void Seed(int clusters);
  // One iteration with the first `rows` of the sample: each to its nearest centroid, centroids to the means of theirs. `balance`: large clusters are
  // divided, at the price of small ones.
  void Iterate(uint64_t rows, bool balance);
  // Numbers centroids along a path.
  void Sort();
  // Of all rows, their clusters; from then on cluster_of().
  void AssignAll();

  int clusters() const { return clusters_; }
  const uint8_t* centroid(int cluster) const { return centroids_.data() + static_cast<size_t>(cluster) * code_bytes_; }
  int cluster_of(uint64_t row) const { return static_cast<int>(cluster_of_[row]); }
  const uint8_t* code(uint64_t row) const { return codes_ + row * code_bytes_; }
  double Spread() const;  // mean distance of all rows from their centroids

  // Squared distances of `count` codes, one after another, from a code.
  void SquaresFrom(const uint8_t* code, const uint8_t* codes, uint64_t count, double* squares);

  static size_t BytesFor(int clusters, int dimensions, uint64_t rows);

 private:
  void SetCentroid(int cluster, const uint8_t* code);
  void PrepareWeights();
  void Assign(uint64_t rows);
  void AssignTile(uint64_t first, int rows);
  void MoveCentroids(uint64_t rows);
  void Balance(uint64_t rows);
  double SquareOf(const uint8_t* code) const;

  const VectorModel& model_;
  const uint8_t* codes_;
  uint64_t count_;
  CodeWork work_;
  int dimensions_;
  size_t code_bytes_;
  size_t slots_;
  int clusters_ = 0;
  std::vector<uint8_t> centroids_;
  std::vector<int16_t> weights_;  // of the centroids, in fours
  std::vector<double> factors_;   // doubled
  std::vector<uint32_t> cluster_of_;
  std::vector<float> distance_;  // of each row from its centroid
  std::vector<uint32_t> sizes_;
  Choices choices_;
};

}  // namespace xtree
