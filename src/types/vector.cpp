// Operator classes for real[] and double precision[]: vectors as points with as many dimensions as the parameter `dims` or the first
// row says.
//
// Called by the access method through XtreeTypeRoutine. Coordinates are ordinals of their own width, so windows and distances are
// exact and keys can be returned. NaN is the greatest coordinate, and a distance with it is NaN, which sorts last. No locks, no WAL.
#include "types/vector.h"

#include <cstring>
#include <limits>

#include "types/dims.h"
#include "types/float_place.h"
#include "types/routine.h"
#include "types/support_function.h"
#include "types/vector_clusters.h"
#include "types/vector_distance.h"

namespace xtree {
namespace {

constexpr StrategyNumber kWithinWindow = 8;
constexpr StrategyNumber kOrderByEuclid = 15;
constexpr StrategyNumber kOrderByTaxicab = 16;
constexpr StrategyNumber kOrderByInnerProduct = 17;
constexpr StrategyNumber kOrderByCosine = 18;

template <typename Float>
constexpr bool kNarrow = sizeof(Float) == sizeof(float4);

template <typename Float>
int64 OrdinalOf(Float value) {
  if constexpr (kNarrow<Float>) return xtree_ordinal_from_float4(value);
  return xtree_ordinal_from_float8(value);
}

template <typename Float>
Float ValueOf(int64 ordinal) {
  if constexpr (kNarrow<Float>) return xtree_float4_from_ordinal(ordinal);
  return xtree_float8_from_ordinal(ordinal);
}

template <typename Float>
uint16 DimensionsIn(const XtreeColumn*, Datum value) {
  const int dimensions = Vector<Float>(value).dimensions;
  if (dimensions > kMaxVectorDims)
    ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("a vector of %d dimensions cannot be indexed", dimensions),
            errdetail("An index of clusters has at most %d dimensions, and a tree %d.", kMaxVectorDims, kMaxDims));
  return static_cast<uint16>(dimensions);
}

void RequireDimensionsOfIndex(const XtreeColumn* column, int dimensions) {
  xtree::RequireDimensionsOfIndex(column->dimensions, dimensions);
}

template <typename Float>
void Bounds(const XtreeColumn* column, Datum value, XtreeBounds* out) {
  const Vector<Float> vector(value);
  RequireDimensionsOfIndex(column, vector.dimensions);
  for (int d = 0; d < vector.dimensions; d++) out->lo[d] = out->hi[d] = OrdinalOf(vector.at[d]);
  out->empty = false;
  FreeVector(vector, value);
}

template <typename Float>
void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  if (strategy != kWithinWindow) elog(ERROR, "unrecognized strategy number: %d", strategy);
  const Window window = WindowOf(argument);
  RequireDimensionsOfIndex(column, window.lower.dimensions);
  for (int d = 0; d < column->dimensions; d++) {
    out->lo_min[d] = (kNarrow<Float> ? PlaceInFloat4 : PlaceInFloat8)(window.lower.at[d]).first;
    out->lo_max[d] = (kNarrow<Float> ? PlaceInFloat4 : PlaceInFloat8)(window.upper.at[d]).last;
    if (out->lo_min[d] > out->lo_max[d]) out->match = XTREE_MATCH_NEVER;
  }
}

// What an ordering operator measures from: the coordinates, and after them the square of the length.
const double* QueryOf(const XtreeOrder* order) { return static_cast<const double*>(order->state); }
double QuerySquare(const XtreeOrder* order) { return QueryOf(order)[order->dimensions]; }

template <typename Float, double (*kDistance)(const double*, const double*, int)>
double Distance(const XtreeOrder* order, const int64* lo, const int64*) {
  double value[kMaxDims];
  for (int d = 0; d < order->dimensions; d++) value[d] = ValueOf<Float>(lo[d]);
  return kDistance(value, QueryOf(order), order->dimensions);
}

// The distance of the box's nearest point: no term of its sum is above that of a value's, hence no partial sum. A NaN among the
// bounds says nothing.
template <typename Float, double (*kDistance)(const double*, const double*, int)>
double LowerBound(const XtreeOrder* order, const int64* lo, const int64* hi) {
  double nearest[kMaxDims];
  const double* query = QueryOf(order);
  for (int d = 0; d < order->dimensions; d++) {
    const double low = ValueOf<Float>(lo[d]), high = ValueOf<Float>(hi[d]);
    nearest[d] = query[d];
    if (low > query[d]) nearest[d] = low;
    if (high < query[d]) nearest[d] = high;
  }
  return kDistance(nearest, query, order->dimensions);
}

// Of a row: its distance is the bound, without a search for what is nearest in the box. NaN comes after all that is infinitely far away.
bool IsPoint(const XtreeOrder* order, const int64* lo, const int64* hi) { return memcmp(lo, hi, sizeof(int64) * order->dimensions) == 0; }
double AsBound(double distance) { return std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance; }

// The product with the corner that has the greatest: no term is less than a value's, hence no partial sum. NaN where it says nothing.
template <typename Float>
double GreatestProduct(const XtreeOrder* order, const int64* lo, const int64* hi) {
  double corner[kMaxDims];
  const double* query = QueryOf(order);
  for (int d = 0; d < order->dimensions; d++) {
    corner[d] = 0;  // of values that are finite there; with another one the distance is NaN, which comes last
    if (query[d] != 0) corner[d] = ValueOf<Float>(query[d] < 0 ? lo[d] : hi[d]);
  }
  return InnerProduct(corner, query, order->dimensions);
}

template <typename Float>
double LeastInnerProductDistance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  if (IsPoint(order, lo, hi)) return AsBound(Distance<Float, NegativeInnerProduct>(order, lo, hi));
  return 0 - GreatestProduct<Float>(order, lo, hi);
}

// The greatest product over the least product of lengths (where all products are negative, over the greatest). Each of the three is not on
// the wrong side of what is computed for any value, which is ordinary if the least and the greatest length are.
template <typename Float>
double LeastCosineDistance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  if (IsPoint(order, lo, hi)) return AsBound(Distance<Float, CosineDistance>(order, lo, hi));
  double near[kMaxDims], far[kMaxDims];
  for (int d = 0; d < order->dimensions; d++) {
    const double low = ValueOf<Float>(lo[d]), high = ValueOf<Float>(hi[d]);
    near[d] = low > 0 ? low : high < 0 ? high : 0;
    far[d] = std::fabs(low) > std::fabs(high) ? low : high;
  }
  const double least = SquareOf(near, order->dimensions), greatest = SquareOf(far, order->dimensions);
  if (!IsOrdinarySquare(least) || !IsOrdinarySquare(greatest)) return 0;
  const double product = GreatestProduct<Float>(order, lo, hi);
  return CosineDistance(product, product < 0 ? greatest : least, QuerySquare(order));
}

// From a vector with an infinity or NaN all are infinitely far away, or at NaN, which sorts behind.
double InfinitelyFar(const XtreeOrder*, const int64*, const int64*) { return std::numeric_limits<double>::infinity(); }

double NotNegative(const XtreeOrder*, const int64*, const int64*) { return 0; }

template <typename Float>
void SetCallbacks(StrategyNumber strategy, XtreeOrder* out) {
  switch (strategy) {
    case kOrderByEuclid:
      out->distance = Distance<Float, EuclideanDistance>;
      out->lower_bound = out->best_bound = LowerBound<Float, EuclideanDistance>;
      out->query = QueryOf(out);
      return;
    case kOrderByTaxicab:
      out->distance = Distance<Float, TaxicabDistance>;
      out->lower_bound = LowerBound<Float, TaxicabDistance>;
      return;
    case kOrderByInnerProduct:
      out->distance = Distance<Float, NegativeInnerProduct>;
      out->lower_bound = LeastInnerProductDistance<Float>;
      return;
    case kOrderByCosine:
      out->distance = Distance<Float, CosineDistance>;
      out->lower_bound = IsOrdinarySquare(QuerySquare(out)) ? LeastCosineDistance<Float> : NotNegative;
      return;
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

// Is there no value with a distance that is a finite number?
bool HasNoFiniteDistance(StrategyNumber strategy, const double* query, int dimensions) {
  bool finite = true, nan = false, zero = true;
  for (int d = 0; d < dimensions; d++) {
    finite = finite && std::isfinite(query[d]);
    nan = nan || std::isnan(query[d]);
    zero = zero && query[d] == 0;
  }
  switch (strategy) {
    case kOrderByInnerProduct:  // with an infinity it may be -infinity
      return nan;
    case kOrderByCosine:
      return !finite || zero;
    default:
      return !finite;
  }
}

template <typename Float>
void Order(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeOrder* out) {
  const Vector<Float> vector(argument);
  RequireDimensionsOfIndex(column, vector.dimensions);
  double* query = static_cast<double*>(palloc(sizeof(double) * (vector.dimensions + 1)));
  for (int d = 0; d < vector.dimensions; d++) query[d] = vector.at[d];
  query[vector.dimensions] = SquareOf(query, vector.dimensions);
  out->query = nullptr;
  out->state = query;
  SetCallbacks<Float>(strategy, out);
  if (!HasNoFiniteDistance(strategy, query, vector.dimensions)) return;
  out->query = nullptr;
  out->lower_bound = InfinitelyFar;
  out->best_bound = nullptr;
}

template <typename Float>
Datum Reconstruct(const XtreeColumn* column, const int64* lo, const int64*, bool) {
  Datum elements[kMaxDims];
  for (int d = 0; d < column->dimensions; d++)
    elements[d] = kNarrow<Float> ? Float4GetDatum(ValueOf<Float>(lo[d])) : Float8GetDatum(ValueOf<Float>(lo[d]));
  const bool by_value = kNarrow<Float> || FLOAT8PASSBYVAL;
  return PointerGetDatum(construct_array(elements, column->dimensions, kNarrow<Float> ? FLOAT4OID : FLOAT8OID, sizeof(Float), by_value,
                                         kNarrow<Float> ? TYPALIGN_INT : TYPALIGN_DOUBLE));
}

template <typename Float>
constexpr XtreeTypeRoutine RoutineOf(Encoding encoding) {
  XtreeTypeRoutine routine =
      NewRoutine(encoding, 0, sizeof(Float), kNarrow<Float> ? XTREE_SCALAR_FLOAT32 : XTREE_SCALAR_FLOAT64, Bounds<Float>, Constrain<Float>);
  routine.exact = true;
  routine.dimensions_of = DimsOption;
  routine.dimensions_in = DimensionsIn<Float>;
  routine.order = Order<Float>;
  routine.reconstruct = Reconstruct<Float>;
  routine.vectors = kNarrow<Float> ? &kFloat4Vectors : &kFloat8Vectors;
  return routine;
}

constexpr XtreeTypeRoutine kFloat4 = RoutineOf<float4>(Encoding::kFloat4Vector);
constexpr XtreeTypeRoutine kFloat8 = RoutineOf<float8>(Encoding::kFloat8Vector);

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_float4_vector_support, xtree::kFloat4)
XTREE_SUPPORT_FUNCTION(xtree_float8_vector_support, xtree::kFloat8)

extern "C" {
PG_FUNCTION_INFO_V1(xtree_vector_options);
Datum xtree_vector_options(PG_FUNCTION_ARGS) {
  xtree::DefineDims(reinterpret_cast<local_relopts*>(PG_GETARG_POINTER(0)), xtree::kMaxVectorDims);
  PG_RETURN_VOID();
}
}
