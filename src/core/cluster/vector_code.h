// Codes of vectors, and what they say of distances.
//
// The kernels (vector_kernels.h) compute whole numbers, alike on every processor; what is made of them here is double arithmetic in one order. So the
// same value has the same code, cluster and distance wherever it is computed, which checks of an index rely on.
#pragma once

#include "core/cluster/vector_model.h"

namespace xtree {

enum class VectorMetric : uint8_t {
  kEuclid,        // sqrt(sum (x - q)^2)
  kInnerProduct,  // -(x . q)
  kCosine,        // 1 - x . q / (|x| |q|); NaN where one of them is 0
  kTaxicab,       // sum |x - q|
};

// A code: this, then one int8 for each dimension. Any bytes may be read as one.
struct VectorCodeHead {
  float square;     // sum (k[d] scale[d])^2
  float rest;       // not less than |y - k scale|; infinity: the code says nothing; NaN: some coordinate is infinite or NaN
  float taxi_rest;  // not less than sum |y[d] - k[d] scale[d]|
  float norm;       // |x|, rounded to the nearest
};
static_assert(sizeof(VectorCodeHead) == 16);

inline constexpr size_t VectorCodeBytes(int dimensions) { return sizeof(VectorCodeHead) + (static_cast<size_t>(dimensions) + 1) / 2 * 2; }

// Never fails: what cannot be coded says so in `rest`.
void EncodeVector(const VectorModel& model, const double* vector, uint8_t* code);

// The cluster whose centroid is nearest to a code (Euclidean), and the vector's own distance from that centroid, not by its code. Of a vector that cannot be coded: the last cluster, and infinity.
struct VectorPlace {
  int cluster;
  float distance;  // rounded; so bounds made of it allow for its rounding
};
VectorPlace PlaceOf(const VectorModel& model, const double* vector, const uint8_t* code);

// A query, prepared for one model. Trivially destructible; `memory` is QueryBytes() long, aligned to 64 bytes, and outlives it, as the model does.
class VectorQuery {
 public:
  VectorQuery() = default;
  static size_t QueryBytes(int dimensions);

  // `rounding`: what the operator's own value may be off by: relative to the sum of the absolute values of the terms that it adds up.
  VectorQuery(const VectorModel& model, VectorMetric metric, const double* query, double rounding, void* memory);

  VectorMetric metric() const { return metric_; }

  // Never above the operator's value for a vector with this code, in the order of float8 (NaN above all). Any bytes must do.
  double LowerBound(const uint8_t* code) const;
  // The same for `count` codes.
  void LowerBounds(const uint8_t* const* codes, int count, double* bounds) const;

  // Of cluster c: a number by which to visit clusters, the least first; and never above the operator's value for a vector whose distance from the centroid is within
  // [near, far] (as PlaceOf rounds it; far may be infinity).
  double ClusterRank(int cluster) const;
  double ClusterBound(int cluster, double near, double far) const;
  // Ranks of all clusters, once for ClusterRank and ClusterBound. `distances` has room for 2 * clusters() doubles and outlives the query.
  void RankClusters(double* distances);

 private:
  const VectorModel* model_ = nullptr;
  VectorMetric metric_ = VectorMetric::kEuclid;
  double rounding_ = 0;
  // ...
};

}  // namespace xtree
