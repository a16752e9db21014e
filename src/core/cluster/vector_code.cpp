// Encoding, and the cluster of a code: vector_code.h.
#include "core/cluster/vector_code.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "core/cluster/vector_kernels.h"
#include "core/cluster/vector_weights.h"

namespace xtree {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Four sums, which the processor adds up side by side, and always in this order.
constexpr int kSums = 4;

double SumOf(const double (&sums)[kSums]) { return (sums[0] + sums[1]) + (sums[2] + sums[3]); }

// More than all that sums of up to 2,000 doubles lose by rounding.
constexpr double kSumRounding = 1e-12;
// Of the difference between a coordinate and the center's, twice what one rounding loses.
constexpr double kDifferenceRounding = 2.3e-16;
// The square root of all that squares lose which are too small for a double.
constexpr double kLostSquares = 1e-155;

struct CodeSums {
  double square[kSums] = {};
  double rest[kSums] = {};
  double taxi_rest[kSums] = {};
  double norm[kSums] = {};
  double offset[kSums] = {};       // from the center
  double taxi_offset[kSums] = {};  // likewise, without squares
  bool finite = true;
};

int8_t Code(double x, float center, float scale, int lane, CodeSums* sums) {
  const double y = x - center;
  const double s = scale;
  const double quotient = y / s;
  const double k = RoundToWhole(quotient >= -127 ? (quotient <= 127 ? quotient : 127) : -127);  // NaN becomes a number, too
  const double lost = y - k * s;
  sums->square[lane] += k * s * (k * s);
  sums->rest[lane] += lost * lost;
  sums->taxi_rest[lane] += std::fabs(lost);
  sums->norm[lane] += x * x;
  sums->offset[lane] += y * y;
  sums->taxi_offset[lane] += std::fabs(y);
  sums->finite = sums->finite && std::fabs(x) <= std::numeric_limits<double>::max();
  return static_cast<int8_t>(k);
}

// A norm of 0 says that the vector is 0.
float NormOf(const double* vector, int dimensions, double square) {
  const auto norm = static_cast<float>(std::sqrt(square));
  if (norm != 0) return norm;
  for (int d = 0; d < dimensions; ++d) {
    if (vector[d] != 0) return std::numeric_limits<float>::denorm_min();
  }
  return 0;
}

VectorCodeHead HeadOf(const double* vector, int dimensions, const CodeSums& sums) {
  const double offset = std::sqrt(SumOf(sums.offset));
  const double lost = std::sqrt(SumOf(sums.rest)) * (1 + kSumRounding) + offset * kDifferenceRounding + kLostSquares;
  const double taxi_lost = SumOf(sums.taxi_rest) * (1 + kSumRounding) + SumOf(sums.taxi_offset) * kDifferenceRounding;
  return {static_cast<float>(SumOf(sums.square)), FloatNotBelow(lost), FloatNotBelow(taxi_lost),
          NormOf(vector, dimensions, SumOf(sums.norm))};
}

// y = k * scale, exactly.
void Decode(const VectorModel& model, const uint8_t* code, double* y) {
  const auto* k = reinterpret_cast<const int8_t*>(code + sizeof(VectorCodeHead));
  for (int d = 0; d < model.dimensions(); ++d) y[d] = static_cast<double>(k[d]) * static_cast<double>(model.scale()[d]);
}

double DistanceFrom(const VectorModel& model, const double* vector, const uint8_t* centroid) {
  const auto* k = reinterpret_cast<const int8_t*>(centroid + sizeof(VectorCodeHead));
  double sums[kSums] = {};
  for (int d = 0; d < model.dimensions(); ++d) {
    const double y = vector[d] - static_cast<double>(model.center()[d]);
    const double lost = y - static_cast<double>(k[d]) * static_cast<double>(model.scale()[d]);
    sums[d % kSums] += lost * lost;
  }
  return std::sqrt(SumOf(sums));
}

float RestOf(const uint8_t* code) {
  VectorCodeHead head;
  memcpy(&head, code, sizeof(head));
  return head.rest;
}

}  // namespace

void EncodeVector(const VectorModel& model, const double* vector, uint8_t* code) {
  const int dimensions = model.dimensions();
  CodeSums sums;
  auto* k = reinterpret_cast<int8_t*>(code + sizeof(VectorCodeHead));
  for (int d = 0; d < dimensions; ++d) k[d] = Code(vector[d], model.center()[d], model.scale()[d], d % kSums, &sums);
  if (dimensions % 2 != 0) k[dimensions] = 0;
  VectorCodeHead head = {0, std::numeric_limits<float>::quiet_NaN(), kInfinity, kInfinity};
  if (sums.finite) {
    head = HeadOf(vector, dimensions, sums);
  } else {
    memset(k, 0, static_cast<size_t>(dimensions));
  }
  memcpy(code, &head, sizeof(head));
}

void FinishExactCode(const VectorModel& model, uint8_t* code) {
  const auto* k = reinterpret_cast<const int8_t*>(code + sizeof(VectorCodeHead));
  double squares[kSums] = {};
  double norms[kSums] = {};
  for (int d = 0; d < model.dimensions(); ++d) {
    const double y = static_cast<double>(k[d]) * static_cast<double>(model.scale()[d]);
    const double x = y + static_cast<double>(model.center()[d]);
    squares[d % kSums] += y * y;
    norms[d % kSums] += x * x;
  }
  const VectorCodeHead head = {static_cast<float>(SumOf(squares)), 0, 0, static_cast<float>(std::sqrt(SumOf(norms)))};
  memcpy(code, &head, sizeof(head));
  if (model.dimensions() % 2 != 0) code[sizeof(VectorCodeHead) + static_cast<size_t>(model.dimensions())] = 0;
}

int NearestCentroid(const VectorModel& model, const uint8_t* code) {
  double y[kMaxVectorDimensions];
  int16_t weights[KernelSlots(kMaxVectorDimensions)];
  Decode(model, code, y);
  const double factor = 2 * MakeWeights(y, model.scale(), model.dimensions(), weights);
  const auto& kernels = ActiveVectorKernels();
  int nearest = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int c = 0; c < model.clusters(); ++c) {
    VectorCodeHead head;
    memcpy(&head, model.centroid(c), sizeof(head));
    const double rank = head.square - factor * kernels.dot(weights, model.centroid(c), model.dimensions());
    if (rank < least) {
      least = rank;
      nearest = c;
    }
  }
  return nearest;
}

VectorPlace PlaceOf(const VectorModel& model, const double* vector, const uint8_t* code) {
  const float rest = RestOf(code);
  const int last = model.clusters() - 1;
  if (rest != rest) return {last, kInfinity};
  const int cluster = rest < kInfinity ? NearestCentroid(model, code) : last;
  return {cluster, static_cast<float>(DistanceFrom(model, vector, model.centroid(cluster)))};
}

}  // namespace xtree
