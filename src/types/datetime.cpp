// Operator classes for date, timestamp and timestamptz, one family: the ordinal is the value, infinities included.
//
// Arguments may be of any of the three types. Comparison with timestamptz reads the other side as local time of the
// session's zone, whose offset from UTC changes. Called by the access method through XtreeTypeRoutine. No locks, no
// WAL.
#include "pg/compat_types.h"
#include "types/scalar_order.h"

extern "C" {
#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/date.h"
#include "utils/timestamp.h"
}

namespace xtree {
namespace {

void BoundsOfDate(const XtreeColumn*, Datum value, XtreeBounds* out) { SetOrdinal(DatumGetDateADT(value), out); }

void BoundsOfTimestamp(const XtreeColumn*, Datum value, XtreeBounds* out) { SetOrdinal(DatumGetTimestamp(value), out); }

int64 FloorDays(int64 time) { return time >= 0 ? time / USECS_PER_DAY : -((-time + USECS_PER_DAY - 1) / USECS_PER_DAY); }
int64 CeilDays(int64 time) { return -FloorDays(-time); }

// Offsets from UTC, in microseconds.
struct Offsets {
  int64 min;
  int64 max;
};

// No zone is as far as a week from UTC (a POSIX zone may say up to 167 hours), so local times a week away from `time`
// are on the same side of it whatever their offset. These are the offsets that may be in force for any that are nearer,
// with a margin for the day by which the conversion of local times looks back and forth.
Offsets OffsetsAround(TimestampTz time) {
  constexpr int64 kWeek = INT64CONST(7) * SECS_PER_DAY;
  constexpr int64 kEpoch = INT64CONST(1) * (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
  const pg_time_t center = time / USECS_PER_SEC + kEpoch;
  const pg_time_t end = center + 3 * kWeek;
  pg_time_t from = center - 3 * kWeek;
  Offsets offsets{kWeek, -kWeek};
  for (int found = 1; found > 0 && from < end;) {
    long before, after;
    int before_is_dst, after_is_dst;
    pg_time_t boundary;
    found = pg_next_dst_boundary(&from, &before, &before_is_dst, &boundary, &after, &after_is_dst, session_timezone);
    offsets.min = std::min<int64>(offsets.min, before);
    offsets.max = std::max<int64>(offsets.max, before);
    if (found > 0) from = boundary;
  }
  return {offsets.min * USECS_PER_SEC, offsets.max * USECS_PER_SEC};
}

// An argument between the greatest finite ordinal and infinity, or the least and -infinity.
Place Beyond(int overflow) {
  if (overflow > 0) return {DT_NOEND, DT_NOEND - 1};
  return {DT_NOBEGIN + 1, DT_NOBEGIN};
}

Place PlaceOrBeyond(int64 time, int overflow) { return overflow == 0 ? Place{time, time} : Beyond(overflow); }

// Arguments for a column of dates.

Place PlaceOfTimestampInDates(Timestamp argument) {
  if (TIMESTAMP_IS_NOBEGIN(argument)) return {DATEVAL_NOBEGIN, DATEVAL_NOBEGIN};
  if (TIMESTAMP_IS_NOEND(argument)) return {DATEVAL_NOEND, DATEVAL_NOEND};
  return {CeilDays(argument), FloorDays(argument)};
}

// Midnights between the earliest and the latest local time of the argument may be before, at or after it. Dates that no
// timestamp can hold are after every one.
void ConstrainDateByTimestampTz(StrategyNumber strategy, TimestampTz argument, XtreeConstraint* out) {
  constexpr int64 kNoTimestamp = TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE;
  if (TIMESTAMP_NOT_FINITE(argument)) return ConstrainExactly(strategy, PlaceOfTimestampInDates(argument), out);
  const Offsets offsets = OffsetsAround(argument);
  const Place place{std::min(CeilDays(argument + offsets.min), kNoTimestamp),
                    std::min(FloorDays(argument + offsets.max), kNoTimestamp - 1)};
  if (offsets.min == offsets.max || place.first > place.last) return ConstrainExactly(strategy, place, out);
  ConstrainRoughly(strategy, place, out);
}

void ConstrainDate(const XtreeColumn*, StrategyNumber strategy, Oid argument_type, Datum argument, XtreeConstraint* out) {
  switch (argument_type) {
    case DATEOID: {
      const DateADT date = DatumGetDateADT(argument);
      return ConstrainExactly(strategy, {date, date}, out);
    }
    case TIMESTAMPOID:
      return ConstrainExactly(strategy, PlaceOfTimestampInDates(DatumGetTimestamp(argument)), out);
    case TIMESTAMPTZOID:
      return ConstrainDateByTimestampTz(strategy, DatumGetTimestampTz(argument), out);
    default:
      ReportArgumentType(argument_type);
  }
}

// Arguments for a column of timestamps.

void ConstrainTimestampByTimestampTz(StrategyNumber strategy, TimestampTz argument, XtreeConstraint* out) {
  if (TIMESTAMP_NOT_FINITE(argument)) return ConstrainExactly(strategy, {argument, argument}, out);
  const Offsets offsets = OffsetsAround(argument);
  const Place place{argument + offsets.min, argument + offsets.max};
  if (offsets.min == offsets.max) return ConstrainExactly(strategy, place, out);
  ConstrainRoughly(strategy, place, out);
}

void ConstrainTimestamp(const XtreeColumn*, StrategyNumber strategy, Oid argument_type, Datum argument, XtreeConstraint* out) {
  switch (argument_type) {
    case DATEOID: {
      int overflow;
      const Timestamp time = pg::TimestampOf(DatumGetDateADT(argument), &overflow);
      return ConstrainExactly(strategy, PlaceOrBeyond(time, overflow), out);
    }
    case TIMESTAMPOID: {
      const Timestamp time = DatumGetTimestamp(argument);
      return ConstrainExactly(strategy, {time, time}, out);
    }
    case TIMESTAMPTZOID:
      return ConstrainTimestampByTimestampTz(strategy, DatumGetTimestampTz(argument), out);
    default:
      ReportArgumentType(argument_type);
  }
}

// Arguments for a column of timestamps with time zone: each is one instant.

Place PlaceInTimestampTz(Oid argument_type, Datum argument) {
  int overflow = 0;
  switch (argument_type) {
    case DATEOID: {
      const TimestampTz time = pg::InstantOf(DatumGetDateADT(argument), &overflow);
      return PlaceOrBeyond(time, overflow);
    }
    case TIMESTAMPOID: {
      const TimestampTz time = pg::InstantOf(DatumGetTimestamp(argument), &overflow);
      return PlaceOrBeyond(time, overflow);
    }
    case TIMESTAMPTZOID: {
      const TimestampTz time = DatumGetTimestampTz(argument);
      return {time, time};
    }
    default:
      ReportArgumentType(argument_type);
  }
}

void ConstrainTimestampTz(const XtreeColumn*, StrategyNumber strategy, Oid argument_type, Datum argument, XtreeConstraint* out) {
  ConstrainExactly(strategy, PlaceInTimestampTz(argument_type, argument), out);
}

Datum ReconstructDate(const XtreeColumn*, const int64* lo, const int64*, bool) { return DateADTGetDatum(static_cast<DateADT>(lo[0])); }
Datum ReconstructTimestamp(const XtreeColumn*, const int64* lo, const int64*, bool) { return TimestampGetDatum(lo[0]); }

constexpr XtreeTypeRoutine kDate =
    Joinable(Ordered(ScalarRoutine(Encoding::kDate, 4, XTREE_SCALAR_INTEGER, BoundsOfDate, ConstrainDate, ReconstructDate), DateOrder));
constexpr XtreeTypeRoutine kTimestamp = Joinable(
    Ordered(ScalarRoutine(Encoding::kTimestamp, 8, XTREE_SCALAR_INTEGER, BoundsOfTimestamp, ConstrainTimestamp, ReconstructTimestamp),
            TimestampOrder));
constexpr XtreeTypeRoutine kTimestampTz = Joinable(
    Ordered(ScalarRoutine(Encoding::kTimestampTz, 8, XTREE_SCALAR_INTEGER, BoundsOfTimestamp, ConstrainTimestampTz, ReconstructTimestamp),
            TimestampOrder));

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_date_support, xtree::kDate)
XTREE_SUPPORT_FUNCTION(xtree_timestamp_support, xtree::kTimestamp)
XTREE_SUPPORT_FUNCTION(xtree_timestamptz_support, xtree::kTimestampTz)
