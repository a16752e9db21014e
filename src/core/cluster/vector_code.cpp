// Encoding, and the cluster of a code: vector_code.h.
#include "core/cluster/vector_code.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "core/cluster/four.h"
#include "core/cluster/vector_kernels.h"
#include "core/cluster/vector_weights.h"

namespace xtree {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// More than all that sums of up to 2,000 doubles lose by rounding.
constexpr double kSumRounding = 1e-12;
// Of the difference between a coordinate and the center's, twice what one rounding loses.
constexpr double kDifferenceRounding = 2.3e-16;
// The square root of all that squares lose which are too small for a double.
constexpr double kLostSquares = 1e-155;

struct CodeSums {
  Four square = {};
  Four rest = {};
  Four taxi_rest = {};
  Four norm = {};
  Four offset = {};       // from the center
  Four taxi_offset = {};  // likewise, without squares
  FourBits finite = {-1, -1, -1, -1};
};

inline void EncodeFour(const double* vector, const float* center, const float* scale, int8_t* k, CodeSums* sums) {
  Four x, middle, s, size;
  LoadFour(vector, &x);
  LoadFour(center, &middle);
  LoadFour(scale, &s);
  const Four y = x - middle;
  const Four most = Four{} + 127, least = Four{} - 127;
  Four quotient = y / s;
  quotient = quotient < most ? quotient : most;  // NaN becomes a number, too
  quotient = quotient > least ? quotient : least;
  const Four rounded = quotient + kRoundingMagic;
  const FourBits bits = (FourBits)rounded;
  for (int i = 0; i < 4; ++i) k[i] = static_cast<int8_t>(bits[i]);
  const Four coded = (rounded - kRoundingMagic) * s;
  const Four lost = y - coded;
  sums->square += coded * coded;
  sums->rest += lost * lost;
  AbsoluteOf(lost, &size);
  sums->taxi_rest += size;
  sums->norm += x * x;
  sums->offset += y * y;
  AbsoluteOf(y, &size);
  sums->taxi_offset += size;
  AbsoluteOf(x, &size);
  sums->finite &= size <= std::numeric_limits<double>::max();
}

// The last dimensions, fewer than four, and zeros.
struct LastFour {
  LastFour(const VectorModel& model, const double* from, int first) : count(model.dimensions() - first) {
    for (int i = 0; i < count; ++i) {
      vector[i] = from[first + i];
      center[i] = model.center()[first + i];
      scale[i] = model.scale()[first + i];
    }
  }
  int count;
  double vector[4] = {};
  float center[4] = {};
  float scale[4] = {1, 1, 1, 1};
  int8_t k[4] = {};
};

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

inline void AddDistance(const double* vector, const float* center, const float* scale, const int8_t* k, Four* sum) {
  Four x, middle, s, number;
  LoadFour(vector, &x);
  LoadFour(center, &middle);
  LoadFour(scale, &s);
  LoadFour(k, &number);
  const Four lost = x - middle - number * s;
  *sum += lost * lost;
}

double DistanceFrom(const VectorModel& model, const double* vector, const uint8_t* centroid) {
  const auto* k = reinterpret_cast<const int8_t*>(centroid + sizeof(VectorCodeHead));
  Four sum = {};
  int d = 0;
  for (; d + 4 <= model.dimensions(); d += 4) AddDistance(vector + d, model.center() + d, model.scale() + d, k + d, &sum);
  LastFour last(model, vector, d);
  memcpy(last.k, k + d, static_cast<size_t>(last.count));
  AddDistance(last.vector, last.center, last.scale, last.k, &sum);
  return std::sqrt(SumOf(sum));
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
  int d = 0;
  for (; d + 4 <= dimensions; d += 4) EncodeFour(vector + d, model.center() + d, model.scale() + d, k + d, &sums);
  LastFour last(model, vector, d);
  EncodeFour(last.vector, last.center, last.scale, last.k, &sums);
  memcpy(k + d, last.k, static_cast<size_t>(last.count));
  if (dimensions % 2 != 0) k[dimensions] = 0;
  VectorCodeHead head = {0, std::numeric_limits<float>::quiet_NaN(), kInfinity, kInfinity};
  if ((sums.finite[0] & sums.finite[1] & sums.finite[2] & sums.finite[3]) != 0) {
    head = HeadOf(vector, dimensions, sums);
  } else {
    memset(k, 0, static_cast<size_t>(dimensions));
  }
  memcpy(code, &head, sizeof(head));
}

void FinishExactCode(const VectorModel& model, uint8_t* code) {
  const auto* k = reinterpret_cast<const int8_t*>(code + sizeof(VectorCodeHead));
  double square = 0;
  double norm = 0;
  for (int d = 0; d < model.dimensions(); ++d) {
    const double y = static_cast<double>(k[d]) * static_cast<double>(model.scale()[d]);
    const double x = y + static_cast<double>(model.center()[d]);
    square += y * y;
    norm += x * x;
  }
  const VectorCodeHead head = {static_cast<float>(square), 0, 0, static_cast<float>(std::sqrt(norm))};
  memcpy(code, &head, sizeof(head));
  if (model.dimensions() % 2 != 0) code[sizeof(VectorCodeHead) + static_cast<size_t>(model.dimensions())] = 0;
}

namespace {

constexpr int kCodesAtOnce = 4;       // dot_grid's
constexpr int kCentroidsAtOnce = 64;  // whose sums are kept

// Up to four codes side by side: the same numbers as for each alone.
void FindNearest(const VectorModel& model, const uint8_t* const* codes, int count, int* nearest) {
  const int dimensions = model.dimensions();
  const auto slots = static_cast<size_t>(KernelSlots(dimensions));
  double y[kMaxVectorDimensions];
  int16_t weights[kCodesAtOnce * KernelSlots(kMaxVectorDimensions)];
  double factor[kCodesAtOnce];
  double least[kCodesAtOnce];
  memset(weights, 0, kCodesAtOnce * slots * sizeof(int16_t));
  for (int i = 0; i < count; ++i) {
    Decode(model, codes[i], y);
    factor[i] = 2 * MakeWeights(y, model.scale(), dimensions, weights + static_cast<size_t>(i) * slots);
    least[i] = std::numeric_limits<double>::infinity();
    nearest[i] = 0;
  }
  const auto& kernels = ActiveVectorKernels();
  const size_t stride = VectorCodeBytes(dimensions);
  int32_t dots[kCentroidsAtOnce * kCodesAtOnce];
  for (int first = 0; first < model.clusters(); first += kCentroidsAtOnce) {
    const int centroids = std::min(kCentroidsAtOnce, model.clusters() - first);
    if (count == 1) {
      for (int c = 0; c < centroids; ++c) dots[c * kCodesAtOnce] = kernels.dot(weights, model.centroid(first + c), dimensions);
    } else {
      kernels.dot_grid(weights, model.centroid(first), stride, centroids, dimensions, dots);
    }
    for (int c = 0; c < centroids; ++c) {
      float square;
      memcpy(&square, model.centroid(first + c) + offsetof(VectorCodeHead, square), sizeof(square));
      for (int i = 0; i < count; ++i) {
        const double rank = square - factor[i] * dots[c * kCodesAtOnce + i];
        if (!(rank < least[i])) continue;
        least[i] = rank;
        nearest[i] = first + c;
      }
    }
  }
}

VectorPlace PlaceIn(const VectorModel& model, const double* vector, const uint8_t* code, int nearest) {
  const float rest = RestOf(code);
  const int last = model.clusters() - 1;
  if (rest != rest) return {last, kInfinity};
  const int cluster = rest < kInfinity ? nearest : last;
  return {cluster, static_cast<float>(DistanceFrom(model, vector, model.centroid(cluster)))};
}

}  // namespace

VectorPlace PlaceOf(const VectorModel& model, const double* vector, const uint8_t* code) {
  VectorPlace place;
  PlacesOf(model, &vector, &code, 1, &place);
  return place;
}

void PlacesOf(const VectorModel& model, const double* const* vectors, const uint8_t* const* codes, int count, VectorPlace* places) {
  for (int first = 0; first < count; first += kCodesAtOnce) {
    int nearest[kCodesAtOnce];
    const int some = std::min(kCodesAtOnce, count - first);
    FindNearest(model, codes + first, some, nearest);
    for (int i = 0; i < some; ++i) places[first + i] = PlaceIn(model, vectors[first + i], codes[first + i], nearest[i]);
  }
}

}  // namespace xtree
