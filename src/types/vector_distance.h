// Distances of vectors: Euclidean, taxicab, negative inner product, cosine.
//
// Used by the SQL functions as by the index, which compare what they compute: every sum is made in one order, so both round alike. And each
// step grows with each of its terms, so that what is computed of the nearest point of a box is not above what is computed of any of its
// points, by no bit (types/vector.cpp). Pure computation.
#pragma once

#include <cmath>
#include <limits>

namespace xtree {

// A square beyond float8 makes the distance infinite.
template <typename Left, typename Right>
double EuclideanDistance(const Left* left, const Right* right, int dimensions) {
  double sum = 0;
  for (int d = 0; d < dimensions; d++) {
    const double difference = static_cast<double>(left[d]) - static_cast<double>(right[d]);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

template <typename Left, typename Right>
double TaxicabDistance(const Left* left, const Right* right, int dimensions) {
  double sum = 0;
  for (int d = 0; d < dimensions; d++) sum += std::fabs(static_cast<double>(left[d]) - static_cast<double>(right[d]));
  return sum;
}

// In four sums, which the processor adds up side by side.
template <typename Left, typename Right>
double InnerProduct(const Left* left, const Right* right, int dimensions) {
  double sum[4] = {0, 0, 0, 0};
  int d = 0;
  for (; d + 4 <= dimensions; d += 4)
    for (int i = 0; i < 4; i++) sum[i] += static_cast<double>(left[d + i]) * static_cast<double>(right[d + i]);
  double whole = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  for (; d < dimensions; d++) whole += static_cast<double>(left[d]) * static_cast<double>(right[d]);
  return whole;
}

// The nearest has the greatest product.
template <typename Left, typename Right>
double NegativeInnerProduct(const Left* left, const Right* right, int dimensions) {
  return 0 - InnerProduct(left, right, dimensions);  // never -0, which would be another text than 0
}

template <typename Float>
double SquareOf(const Float* vector, int dimensions) {
  return InnerProduct(vector, vector, dimensions);
}

// Squares of lengths whose products neither overflow nor lose digits. All of real[] but 0 are.
inline bool IsOrdinarySquare(double square) { return square > 1e-140 && square < 1e140; }

// Of ordinary squares.
inline double CosineDistance(double product, double left_square, double right_square) {
  const double cosine = product / std::sqrt(left_square * right_square);
  return 1 - (cosine > 1 ? 1 : cosine < -1 ? -1 : cosine);
}

// The power of two that brings the greatest coordinate to 1/2 or more, and below 1. False: all are 0, or one is infinite or NaN.
template <typename Float>
bool ScaleOf(const Float* vector, int dimensions, int* exponent) {
  double greatest = 0;
  for (int d = 0; d < dimensions; d++) {
    if (!std::isfinite(vector[d])) return false;
    greatest = std::fmax(greatest, std::fabs(static_cast<double>(vector[d])));
  }
  std::frexp(greatest, exponent);
  *exponent = -*exponent;
  return greatest > 0;
}

// Of vectors so long or so short that they have to be brought to a common size; NaN where one has no direction.
template <typename Left, typename Right>
double ScaledCosineDistance(const Left* left, const Right* right, int dimensions) {
  int left_scale, right_scale;
  if (!ScaleOf(left, dimensions, &left_scale) || !ScaleOf(right, dimensions, &right_scale)) return std::numeric_limits<double>::quiet_NaN();
  double product = 0, left_square = 0, right_square = 0;
  for (int d = 0; d < dimensions; d++) {
    const double l = std::ldexp(static_cast<double>(left[d]), left_scale), r = std::ldexp(static_cast<double>(right[d]), right_scale);
    product += l * r;
    left_square += l * l;
    right_square += r * r;
  }
  return CosineDistance(product, left_square, right_square);
}

// 1 less the cosine of their angle, 0 to 2. A vector without a direction (0, or with an infinity or NaN) is at NaN from all.
template <typename Left, typename Right>
double CosineDistance(const Left* left, const Right* right, int dimensions) {
  const double left_square = SquareOf(left, dimensions), right_square = SquareOf(right, dimensions);
  if (!IsOrdinarySquare(left_square) || !IsOrdinarySquare(right_square)) return ScaledCosineDistance(left, right, dimensions);
  return CosineDistance(InnerProduct(left, right, dimensions), left_square, right_square);
}

}  // namespace xtree
