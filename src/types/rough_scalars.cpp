// Operator classes for timetz and interval, whose order does not fit 64 bits: the ordinal keeps the order as far as it
// goes, values that share one are rechecked, and keys cannot be returned.
//
// Called by the access method through XtreeTypeRoutine. No locks, no WAL.
#include <algorithm>

#include "types/scalar_order.h"

extern "C" {
#include "datatype/timestamp.h"
#include "utils/date.h"
#include "utils/timestamp.h"
}

namespace xtree {
namespace {

// The instant decides, then the zone.
int64 OrdinalOfTimetz(Datum value) {
  const TimeTzADT* time = DatumGetTimeTzADTP(value);
  return time->time + time->zone * USECS_PER_SEC;
}

// A month counts as 30 days. Beyond 292,000 years the two ends stand for all.
int64 OrdinalOfInterval(Datum value) {
  const Interval* interval = DatumGetIntervalP(value);
  const int64 days = interval->month * INT64CONST(30) + interval->day;
  const __int128 span = static_cast<__int128>(days) * USECS_PER_DAY + interval->time;
  return static_cast<int64>(std::clamp<__int128>(span, PG_INT64_MIN, PG_INT64_MAX));
}

template <ToOrdinal kToOrdinal>
void Constrain(const XtreeColumn*, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const int64 ordinal = kToOrdinal(argument);
  ConstrainRoughly(strategy, {ordinal, ordinal}, out);
}

void IntervalOrder(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out) {
  OrderByIntervals(OrdinalOfInterval(argument), out);
}

template <ToOrdinal kToOrdinal>
constexpr XtreeTypeRoutine Routine(Encoding encoding) {
  return InBtreeOrder(Rough(ScalarRoutine(encoding, 8, XTREE_SCALAR_INTEGER, OrdinalBounds<kToOrdinal>, Constrain<kToOrdinal>, nullptr)));
}

constexpr XtreeTypeRoutine kTimetz = Routine<OrdinalOfTimetz>(Encoding::kTimetz);
constexpr XtreeTypeRoutine kInterval = Ordered(Routine<OrdinalOfInterval>(Encoding::kInterval), IntervalOrder);

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_timetz_support, xtree::kTimetz)
XTREE_SUPPORT_FUNCTION(xtree_interval_support, xtree::kInterval)
