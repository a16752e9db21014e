// Models and vectors for tests of codes, and what operators compute of vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "core/cluster/vector_code.h"

namespace xtree::test {

using Values = std::vector<double>;

// The bytes of a model, aligned.
class ModelBytes {
 public:
  explicit ModelBytes(const std::vector<uint8_t>& bytes) : words_((bytes.size() + 7) / 8) {
    memcpy(words_.data(), bytes.data(), bytes.size());
  }
  ModelBytes(int dimensions, int clusters) : words_((VectorModel::BytesFor(dimensions, clusters) + 7) / 8) {
    VectorModel::Begin(dimensions, clusters, data());
  }
  uint8_t* data() { return reinterpret_cast<uint8_t*>(words_.data()); }
  VectorModel model() const { return VectorModel(reinterpret_cast<const uint8_t*>(words_.data())); }
  float* center() { return const_cast<float*>(model().center()); }
  float* scale() { return const_cast<float*>(model().scale()); }
  uint8_t* centroid(int cluster) { return const_cast<uint8_t*>(model().centroid(cluster)); }

 private:
  std::vector<uint64_t> words_;
};

inline std::vector<uint8_t> CodeOf(const VectorModel& model, const Values& vector) {
  std::vector<uint8_t> code(VectorCodeBytes(model.dimensions()));
  EncodeVector(model, vector.data(), code.data());
  return code;
}
inline VectorCodeHead HeadOf(const std::vector<uint8_t>& code) {
  VectorCodeHead head;
  memcpy(&head, code.data(), sizeof(head));
  return head;
}

// A query with its memory.
class Query {
 public:
  Query(const VectorModel& model, VectorMetric metric, const Values& query, double rounding)
      : memory_(VectorQuery::QueryBytes(model.dimensions()) + 64), ranks_(2 * static_cast<size_t>(model.clusters())) {
    const auto at = (reinterpret_cast<uintptr_t>(memory_.data()) + 63) / 64 * 64;
    query_ = VectorQuery(model, metric, query.data(), rounding, reinterpret_cast<void*>(at));
    query_.RankClusters(ranks_.data());
  }
  Query(const Query&) = delete;
  const VectorQuery* operator->() const { return &query_; }

 private:
  std::vector<uint8_t> memory_;
  std::vector<double> ranks_;
  VectorQuery query_;
};

// The operator's value, all steps of it in `Number`.
template <typename Number>
double ValueIn(VectorMetric metric, const Values& left, const Values& right) {
  Number sum = 0, left_square = 0, right_square = 0;
  for (size_t d = 0; d < left.size(); ++d) {
    const Number l = static_cast<Number>(left[d]), r = static_cast<Number>(right[d]);
    switch (metric) {
      case VectorMetric::kEuclid:
        sum += (l - r) * (l - r);
        break;
      case VectorMetric::kTaxicab:
        sum += std::fabs(l - r);
        break;
      default:
        sum += l * r;
        left_square += l * l;
        right_square += r * r;
    }
  }
  switch (metric) {
    case VectorMetric::kEuclid:
      return static_cast<double>(std::sqrt(sum));
    case VectorMetric::kTaxicab:
      return static_cast<double>(sum);
    case VectorMetric::kInnerProduct:
      return static_cast<double>(-sum);
    default:
      break;
  }
  // As pgvector has it: in float8 from here.
  using Wide = decltype(Number() + 1.0);
  const Wide cosine = static_cast<Wide>(sum) / std::sqrt(static_cast<Wide>(left_square) * static_cast<Wide>(right_square));
  return static_cast<double>(1 - (cosine > 1 ? 1 : cosine < -1 ? -1 : cosine));
}

// float8's order.
inline bool NotAbove(double bound, double value) { return std::isnan(value) || bound <= value; }

inline constexpr VectorMetric kMetrics[] = {VectorMetric::kEuclid, VectorMetric::kInnerProduct, VectorMetric::kCosine,
                                            VectorMetric::kTaxicab};

// Rounding of sums in double and in float.
inline double DoubleRounding(size_t dimensions) { return static_cast<double>(dimensions + 4) * 0x1p-53; }
inline double FloatRounding(size_t dimensions) { return static_cast<double>(dimensions + 4) * 0x1p-24; }

}  // namespace xtree::test
