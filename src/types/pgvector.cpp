// Operator classes for pgvector's vector and halfvec, of the extension xtree_vector: points with as many dimensions as the parameter `dims`
// or the first row says, and pgvector's own distances.
//
// Called by the access method through XtreeTypeRoutine. Coordinates are ordinals of float4, so keys say all of a value. A distance is what
// pgvector's function returns, which is asked; so the order is that of a sequential scan to the last bit. Its functions add up in float4, in an
// order that depends on how they were compiled, and so bounds lie below by all that this may round (RoundingOf). No locks, no WAL.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "types/dims.h"
#include "types/float_place.h"
#include "types/routine.h"
#include "types/stored_vector.h"
#include "types/support_function.h"
#include "types/vector_clusters.h"
#include "types/vector_distance.h"

namespace xtree {
namespace {

constexpr StrategyNumber kSame = 6;
constexpr StrategyNumber kOrderByEuclid = 15;
constexpr StrategyNumber kOrderByTaxicab = 16;
constexpr StrategyNumber kOrderByInnerProduct = 17;
constexpr StrategyNumber kOrderByCosine = 18;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <typename Element>
constexpr const char* kTypeName = sizeof(Element) == sizeof(float) ? "vector" : "halfvec";

template <typename Element>
uint16 DimensionsIn(const XtreeColumn*, Datum value) {
  const int dimensions = StoredVector<Element>(value).dimensions();
  if (dimensions > kMaxVectorDims)
    ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
            errmsg("a %s of %d dimensions cannot be indexed", kTypeName<Element>, dimensions),
            errdetail("An index of clusters has at most %d dimensions, and a tree %d.", kMaxVectorDims, kMaxDims));
  return static_cast<uint16>(dimensions);
}

template <typename Element>
void RequireDimensionsOfIndex(int index, int dimensions) {
  if (dimensions == index) return;
  ereport(ERROR, errcode(ERRCODE_DATA_EXCEPTION),
          errmsg("%s has %d dimensions, but the index has %d", kTypeName<Element>, dimensions, index),
          errhint("The operator class parameter dims of the index decides, or else its first row does."));
}

template <typename Element>
void Bounds(const XtreeColumn* column, Datum value, XtreeBounds* out) {
  const StoredVector<Element> vector(value);
  RequireDimensionsOfIndex<Element>(column->dimensions, vector.dimensions());
  for (int d = 0; d < vector.dimensions(); d++) out->lo[d] = out->hi[d] = xtree_ordinal_from_float4(vector[d]);
  out->empty = false;
  vector.Free();
}

// Vectors of another length are others.
template <typename Element>
void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  if (strategy != kSame) elog(ERROR, "unrecognized strategy number: %d", strategy);
  const StoredVector<Element> query(argument);
  if (query.dimensions() != column->dimensions) {
    out->match = XTREE_MATCH_NEVER;
    return;
  }
  for (int d = 0; d < column->dimensions; d++) {
    const Place place = PlaceInFloat4(query[d]);
    out->lo_min[d] = place.first;
    out->lo_max[d] = place.last;
  }
}

// What an ordering operator measures from.
struct Origin {
  Datum value;    // detoasted
  double square;  // of its length
  double rounding;
  double at[FLEXIBLE_ARRAY_MEMBER];
};

const Origin& OriginOf(const XtreeOrder* order) { return *static_cast<const Origin*>(order->state); }

// How far a sum of so many products of sums of two may lie beside the exact one, in parts of the sum of the terms' sizes, whatever the order and
// with multiplications fused or not: (n + 3) * 2^-24 to the first order, taken twice.
double RoundingOf(int dimensions) { return (dimensions + 3) * std::ldexp(1.0, -23); }

// And how much of it may have vanished because terms were too small.
double Vanished(int dimensions) { return dimensions * static_cast<double>(std::numeric_limits<float>::min()); }

double Low(const int64* lo, int d) { return xtree_float4_from_ordinal(lo[d]); }
double High(const int64* hi, int d) { return xtree_float4_from_ordinal(hi[d]); }

// The box's nearest point, and the corner with the greatest product. Both are values that the type has.
double NearestIn(const Origin& origin, const int64* lo, const int64* hi, int d) {
  const double low = Low(lo, d), high = High(hi, d);
  return low > origin.at[d] ? low : high < origin.at[d] ? high : origin.at[d];
}
double AgreeingIn(const Origin& origin, const int64* lo, const int64* hi, int d) {
  return origin.at[d] == 0 ? 0 : origin.at[d] < 0 ? Low(lo, d) : High(hi, d);
}

// What the operator's function says of a value.
template <typename Element, typename Coordinate>
double AskOperator(const XtreeOrder* order, Coordinate coordinate) {
  alignas(double) char memory[StoredVectorBytes<Element>(kMaxDims)];
  auto* header = reinterpret_cast<VectorHeader*>(memory);
  Element* element = MakeStoredVector<Element>(header, order->dimensions);
  for (int d = 0; d < order->dimensions; d++) element[d] = ElementOf<Element>(static_cast<float>(coordinate(d)));
  return DatumGetFloat8(FunctionCall2Coll(order->function, order->collation, PointerGetDatum(header), OriginOf(order).value));
}

template <typename Element>
double Distance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  if (order->function == nullptr) return order->lower_bound(order, lo, hi);
  return AskOperator<Element>(order, [&](int d) { return Low(lo, d); });
}

// The function adds up the same terms in the same way whatever their values, and each step grows with each of them: so no value in the box is
// nearer than the point for which all terms are least, by no bit.
using PointOfBox = double(const Origin& origin, const int64* lo, const int64* hi, int d);
template <typename Element, PointOfBox kPoint>
double BestBound(const XtreeOrder* order, const int64* lo, const int64* hi) {
  for (int d = 0; d < order->dimensions; d++)
    if (!std::isfinite(kPoint(OriginOf(order), lo, hi, d))) return -kInfinity;
  return AskOperator<Element>(order, [&](int d) { return kPoint(OriginOf(order), lo, hi, d); });
}

// The coordinates of a box that is one point, as those of rows are; nullptr for others.
const double* PointOf(const XtreeOrder* order, const int64* lo, const int64* hi, double* point) {
  if (memcmp(lo, hi, sizeof(int64) * order->dimensions) != 0) return nullptr;
  for (int d = 0; d < order->dimensions; d++) point[d] = Low(lo, d);
  return point;
}

double LeastEuclid(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const Origin& origin = OriginOf(order);
  double sum = 0;
  for (int d = 0; d < order->dimensions; d++) {
    const double gap = NearestIn(origin, lo, hi, d) - origin.at[d];
    sum += gap * gap;
  }
  return std::sqrt(std::max(sum * (1 - origin.rounding) - Vanished(order->dimensions), 0.0));
}

// What is lost beside `rounding`.
double EuclidSlack(const XtreeOrder* order, const int64*, const int64*) { return std::sqrt(Vanished(order->dimensions)); }

double LeastTaxicab(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const Origin& origin = OriginOf(order);
  double memory[kMaxDims], sum = 0;
  if (const double* point = PointOf(order, lo, hi, memory))
    return TaxicabDistance(point, origin.at, order->dimensions) * (1 - origin.rounding);
  for (int d = 0; d < order->dimensions; d++) sum += std::fabs(NearestIn(origin, lo, hi, d) - origin.at[d]);
  return sum * (1 - origin.rounding);
}

// The products may have either sign, and what rounds is the sum of their sizes. One that overflows is infinite.
double LeastInnerProductDistance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const Origin& origin = OriginOf(order);
  double memory[kMaxDims], product = 0, sizes = 0;
  if (const double* point = PointOf(order, lo, hi, memory)) {
    product = InnerProduct(point, origin.at, order->dimensions);
    sizes = std::sqrt(SquareOf(point, order->dimensions) * origin.square);  // no less than their sum (Cauchy and Schwarz)
  } else {
    for (int d = 0; d < order->dimensions; d++) {
      product += AgreeingIn(origin, lo, hi, d) * origin.at[d];
      sizes += std::max(std::fabs(Low(lo, d)), std::fabs(High(hi, d))) * std::fabs(origin.at[d]);
    }
  }
  if (!(sizes < 0.5 * std::numeric_limits<float>::max())) return -kInfinity;
  return -product - sizes * origin.rounding - Vanished(order->dimensions);
}

// Squares of lengths that float4 holds with all its digits, and products of which it does.
bool IsOrdinary(double square) { return square > 1e-25 && square < 1e37; }

// As of arrays (types/vector.cpp); the product and both squares are rounded.
double LeastCosineDistance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const Origin& origin = OriginOf(order);
  double memory[kMaxDims], product = 0, least = 0, greatest = 0;
  if (const double* point = PointOf(order, lo, hi, memory)) {
    product = InnerProduct(point, origin.at, order->dimensions);
    least = greatest = SquareOf(point, order->dimensions);
  } else {
    for (int d = 0; d < order->dimensions; d++) {
      const double low = Low(lo, d), high = High(hi, d);
      const double near = low > 0 ? low : high < 0 ? high : 0, far = std::max(-low, high);
      product += AgreeingIn(origin, lo, hi, d) * origin.at[d];
      least += near * near;
      greatest += far * far;
    }
  }
  if (!IsOrdinary(least) || !IsOrdinary(greatest) || !IsOrdinary(origin.square)) return 0;
  return std::max(CosineDistance(product, product < 0 ? greatest : least, origin.square) - 3 * origin.rounding, 0.0);
}

template <typename Element>
void SetCallbacks(StrategyNumber strategy, XtreeOrder* out) {
  out->distance = Distance<Element>;
  switch (strategy) {
    case kOrderByEuclid:
      out->query = OriginOf(out).at;
      out->slack = EuclidSlack;
      out->rounding = OriginOf(out).rounding;
      out->lower_bound = LeastEuclid;
      out->best_bound = BestBound<Element, NearestIn>;
      break;
    case kOrderByTaxicab:
      out->lower_bound = LeastTaxicab;
      out->best_bound = BestBound<Element, NearestIn>;
      break;
    case kOrderByInnerProduct:
      out->lower_bound = LeastInnerProductDistance;
      out->best_bound = BestBound<Element, AgreeingIn>;
      break;
    case kOrderByCosine:
      out->lower_bound = LeastCosineDistance;
      break;
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
  out->recheck = out->function == nullptr;
  if (out->recheck) out->best_bound = nullptr;
}

template <typename Element>
void Order(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeOrder* out) {
  const StoredVector<Element> vector(argument);
  const int dimensions = vector.dimensions();
  RequireDimensionsOfIndex<Element>(column->dimensions, dimensions);
  auto* origin = static_cast<Origin*>(palloc(offsetof(Origin, at) + sizeof(double) * dimensions));
  origin->value = vector.datum();
  origin->rounding = RoundingOf(dimensions);
  for (int d = 0; d < dimensions; d++) origin->at[d] = vector[d];
  origin->square = SquareOf(origin->at, dimensions);
  out->query = nullptr;
  out->state = origin;
  SetCallbacks<Element>(strategy, out);
}

template <typename Element>
Datum Reconstruct(const XtreeColumn* column, const int64* lo, const int64*, bool) {
  auto* header = static_cast<VectorHeader*>(palloc(StoredVectorBytes<Element>(column->dimensions)));
  Element* element = MakeStoredVector<Element>(header, column->dimensions);
  for (int d = 0; d < column->dimensions; d++) element[d] = ElementOf<Element>(xtree_float4_from_ordinal(lo[d]));
  return PointerGetDatum(header);
}

template <typename Element>
void Coordinates(Datum value, int dimensions, double* out) {
  const StoredVector<Element> vector(value);
  RequireDimensionsOfIndex<Element>(dimensions, vector.dimensions());
  for (int d = 0; d < dimensions; d++) out[d] = vector[d];
  vector.Free();
}

extern const XtreeVectorRoutine kVectorsInClusters;
extern const XtreeVectorRoutine kHalfvecsInClusters;
const XtreeTypeRoutine kVectorClusters = ClustersRoutine(static_cast<uint16>(Encoding::kPgVectorClusters), &kVectorsInClusters);
const XtreeTypeRoutine kHalfvecClusters = ClustersRoutine(static_cast<uint16>(Encoding::kPgHalfvecClusters), &kHalfvecsInClusters);
const XtreeVectorRoutine kVectorsInClusters = {kMaxVectorDims, Coordinates<float>, MetricOfVectorStrategy, 0x1p-23, &kVectorClusters};
const XtreeVectorRoutine kHalfvecsInClusters = {kMaxVectorDims, Coordinates<Half>, MetricOfVectorStrategy, 0x1p-23, &kHalfvecClusters};

template <typename Element>
constexpr XtreeTypeRoutine RoutineOf(Encoding encoding) {
  XtreeTypeRoutine routine = NewRoutine(encoding, 0, sizeof(float4), XTREE_SCALAR_FLOAT32, Bounds<Element>, Constrain<Element>);
  routine.exact = true;
  routine.dimensions_of = DimsOption;
  routine.dimensions_in = DimensionsIn<Element>;
  routine.order = Order<Element>;
  routine.reconstruct = Reconstruct<Element>;
  routine.vectors = sizeof(Element) == sizeof(float) ? &kVectorsInClusters : &kHalfvecsInClusters;
  return routine;
}

constexpr XtreeTypeRoutine kVector = RoutineOf<float>(Encoding::kPgVector);
constexpr XtreeTypeRoutine kHalfvec = RoutineOf<Half>(Encoding::kPgHalfvec);

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_pgvector_support, xtree::kVector)
XTREE_SUPPORT_FUNCTION(xtree_pghalfvec_support, xtree::kHalfvec)

extern "C" {
PG_FUNCTION_INFO_V1(xtree_pgvector_options);
Datum xtree_pgvector_options(PG_FUNCTION_ARGS) {
  xtree::DefineDims(reinterpret_cast<local_relopts*>(PG_GETARG_POINTER(0)), xtree::kMaxVectorDims);
  PG_RETURN_VOID();
}
}
