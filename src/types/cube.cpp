// Operator class for contrib/cube, of the extension xtree_cube: its gist_cube_ops, with the same strategy numbers.
//
// Called by the access method through XtreeTypeRoutine. The key is the box in the index's dimensions: coordinates that a
// cube lacks are zero, those that the index lacks are left out. Such odd cubes are told by their key (kOddLow) and rechecked;
// of the others the key says all that an operator asks, and distances are those of contrib/cube's own functions. Cubes are read
// and made as they are stored (cubedata.h), because Debian installs no header for them. No locks, no WAL.
#include <cmath>
#include <limits>

#include "pg/postgres_api.h"

extern "C" {
#include "utils/float.h"
#include "utils/geo_decls.h"
}

#include "types/bounding_box.h"
#include "types/dims.h"
#include "types/routine.h"
#include "types/support_function.h"
#include "xtree.h"

namespace xtree {
namespace {

constexpr uint16 kEncodingVersion = 2;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr StrategyNumber kOrderByCoordinate = 15;
constexpr StrategyNumber kOrderByTaxicab = 16;
constexpr StrategyNumber kOrderByEuclid = 17;
constexpr StrategyNumber kOrderByChebyshev = 18;

// What a detoasted cube consists of: the first corner's coordinates, and unless it is a point the other corner's.
struct StoredCube {
  int32 vl_len_;
  uint32 header;
  double x[FLEXIBLE_ARRAY_MEMBER];
};
constexpr uint32 kPointBit = 0x80000000;

class Cube {
 public:
  explicit Cube(Datum value) : stored_(reinterpret_cast<const StoredCube*>(PG_DETOAST_DATUM(value))) {
    point_ = stored_->header & kPointBit;
    const uint32 dimensions = stored_->header & ~kPointBit;
    if (dimensions > kMaxDims || VARSIZE(stored_) < offsetof(StoredCube, x) + sizeof(double) * dimensions * (point_ ? 1 : 2))
      ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED),
              errmsg("cube of %u dimensions has %u bytes", dimensions, static_cast<uint32>(VARSIZE(stored_))));
    dimensions_ = static_cast<int>(dimensions);
  }

  Datum datum() const { return PointerGetDatum(stored_); }  // detoasted
  int dimensions() const { return dimensions_; }
  bool point() const { return point_; }
  double Low(int d) const { return d < dimensions_ ? std::fmin(First(d), Second(d)) : 0; }
  double High(int d) const { return d < dimensions_ ? std::fmax(First(d), Second(d)) : 0; }

  // The operators compare NaNs as C does, so such a cube is in no order.
  bool HasNan() const {
    for (int d = 0; d < dimensions_; d++)
      if (std::isnan(First(d)) || std::isnan(Second(d))) return true;
    return false;
  }

 private:
  double First(int d) const { return stored_->x[d]; }
  double Second(int d) const { return stored_->x[point_ ? d : d + dimensions_]; }

  const StoredCube* stored_;
  int dimensions_;
  bool point_;
};

uint16 DimensionsIn(const XtreeColumn*, Datum value) { return static_cast<uint16>(std::max(1, Cube(value).dimensions())); }

// The lower end of the last dimension of cubes whose key does not say everything: they lack dimensions, or have more than the
// index, or a NaN. A cube that really begins there is treated as one of them.
constexpr double kOddLow = -kInfinity;

// A NaN covers everything, as it passes most comparisons of contrib/cube.
void Bounds(const XtreeColumn* column, Datum value, XtreeBounds* out) {
  const Cube cube(value);
  const bool nan = cube.HasNan();
  for (int d = 0; d < column->dimensions; d++) {
    out->lo[d] = FirstAtLeast(nan ? -kInfinity : cube.Low(d));
    out->hi[d] = LastAtMost(nan ? kInfinity : cube.High(d));
  }
  if (cube.dimensions() != column->dimensions) out->lo[column->dimensions - 1] = FirstAtLeast(kOddLow);
  out->empty = false;
}

void RequireWholeKey(const XtreeColumn* column, XtreeConstraint* out) {
  Low(out, column->dimensions - 1).AtLeast(-std::numeric_limits<double>::max());
}

XtreeConstraint* AddOdd(const XtreeColumn* column, XtreeConstraint* out) {
  XtreeConstraint* odd = xtree_add_alternative(column, out);
  odd->recheck = true;
  Low(odd, column->dimensions - 1).AtMost(kOddLow);
  return odd;
}

void AddNan(const XtreeColumn* column, XtreeConstraint* out) {
  XtreeConstraint* nan = AddOdd(column, out);
  for (int d = 0; d < column->dimensions; d++) {
    Low(nan, d).AtMost(-kInfinity);
    High(nan, d).AtLeast(kInfinity);
  }
}

// In dimensions beyond the index's, a cube that lacks them is zero.
bool HasZeroBeyond(const XtreeColumn* column, const Cube& query) {
  for (int d = column->dimensions; d < query.dimensions(); d++)
    if (query.Low(d) > 0 || query.High(d) < 0) return false;
  return true;
}

bool IsZeroBeyond(const XtreeColumn* column, const Cube& query) {
  for (int d = column->dimensions; d < query.dimensions(); d++)
    if (query.Low(d) != 0 || query.High(d) != 0) return false;
  return true;
}

void ConstrainOverlapping(const XtreeColumn* column, const Cube& query, XtreeConstraint* out) {
  XtreeConstraint* odd = AddOdd(column, out);
  for (int d = 0; d < column->dimensions; d++) {
    for (XtreeConstraint* one : {out, odd}) {
      Low(one, d).AtMost(query.High(d));
      High(one, d).AtLeast(query.Low(d));
    }
  }
  RequireWholeKey(column, out);
  if (!HasZeroBeyond(column, query)) out->match = XTREE_MATCH_NEVER;
}

// Whatever a cube has in dimensions that the query lacks, it contains it there.
void ConstrainContaining(const XtreeColumn* column, const Cube& query, XtreeConstraint* out) {
  XtreeConstraint* odd = AddOdd(column, out);
  for (int d = 0; d < std::min<int>(column->dimensions, query.dimensions()); d++) {
    for (XtreeConstraint* one : {out, odd}) {
      Low(one, d).AtMost(query.Low(d));
      High(one, d).AtLeast(query.High(d));
    }
  }
  RequireWholeKey(column, out);
  if (!IsZeroBeyond(column, query)) out->match = XTREE_MATCH_NEVER;
}

// A cube is within the query also where it lacks dimensions that the query has, zero or not: there its key is zero.
void ConstrainWithin(const XtreeColumn* column, const Cube& query, XtreeConstraint* out) {
  const int last = column->dimensions - 1;
  XtreeConstraint* odd = AddOdd(column, out);
  for (int d = 0; d <= last; d++) {
    Low(out, d).AtLeast(query.Low(d));
    High(out, d).AtMost(query.High(d));
    if (d < last) Low(odd, d).AtLeast(std::fmin(query.Low(d), 0));
    High(odd, d).AtMost(std::fmax(query.High(d), 0));
  }
  RequireWholeKey(column, out);
  AddNan(column, out);
}

// Cubes with other numbers of dimensions are not the same.
void ConstrainSame(const XtreeColumn* column, const Cube& query, XtreeConstraint* out) {
  const int last = column->dimensions - 1;
  XtreeConstraint* odd = AddOdd(column, out);
  for (int d = 0; d <= last; d++) {
    Low(out, d).Same(query.Low(d));
    High(out, d).Same(query.High(d));
    if (d < last) Low(odd, d).Same(query.Low(d));
    High(odd, d).Same(query.High(d));
  }
  RequireWholeKey(column, out);
  if (query.dimensions() != column->dimensions) out->match = XTREE_MATCH_NEVER;
  AddNan(column, out);
}

void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const Cube query(argument);
  out->recheck = query.HasNan();
  if (out->recheck) return;  // anything may match
  switch (strategy) {
    case RTOverlapStrategyNumber:
      return ConstrainOverlapping(column, query, out);
    case RTContainsStrategyNumber:
      return ConstrainContaining(column, query, out);
    case RTContainedByStrategyNumber:
      return ConstrainWithin(column, query, out);
    case RTSameStrategyNumber:
      return ConstrainSame(column, query, out);
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

// What an ordering operator measures from.
struct Origin {
  Datum cube;
  double low[kMaxDims];
  double high[kMaxDims];
  int dimension;  // order by a coordinate: this one's
  bool upper;     // its upper bound, else the lower
  bool inverse;   // negated
};

// 0 also where anything is NaN, as contrib/cube has it, and where infinite ends meet.
double GapIn(const Origin& origin, const int64* lo, const int64* hi, int d) {
  return Gap(origin.low[d], origin.high[d], xtree_float8_from_ordinal(lo[d]), xtree_float8_from_ordinal(hi[d]));
}

// Sums in the order of contrib/cube's, but its compiler may round otherwise.
double Lowered(double bound) { return std::fmin(bound * (1 - 1e-14), std::numeric_limits<double>::max()); }

double Taxicab(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const auto& origin = *static_cast<const Origin*>(order->state);
  double sum = 0;
  for (int d = 0; d < order->dimensions; d++) sum += GapIn(origin, lo, hi, d);
  return Lowered(sum);
}

double Euclid(const XtreeOrder* order, const int64* lo, const int64* hi) {
  constexpr double kLeastClaimed = 1e-290;  // below, rounding is not relative
  const auto& origin = *static_cast<const Origin*>(order->state);
  double sum = 0;
  for (int d = 0; d < order->dimensions; d++) {
    const double gap = GapIn(origin, lo, hi, d);
    sum += gap * gap;
  }
  return sum > kLeastClaimed ? Lowered(std::sqrt(sum)) : 0;
}

double Chebyshev(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const auto& origin = *static_cast<const Origin*>(order->state);
  double greatest = 0;
  for (int d = 0; d < order->dimensions; d++) greatest = Greater(GapIn(origin, lo, hi, d), greatest);
  return Lowered(greatest);
}

// The operator's value for the cube with this box. Its arithmetic never raises an error.
double ComputedDistance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  alignas(double) char memory[offsetof(StoredCube, x) + 2 * kMaxDims * sizeof(double)];
  auto* cube = reinterpret_cast<StoredCube*>(memory);
  const int dimensions = order->dimensions;
  for (int d = 0; d < dimensions; d++) {
    cube->x[d] = xtree_float8_from_ordinal(lo[d]);
    cube->x[dimensions + d] = xtree_float8_from_ordinal(hi[d]);
  }
  cube->header = static_cast<uint32>(dimensions);
  SET_VARSIZE(cube, offsetof(StoredCube, x) + 2 * dimensions * sizeof(double));
  const auto& origin = *static_cast<const Origin*>(order->state);
  return DatumGetFloat8(FunctionCall2Coll(order->function, order->collation, PointerGetDatum(cube), origin.cube));
}

// Does the key say everything, of a row or of all below a node?
bool IsWhole(const XtreeOrder* order, const int64* lo) { return xtree_float8_from_ordinal(lo[order->dimensions - 1]) > kOddLow; }

double Distance(const XtreeOrder* order, const int64* lo, const int64* hi) {
  if (order->function == nullptr || !IsWhole(order, lo)) return order->lower_bound(order, lo, hi);
  return ComputedDistance(order, lo, hi);
}

// Each step of the functions' arithmetic is monotone on finite numbers, so that no cube is nearer than one that contains it, by no bit.
double BestBound(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const auto& origin = *static_cast<const Origin*>(order->state);
  bool finite = true;
  for (int d = 0; d < order->dimensions; d++)
    for (const double edge : {xtree_float8_from_ordinal(lo[d]), xtree_float8_from_ordinal(hi[d]), origin.low[d], origin.high[d]})
      finite = finite && std::isfinite(edge);
  return finite ? ComputedDistance(order, lo, hi) : order->lower_bound(order, lo, hi);
}

double NothingKnown(const XtreeOrder*, const int64*, const int64*) { return -kInfinity; }

double LeastCoordinate(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const auto& origin = *static_cast<const Origin*>(order->state);
  return origin.inverse ? -xtree_float8_from_ordinal(hi[origin.dimension]) : xtree_float8_from_ordinal(lo[origin.dimension]);
}

// Of one row, or less: a box without ends may be that of a NaN, one without a lower end that of an odd cube.
double CoordinateOf(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const auto& origin = *static_cast<const Origin*>(order->state);
  const double low = xtree_float8_from_ordinal(lo[origin.dimension]), high = xtree_float8_from_ordinal(hi[origin.dimension]);
  if (low == -kInfinity && high == kInfinity) return -kInfinity;
  const bool low_unknown = low == -kInfinity && origin.inverse;
  const double value = origin.upper || low_unknown ? high : low;
  return origin.inverse ? -value : value;
}

// 2N - 1 means the lower bound of dimension N, 2N the upper one, and negative numbers their negatives.
void OrderByCoordinate(const XtreeColumn* column, int64 number, Origin* origin, XtreeOrder* out) {
  const int64 index = std::abs(number) - 1;
  const bool known = number != 0 && index / 2 < column->dimensions;  // 0 is an error of the operator, if there is a row
  origin->dimension = known ? static_cast<int>(index / 2) : 0;
  origin->upper = index % 2 == 1;
  origin->inverse = number < 0;
  out->lower_bound = known ? LeastCoordinate : NothingKnown;
  out->distance = known ? CoordinateOf : NothingKnown;
}

// The metric's own bounds; the vector kernels give those of a Euclidean distance from a point.
void OrderByDistance(const XtreeColumn* column, StrategyNumber strategy, Datum argument, Origin* origin, XtreeOrder* out) {
  const Cube query(argument);
  origin->cube = query.datum();
  bool kernels = strategy == kOrderByEuclid;
  for (int d = 0; d < column->dimensions; d++) {
    origin->low[d] = query.Low(d);
    origin->high[d] = query.High(d);
    kernels = kernels && origin->low[d] == origin->high[d] && std::isfinite(origin->low[d]);
  }
  if (query.HasNan()) {
    out->lower_bound = out->distance = NothingKnown;
    return;
  }
  out->lower_bound = strategy == kOrderByTaxicab ? Taxicab : strategy == kOrderByEuclid ? Euclid : Chebyshev;
  out->distance = Distance;
  if (out->function != nullptr) out->best_bound = BestBound;
  if (kernels) out->query = origin->low;
}

void Order(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeOrder* out) {
  auto* origin = static_cast<Origin*>(palloc0(sizeof(Origin)));
  out->query = nullptr;
  out->recheck = true;
  out->state = origin;
  switch (strategy) {
    case kOrderByCoordinate:
      return OrderByCoordinate(column, DatumGetInt32(argument), origin, out);
    case kOrderByTaxicab:
    case kOrderByEuclid:
    case kOrderByChebyshev:
      return OrderByDistance(column, strategy, argument, origin, out);
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

// Cubes that overlap or are equal meet in each dimension that both indexes have, where cubes that lack it are zero, for contrib/cube as in their
// keys; odd ones have larger keys. Not so of containment: what a cube has in dimensions that another lacks, contains that.
bool Join(const XtreeColumn*, StrategyNumber strategy, const XtreeColumn* argument, XtreeJoin*) {
  const bool of_cubes =
      argument->routine->encoding_id == static_cast<uint16>(Encoding::kCube) && argument->routine->encoding_version == kEncodingVersion;
  return of_cubes && (strategy == RTOverlapStrategyNumber || strategy == RTSameStrategyNumber);
}

constexpr XtreeTypeRoutine kRoutine = [] {
  XtreeTypeRoutine routine = NewRoutine(Encoding::kCube, 0, 8, XTREE_SCALAR_FLOAT64, Bounds, Constrain);
  routine.encoding_version = kEncodingVersion;
  routine.extended = true;
  routine.dimensions_of = DimsOption;
  routine.dimensions_in = DimensionsIn;
  routine.default_dimensions = 3;
  routine.order = Order;
  routine.join = Join;
  return routine;
}();

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_cube_support, xtree::kRoutine)

extern "C" {
PG_FUNCTION_INFO_V1(xtree_cube_options);
Datum xtree_cube_options(PG_FUNCTION_ARGS) {
  xtree::DefineDims(reinterpret_cast<local_relopts*>(PG_GETARG_POINTER(0)));
  PG_RETURN_VOID();
}
}
