// The functions behind the views pg_stat_xtree_history and pg_stat_xtree_usage, and xtree_forecast(): what the worker has written down of the indexes
// of this database. Anybody may call them, as they tell how much, not what is in the rows. Without preload there is no worker, and they tell nothing.
#include <sys/statvfs.h>

#include "functions/view_rows.h"
#include "history/analysis.h"
#include "history/index_files.h"
#include "pg/settings.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "common/relpath.h"
#include "miscadmin.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(xtree_index_history);
PG_FUNCTION_INFO_V1(xtree_index_usage);
PG_FUNCTION_INFO_V1(xtree_forecast);
}

namespace xtree {

namespace {

History HistoryOf(IndexKey key) {
  History history;
  if (!ReadHistory(key, &history))
    ereport(ERROR, (errcode_for_file_access(), errmsg("could not read the history of the index with OID %u: %m", key.index)));
  return history;
}

Datum IntervalDatum(int64 microseconds) {
  auto* const out = static_cast<Interval*>(palloc0(sizeof(Interval)));
  out->day = static_cast<int32>(microseconds / USECS_PER_DAY);
  out->time = microseconds % USECS_PER_DAY;
  return IntervalPGetDatum(out);
}

void PutSample(RowWriter& row, const Sample& before, const Sample& now) {
  const auto increase = [&](SampleCount which) { return Increase(before, now, which); };
  row.Time(now.time).Add(IntervalDatum(now.time - before.time)).Count(now.bytes).Count(now.resident_bytes);
  row.Count(increase(SampleCount::kScans)).Count(increase(SampleCount::kTuples)).Count(increase(SampleCount::kReads));
  const int64 reads = increase(SampleCount::kReads);
  const double absent = static_cast<double>(std::min(reads, increase(SampleCount::kAbsent)));
  if (reads == 0) {
    row.Null();
  } else {
    row.Real(1 - absent / static_cast<double>(reads));
  }
  row.Count(increase(SampleCount::kWrites)).Count(increase(SampleCount::kLoads));
  row.Add(Float8GetDatum(static_cast<double>(now.load_us) / 1000), now.load_us == 0).Count(increase(SampleCount::kEvictions));
  row.Add(Float8GetDatum(now.overlap), now.overlap == 0).Put();
}

// The first sample has nothing before it: what was counted until then is of no known time.
void PutFirst(RowWriter& row, const Sample& first) {
  row.Time(first.time).Null().Count(first.bytes).Count(first.resident_bytes);
  for (int unknown = 0; unknown < 6; unknown++) row.Null();
  row.Add(Float8GetDatum(static_cast<double>(first.load_us) / 1000), first.load_us == 0).Null();
  row.Add(Float8GetDatum(first.overlap), first.overlap == 0).Put();
}

Datum TextOrNull(const char* text) { return text != nullptr ? CStringGetTextDatum(text) : Datum{0}; }

constexpr Forecast kNothing = {false, -1, 0, 0, 0, 0};

// Sums of what is forecast, of a tablespace.
struct Sum {
  Oid tablespace;
  Forecast size;
};

struct Sums {
  Sum* sum;
  int count;
};

void AddTo(Forecast* sum, const Forecast& other) {
  sum->known = true;
  sum->now += other.now;
  sum->expected += other.expected;
  sum->low += other.low;
  sum->high += other.high;
  sum->bytes_per_day += other.bytes_per_day;
}

Sum* SumOf(Sums* sums, Oid tablespace) {
  for (int i = 0; i < sums->count; i++) {
    if (sums->sum[i].tablespace == tablespace) return &sums->sum[i];
  }
  const size_t bytes = sizeof(Sum) * (sums->count + 1);
  sums->sum = static_cast<Sum*>(sums->sum == nullptr ? palloc(bytes) : repalloc(sums->sum, bytes));
  sums->sum[sums->count] = {tablespace, {}};
  return &sums->sum[sums->count++];
}

// False: it is not there any more, or is not an index.
bool TablespaceOf(Oid index, Oid* tablespace) {
  const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
  if (!HeapTupleIsValid(tuple)) return false;
  const auto* const form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
  const bool is_index = form->relkind == RELKIND_INDEX;
  *tablespace = form->reltablespace != InvalidOid ? form->reltablespace : MyDatabaseTableSpace;
  ReleaseSysCache(tuple);
  return is_index;
}

// Bytes that are left on the disk of a tablespace for this database; negative: not known.
double FreeBytes(Oid tablespace) {
  char* const path = GetDatabasePath(MyDatabaseId, tablespace);
  struct statvfs status;
  return statvfs(path, &status) == 0 ? static_cast<double>(status.f_bavail) * static_cast<double>(status.f_frsize) : -1;
}

void PutBytes(RowWriter& row, const Forecast& forecast) {
  row.Add(Int64GetDatum(static_cast<int64>(forecast.now)), forecast.now < 0);
  for (const double bytes : {forecast.expected, forecast.low, forecast.high, forecast.bytes_per_day}) {
    row.Add(Int64GetDatum(static_cast<int64>(bytes)), !forecast.known);
  }
}

void PutForecast(RowWriter& row, Oid index, Oid tablespace, const Forecast& size, const Forecast& resident, TimestampTz now) {
  row.Id(index).Id(tablespace);
  PutBytes(row, size);
  PutBytes(row, resident);
  const double left = tablespace != InvalidOid ? FreeBytes(tablespace) : -1;
  row.Time(left >= 0 && size.known ? ReachedAt(size, 0, left, now) : 0);
  const bool is_server = tablespace == InvalidOid && settings.memory_budget_kb >= 0;
  row.Time(is_server ? ReachedAt(resident, resident.now, settings.memory_budget_kb * 1024.0, now) : 0).Put();
}

TimestampTz Later(TimestampTz now, Datum ahead) {
  const TimestampTz at = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(now), ahead));
  if (at >= now) return at;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the interval of a forecast must not be negative"),
                  errhint("Give how far ahead it is to look, for example '30 days'.")));
}

}  // namespace

}  // namespace xtree

// xtree_index_history(index oid): a row per sample of an index of this database, in the order of time.
extern "C" Datum xtree_index_history(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RowWriter row(fcinfo);
  if (!Preloaded()) return 0;
  const History history = HistoryOf({MyDatabaseId, PG_GETARG_OID(0)});
  for (int i = 0; i < history.count; i++) {
    if (i == 0) {
      PutFirst(row, history.sample[0]);
    } else {
      PutSample(row, history.sample[i - 1], history.sample[i]);
    }
  }
  return 0;
}

// xtree_index_usage(index oid): one row on an index that has a history, none on others. Hours are those of the session's time zone.
extern "C" Datum xtree_index_usage(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RowWriter row(fcinfo);
  if (!Preloaded() || settings.history_interval_s == 0) return 0;
  const History history = HistoryOf({MyDatabaseId, PG_GETARG_OID(0)});
  if (history.count == 0) return 0;
  const UseAnalysis use = AnalyseUse(history, session_timezone, GetCurrentTimestamp());
  const char* const unusual = DescribeUnusual(history);
  row.Int(history.count).Time(history.sample[0].time);
  row.Add(TextOrNull(use.use), use.use == nullptr).Add(TextOrNull(use.pattern), use.pattern == nullptr);
  const bool periodic = use.period_us != 0;
  row.Add(periodic ? IntervalDatum(use.period_us) : 0, !periodic).Add(periodic ? IntervalDatum(use.begins_us) : 0, !periodic);
  row.Time(use.next_begin).Add(Int64GetDatum(use.scans_per_interval), history.count < 2);
  row.Add(TextOrNull(unusual), unusual == nullptr).Put();
  return 0;
}

// xtree_forecast(ahead interval): a row per index of this database with a history, one per tablespace with their sums, and one of the server.
extern "C" Datum xtree_forecast(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RowWriter row(fcinfo);
  const TimestampTz now = GetCurrentTimestamp();
  const TimestampTz at = Later(now, PG_GETARG_DATUM(0));
  if (!Preloaded() || settings.history_interval_s == 0) return 0;
  const IndexKeys keys = IndexesWithFile(MyDatabaseId, IndexFile::kHistory);
  Sums sums = {};
  for (int i = 0; i < keys.count; i++) {
    CHECK_FOR_INTERRUPTS();
    Oid tablespace;
    if (!TablespaceOf(keys.key[i].index, &tablespace)) continue;
    const History history = HistoryOf(keys.key[i]);
    const Forecast size = ForecastOf(history, Growing::kBytes, at);
    if (size.known) AddTo(&SumOf(&sums, tablespace)->size, size);
    PutForecast(row, keys.key[i].index, tablespace, size, ForecastOf(history, Growing::kResident, at), now);
    if (history.sample != nullptr) pfree(history.sample);
  }
  for (int i = 0; i < sums.count; i++) PutForecast(row, InvalidOid, sums.sum[i].tablespace, sums.sum[i].size, kNothing, now);
  const History server = HistoryOf(kWholeServer);
  PutForecast(row, InvalidOid, InvalidOid, ForecastOf(server, Growing::kBytes, at), ForecastOf(server, Growing::kResident, at), now);
  return 0;
}
