// SQL functions of vectors: xtree_l2_distance, xtree_l1_distance, xtree_negative_inner_product, xtree_cosine_distance, and whether a vector
// lies in a window. See vector.h.
//
// Pure functions of their arguments. No locks, no WAL.
#include "types/vector.h"

#include "types/vector_distance.h"

extern "C" {
#include "executor/executor.h"
#include "fmgr.h"
#include "utils/float.h"
}

namespace xtree {

int RequireVector(const ArrayType* array) {
  const int dimensions = ARR_NDIM(array);
  if (dimensions == 0) ereport(ERROR, errcode(ERRCODE_DATA_EXCEPTION), errmsg("an empty array is not a vector"));
  if (dimensions > 1)
    ereport(ERROR, errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("an array of %d dimensions is not a vector", dimensions),
            errhint("A vector is an array of one dimension, with a number for each coordinate."));
  if (ARR_LBOUND(array)[0] != 1)
    ereport(ERROR, errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("an array that begins at %d is not a vector", ARR_LBOUND(array)[0]),
            errhint("A vector begins at 1."));
  const int elements = ARR_DIMS(array)[0];
  if (const uint8* present = ARR_NULLBITMAP(array)) {
    for (int i = 0; i < elements; i++)
      if ((present[i / 8] & (1 << i % 8)) == 0)
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("an array with NULL elements is not a vector"),
                errdetail("Element %d is NULL.", i + 1));
  }
  return elements;
}

void RequireDimensionsOfIndex(int index, int vector) {
  if (vector == index) return;
  ereport(ERROR, errcode(ERRCODE_DATA_EXCEPTION), errmsg("vector has %d dimensions, but the index has %d", vector, index),
          errhint("The operator class parameter dims of the index decides, or else its first row does."));
}

void RequireSameDimensions(int left, int right) {
  if (left == right) return;
  ereport(ERROR, errcode(ERRCODE_DATA_EXCEPTION), errmsg("vectors have different numbers of dimensions: %d and %d", left, right));
}

Window WindowOf(Datum value) {
  const HeapTupleHeader tuple = DatumGetHeapTupleHeader(value);
  bool no_lower, no_upper;
  const Datum lower = GetAttributeByNum(tuple, 1, &no_lower), upper = GetAttributeByNum(tuple, 2, &no_upper);
  if (no_lower || no_upper)
    ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a window needs a lower and an upper corner"),
            errhint("Use -infinity and infinity where there is no limit."));
  Window window{Vector<float8>(lower), Vector<float8>(upper)};
  RequireSameDimensions(window.lower.dimensions, window.upper.dimensions);
  return window;
}

namespace {

template <typename Float, double (*kDistance)(const Float*, const Float*, int)>
Datum DistanceOf(FunctionCallInfo fcinfo) {
  const Vector<Float> left(PG_GETARG_DATUM(0)), right(PG_GETARG_DATUM(1));
  RequireSameDimensions(left.dimensions, right.dimensions);
  const double distance = kDistance(left.at, right.at, left.dimensions);
  FreeVector(left, PG_GETARG_DATUM(0));
  FreeVector(right, PG_GETARG_DATUM(1));
  return Float8GetDatum(distance);
}

template <typename Float>
Datum IsWithin(Datum vector_value, Datum window_value) {
  const Vector<Float> vector(vector_value);
  const Window window = WindowOf(window_value);
  RequireSameDimensions(vector.dimensions, window.lower.dimensions);
  bool within = true;
  for (int d = 0; d < vector.dimensions && within; d++)
    within = float8_ge(vector.at[d], window.lower.at[d]) && float8_le(vector.at[d], window.upper.at[d]);
  FreeVector(vector, vector_value);
  return BoolGetDatum(within);
}

}  // namespace
}  // namespace xtree

extern "C" {

#define XTREE_VECTOR_FUNCTION(name, call) \
  PG_FUNCTION_INFO_V1(name);              \
  Datum name(PG_FUNCTION_ARGS) { return call; }

XTREE_VECTOR_FUNCTION(xtree_float4_l2_distance, (xtree::DistanceOf<float4, xtree::EuclideanDistance>(fcinfo)))
XTREE_VECTOR_FUNCTION(xtree_float4_l1_distance, (xtree::DistanceOf<float4, xtree::TaxicabDistance>(fcinfo)))
XTREE_VECTOR_FUNCTION(xtree_float4_negative_inner_product, (xtree::DistanceOf<float4, xtree::NegativeInnerProduct>(fcinfo)))
XTREE_VECTOR_FUNCTION(xtree_float4_cosine_distance, (xtree::DistanceOf<float4, xtree::CosineDistance>(fcinfo)))
XTREE_VECTOR_FUNCTION(xtree_float8_l2_distance, (xtree::DistanceOf<float8, xtree::EuclideanDistance>(fcinfo)))
XTREE_VECTOR_FUNCTION(xtree_float8_l1_distance, (xtree::DistanceOf<float8, xtree::TaxicabDistance>(fcinfo)))
XTREE_VECTOR_FUNCTION(xtree_float8_negative_inner_product, (xtree::DistanceOf<float8, xtree::NegativeInnerProduct>(fcinfo)))
XTREE_VECTOR_FUNCTION(xtree_float8_cosine_distance, (xtree::DistanceOf<float8, xtree::CosineDistance>(fcinfo)))
XTREE_VECTOR_FUNCTION(xtree_float4_in_window, (xtree::IsWithin<float4>(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1))))
XTREE_VECTOR_FUNCTION(xtree_float8_in_window, (xtree::IsWithin<float8>(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1))))
XTREE_VECTOR_FUNCTION(xtree_window_has_float4, (xtree::IsWithin<float4>(PG_GETARG_DATUM(1), PG_GETARG_DATUM(0))))
XTREE_VECTOR_FUNCTION(xtree_window_has_float8, (xtree::IsWithin<float8>(PG_GETARG_DATUM(1), PG_GETARG_DATUM(0))))
}
