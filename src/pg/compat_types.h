// Differences between PostgreSQL's versions: what operator classes call to compute as operators do. See compat.h.
#pragma once

#include "pg/postgres_api.h"

#include <cmath>
#include <limits>

extern "C" {
#include "utils/date.h"
#include "utils/geo_decls.h"
#include "utils/timestamp.h"
#if PG_VERSION_NUM >= 190000
#include "nodes/miscnodes.h"
#endif
}

namespace pg {

// Conversions between types of time. Where the other one has no such value, `overflow` says beyond which end it lies: -1 or 1, else 0. From 19 on
// they tell it as an error that is not raised; all of them count from the year 2000, so a value's sign is its end.
#if PG_VERSION_NUM >= 190000
template <auto kConvert, typename From>
auto ConvertTime(From value, int* overflow) {
  ErrorSaveContext errors = {};
  errors.type = T_ErrorSaveContext;
  const auto converted = kConvert(value, reinterpret_cast<Node*>(&errors));
  *overflow = !errors.error_occurred ? 0 : value > 0 ? 1 : -1;
  return converted;
}
inline Timestamp TimestampOf(DateADT date, int* overflow) { return ConvertTime<date2timestamp_safe>(date, overflow); }
inline TimestampTz InstantOf(DateADT date, int* overflow) { return ConvertTime<date2timestamptz_safe>(date, overflow); }
inline TimestampTz InstantOf(Timestamp time, int* overflow) { return ConvertTime<timestamp2timestamptz_safe>(time, overflow); }
#else
inline Timestamp TimestampOf(DateADT date, int* overflow) { return date2timestamp_opt_overflow(date, overflow); }
inline TimestampTz InstantOf(DateADT date, int* overflow) { return date2timestamptz_opt_overflow(date, overflow); }
inline TimestampTz InstantOf(Timestamp time, int* overflow) { return timestamp2timestamptz_opt_overflow(time, overflow); }
#endif

// The length of (x, y) as operators in the plane compute it; NaN where they raise an ERROR. Before 19 by the server's pg_hypot, for which a number
// that is too large is one, and of which that of numbers divided by 4 is a quarter, bit for bit; then by the C library's, which is infinite there.
#if PG_VERSION_NUM >= 190000
constexpr bool kHypotIsServers = false;
inline double Hypot(double x, double y) { return std::hypot(x, y); }
#else
constexpr bool kHypotIsServers = true;
inline double Hypot(double x, double y) {
  constexpr double kSafe = 1e307, kGreatest = std::numeric_limits<double>::max();
  const bool safe = std::fabs(x) < kSafe && std::fabs(y) < kSafe;
  if (safe || !std::isfinite(x) || !std::isfinite(y)) return pg_hypot(x, y);
  const double quarter = pg_hypot(x / 4, y / 4);
  return quarter > kGreatest / 4 ? std::numeric_limits<double>::quiet_NaN() : quarter * 4;
}
#endif

}  // namespace pg
