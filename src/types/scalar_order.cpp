// See scalar_order.h.
//
// Used by the scalar operator classes only. Orders of floats read the catalog once. No WAL, no error: where an operator overflows, the row
// is taken for very far, and the executor's own call of the operator raises the error.
#include "types/scalar_order.h"

#include <algorithm>
#include <cmath>
#include <limits>

extern "C" {
#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "datatype/timestamp.h"
#include "utils/catcache.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
}

namespace xtree {
namespace {

constexpr uint64 kFarthest = UINT64CONST(1) << 63;  // no operator returns an integer of this size

double Encoded(uint64 distance) { return xtree_float8_from_distance(std::min(distance, kFarthest)); }

template <typename T>
const T& ArgumentOf(const XtreeOrder* order) {
  return *static_cast<const T*>(order->state);
}

template <typename T>
void SetArgument(T argument, XtreeOrder* out) {
  T* copy = static_cast<T*>(palloc(sizeof(T)));
  *copy = argument;
  out->state = copy;
}

uint64 Difference(int64 a, int64 b) {
  return a > b ? static_cast<uint64>(a) - static_cast<uint64>(b) : static_cast<uint64>(b) - static_cast<uint64>(a);
}

// From `argument` to the nearest of [lo, hi].
uint64 Gap(int64 lo, int64 hi, int64 argument) {
  if (argument < lo) return Difference(lo, argument);
  return argument > hi ? Difference(argument, hi) : 0;
}

double DifferenceToBox(const XtreeOrder* order, const int64* lo, const int64* hi) {
  return Encoded(Gap(lo[0], hi[0], ArgumentOf<int64>(order)));
}

double Farthest(const XtreeOrder*, const int64*, const int64*) { return Encoded(kFarthest); }

bool IsInfiniteDate(int64 ordinal) { return ordinal == DATEVAL_NOBEGIN || ordinal == DATEVAL_NOEND; }

// The operator refuses infinite dates, which are farther than all others here.
double DateDistance(const XtreeOrder* order, const int64* lo, const int64*) {
  return IsInfiniteDate(lo[0]) ? Encoded(kFarthest) : Encoded(Difference(lo[0], ArgumentOf<int64>(order)));
}

// The operator subtracts in 64 bits, without regard to overflow, and takes the absolute value.
uint64 Wrapped(uint64 difference) { return std::min(difference, -difference); }

double TimestampDistance(const XtreeOrder* order, const int64* lo, const int64*) {
  if (TIMESTAMP_NOT_FINITE(lo[0])) return Encoded(kFarthest);  // the greatest interval
  return Encoded(Wrapped(Difference(lo[0], ArgumentOf<int64>(order))));
}

// Between the nearest and the farthest difference in the box, the least is at one of them.
double TimestampBound(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const int64 argument = ArgumentOf<int64>(order);
  const int64 first = std::max(lo[0], MIN_TIMESTAMP), last = std::min<int64>(hi[0], END_TIMESTAMP - 1);
  const uint64 farthest = std::max(Difference(first, argument), Difference(last, argument));
  return Encoded(std::min(Gap(first, last, argument), Wrapped(farthest)));
}

// A lower bound as the executor compares it with the operator's values.
Datum IntervalOfDistance(double distance) {
  const uint64 span = xtree_distance_from_float8(distance);
  auto* interval = static_cast<Interval*>(palloc0(sizeof(Interval)));
  interval->day = static_cast<int32>(span / USECS_PER_DAY);
  interval->time = static_cast<int64>(span % USECS_PER_DAY);
  return IntervalPGetDatum(interval);
}

// btree_gist's functions changed within a major version: once NaN was at the distance NaN from everything, and so was an infinity
// from itself. Now NaN is at 0 from itself and infinitely far from all else, and so is an infinity.
bool AskFunction() {
  const Oid extension = get_extension_oid("btree_gist", true);
  CatCList* functions = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum("float8_dist"));
  Oid function = InvalidOid;
  for (int i = 0; i < functions->n_members; i++) {
    const Oid candidate = reinterpret_cast<Form_pg_proc>(GETSTRUCT(&functions->members[i]->tuple))->oid;
    if (OidIsValid(extension) && getExtensionOfObject(ProcedureRelationId, candidate) == extension) function = candidate;
  }
  ReleaseCatCacheList(functions);
  if (!OidIsValid(function)) return true;
  const Datum nan = Float8GetDatum(get_float8_nan());
  return DatumGetFloat8(OidFunctionCall2(function, nan, nan)) == 0;
}

bool IsAtZeroFromItself() {
  static int known = -1;  // of the server's lifetime
  if (known < 0) known = AskFunction();
  return known != 0;
}

template <typename Float>
struct FloatArgument {
  Float value;
  int64 ordinal;
  bool zero_from_itself;
};

template <typename Float>
Float FromOrdinal(int64 ordinal) {
  if constexpr (sizeof(Float) == sizeof(float4)) return xtree_float4_from_ordinal(ordinal);
  return xtree_float8_from_ordinal(ordinal);
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Differences are rounded to the column's own precision, as the operators do, which keeps their order.
template <typename Float>
double FloatBound(const XtreeOrder* order, const int64* lo, const int64* hi) {
  const auto& argument = ArgumentOf<FloatArgument<Float>>(order);
  if (!std::isfinite(argument.value))
    return argument.zero_from_itself && lo[0] <= argument.ordinal && argument.ordinal <= hi[0] ? 0 : kInfinity;
  const Float low = FromOrdinal<Float>(lo[0]), high = FromOrdinal<Float>(hi[0]);
  if (std::isnan(low)) return kInfinity;
  if (argument.value < low) return low - argument.value;
  return argument.value > high ? argument.value - high : 0;
}

template <typename Float>
double FloatDistance(const XtreeOrder* order, const int64* lo, const int64*) {
  const auto& argument = ArgumentOf<FloatArgument<Float>>(order);
  const Float value = FromOrdinal<Float>(lo[0]);
  if (argument.zero_from_itself) {
    if (lo[0] == argument.ordinal) return 0;
    if (std::isnan(value) || std::isnan(argument.value)) return kInfinity;
  }
  const Float difference = value - argument.value;
  return std::fabs(difference);
}

template <typename Float>
void OrderByFloat(Float value, int64 ordinal, XtreeOrder* out) {
  SetArgument(FloatArgument<Float>{value, ordinal, IsAtZeroFromItself()}, out);
  out->lower_bound = FloatBound<Float>;
  out->distance = FloatDistance<Float>;
}

}  // namespace

void OrderByDifference(int64 argument, XtreeOrder* out) {
  SetArgument(argument, out);
  out->lower_bound = DifferenceToBox;
  out->distance = DifferenceToBox;
}

void DateOrder(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out) {
  const int64 date = DatumGetDateADT(argument);
  SetArgument(date, out);
  out->lower_bound = IsInfiniteDate(date) ? Farthest : DifferenceToBox;
  out->distance = IsInfiniteDate(date) ? Farthest : DateDistance;
}

void TimestampOrder(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out) {
  const int64 time = DatumGetTimestamp(argument);
  SetArgument(time, out);
  out->lower_bound = TIMESTAMP_NOT_FINITE(time) ? Farthest : TimestampBound;
  out->distance = TIMESTAMP_NOT_FINITE(time) ? Farthest : TimestampDistance;
}

void Float4Order(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out) {
  OrderByFloat(DatumGetFloat4(argument), xtree_ordinal_from_float4(DatumGetFloat4(argument)), out);
}

void Float8Order(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out) {
  OrderByFloat(DatumGetFloat8(argument), xtree_ordinal_from_float8(DatumGetFloat8(argument)), out);
}

void OrderByIntervals(int64 argument, XtreeOrder* out) {
  OrderByDifference(argument, out);
  out->recheck = true;
  out->result = IntervalOfDistance;
}

}  // namespace xtree
