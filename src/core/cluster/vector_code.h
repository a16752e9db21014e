// Codes of vectors, and what they say of distances.
//
// The kernels (vector_kernels.h) compute whole numbers, alike on every processor; what is made of them here is double arithmetic in one order. So the
// same value has the same code, cluster and distance wherever it is computed, which checks of an index rely on.
#pragma once

#include "core/cluster/vector_model.h"
#include "core/cluster/vector_weights.h"

namespace xtree {

struct VectorKernels;

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
  float norm;       // |x|, rounded to the nearest; 0 only of a vector that is 0
};
static_assert(sizeof(VectorCodeHead) == 16);

inline constexpr size_t VectorCodeBytes(int dimensions) { return sizeof(VectorCodeHead) + (static_cast<size_t>(dimensions) + 1) / 2 * 2; }

// Never fails: what cannot be coded says so in `rest`.
void EncodeVector(const VectorModel& model, const double* vector, uint8_t* code);

// The cluster whose centroid is nearest to a code (Euclidean; of several the first), and the vector's own distance from that centroid, not by its
// code. Of a vector that cannot be coded: the last cluster; and infinity, where a coordinate is not finite.
struct VectorPlace {
  int cluster;
  float distance;  // rounded; so bounds made of it allow for its rounding
};
VectorPlace PlaceOf(const VectorModel& model, const double* vector, const uint8_t* code);
// The same for several, which costs less than one by one.
void PlacesOf(const VectorModel& model, const double* const* vectors, const uint8_t* const* codes, int count, VectorPlace* places);

// Writes the head of a code that is exact: whose coordinates, in their place behind it, are the vector.
void FinishExactCode(const VectorModel& model, uint8_t* code);

// A query, prepared for one model. Trivially destructible; `memory` is QueryBytes() long, aligned to 64 bytes, and outlives it, as the model's
// bytes do.
class VectorQuery {
 public:
  VectorQuery() = default;
  static size_t QueryBytes(int dimensions);

  // `rounding`: what the operator's own value may be off by: relative to the sum of the absolute values of the terms that it adds up. An operator
  // whose is above 1e-10 is taken for one that computes in float4, where terms underflow and sums overflow earlier.
  VectorQuery(const VectorModel& model, VectorMetric metric, const double* query, double rounding, void* memory);

  VectorMetric metric() const { return metric_; }

  // Never above the operator's value for a vector with this code, in the order of float8 (NaN above all). Never NaN. Any bytes do.
  double LowerBound(const uint8_t* code) const;
  // The same for `count` codes.
  void LowerBounds(const uint8_t* const* codes, int count, double* bounds) const;

  // Of cluster c: a number by which to visit clusters, the least first; and never above the operator's value for a vector whose distance from the
  // centroid is within [near, far] (as PlaceOf rounds it; far may be infinity). Neither is NaN.
  double ClusterRank(int cluster) const;
  double ClusterBound(int cluster, double near, double far) const;
  // Ranks of all clusters, once for ClusterRank and ClusterBound. `distances` has room for 2 * clusters() doubles and outlives the query.
  void RankClusters(double* distances);

 private:
  // factor * (the kernel's sum with the weights) ~ sum value[d] scale[d] k[d]
  struct Sum {
    const int16_t* weights = nullptr;
    double factor = 0;
  };
  // Of a code, what its metric needs.
  struct CodeSums {
    int32_t dots[2] = {0, 0};
    float taxicab = 0;
  };
  // |q - X|^2, X being what a code stands for; the true one is not off by more than `error`.
  struct Square {
    double value;
    double error;
  };
  struct Angle {
    double product;          // q . X, not less
    double cosine = 1;       // of q and X, not less, and not cut off at -1
    double length_low = 0;   // |X|, not more; 0: no direction is known
    double length_high = 0;  // |X|, not less
    double inverse = 0;      // 1 / (|X| norm), not less
  };

  Sum MakeSum(const double* value, void* weights, SquareError* error) const;
  void PrepareTaxicab(const double* offset, uint8_t* memory);
  bool Directed() const { return metric_ == VectorMetric::kInnerProduct || metric_ == VectorMetric::kCosine; }
  CodeSums SumsOf(const uint8_t* code) const;
  double BoundOf(const VectorCodeHead& head, const CodeSums& sums) const;
  Square SquareTo(const VectorCodeHead& head, int32_t sum) const;
  double EuclidBound(const VectorCodeHead& head, const CodeSums& sums) const;
  double TaxicabBound(const VectorCodeHead& head, const CodeSums& sums) const;
  double GreatestCosine(const VectorCodeHead& head, const CodeSums& sums) const;
  Angle AngleTo(const VectorCodeHead& head, const CodeSums& sums, double norm) const;
  double DistanceBound(double distance, float norm) const;
  double ProductBound(double cosine, double norm_low, double norm_high) const;
  double CosineBound(double cosine, double norm_low, double norm_high) const;

  VectorModel model_;
  VectorMetric metric_ = VectorMetric::kEuclid;
  bool usable_ = false;  // false: nothing is known of any vector
  double rounding_ = 0;
  double underflow_ = 0;           // what the operator's sum may lose of terms too small for it
  double distance_underflow_ = 0;  // its square root
  double overflow_ = 0;            // a sum of terms that is less does not overflow
  const VectorKernels* kernels_ = nullptr;
  Sum to_query_;   // of the query's offset from the center (Euclidean, taxicab), or of the query itself
  Sum to_center_;  // of the center (inner product, cosine)
  SquareError square_error_;
  SquareError product_error_;
  double length_ = 0;         // |q|, not less
  double offset_square_ = 0;  // |q - center|^2
  double offset_error_ = 0;   // what the differences of q - center are rounded by
  double center_square_ = 0;
  double center_product_ = 0;  // q . center
  // Taxicab: the offset and the scales in units of `unit_`, as floats in the kernels' slots.
  const float* places_ = nullptr;
  const float* scales_ = nullptr;
  double unit_ = 0;
  double places_error_ = 0;
  double taxicab_factor_ = 0;
  // Of each cluster two numbers: its rank, and how far it is at most (Euclidean, taxicab), or the centroid's length, not more.
  double* ranks_ = nullptr;
};

}  // namespace xtree
