// Vectors: arrays of real or double precision taken as points, and their distances (types/vector_distance.h).
//
// A vector is a one-dimensional array without NULLs, with at least one element, that begins at 1; everything else is an ERROR that
// names what is wrong and where. For the operator classes and SQL functions of vectors. No locks, no WAL.
#pragma once

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

// A value of the composite type xtree_window: arrays of equal length.
struct Window {
  Vector<float8> lower;
  Vector<float8> upper;
};
Window WindowOf(Datum value);

}  // namespace xtree
