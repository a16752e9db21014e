// Vectors: arrays of real or double precision taken as points, and their distances.
//
// A vector is a one-dimensional array without NULLs, with at least one element, that begins at 1; everything else is an ERROR that
// names what is wrong and where. For the operator classes and SQL functions of vectors. No locks, no WAL.
#pragma once

#include <cmath>

#include "pg/postgres_api.h"

extern "C" {
#include "catalog/pg_type_d.h"
#include "utils/array.h"
}

namespace xtree {

// Number of elements of an array that is a vector; ereports for others.
int RequireVector(const ArrayType* array);

// Ereports unless a vector of so many fits the index.
void RequireDimensionsOfIndex(int index, int vector);

// Ereports unless equal.
void RequireSameDimensions(int left, int right);

template <typename Float>
struct Vector {
  explicit Vector(Datum value) : array(DatumGetArrayTypeP(value)), dimensions(RequireVector(array)) {
    at = reinterpret_cast<const Float*>(ARR_DATA_PTR(array));
  }

  ArrayType* array;
  int dimensions;
  const Float* at;
};

// Frees what detoasting made.
template <typename Float>
void FreeVector(const Vector<Float>& vector, Datum value) {
  if (PointerGetDatum(vector.array) != value) pfree(vector.array);
}

// The sums are made in the order of the elements, by the SQL functions as by the index, so both round alike. A square beyond float8
// makes the distance infinite.
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

// A value of the composite type xtree_window: arrays of equal length.
struct Window {
  Vector<float8> lower;
  Vector<float8> upper;
};
Window WindowOf(Datum value);

}  // namespace xtree
