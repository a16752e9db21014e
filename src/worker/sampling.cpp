// See sampling.h.
#include "worker/sampling.h"

#include "history/analysis.h"
#include "history/index_files.h"
#include "pg/compat_statistics.h"
#include "pg/settings.h"
#include "registry/file_mapping.h"
#include "shmem/event_log.h"
#include "worker/measure.h"
#include "worker/page_access.h"
#include "worker/worker_process.h"

namespace xtree {

namespace {

constexpr TimestampTz kTimeSlice = USECS_PER_SEC / 10;
constexpr TimestampTz kSweepAfter = INT64CONST(24) * 3600 * USECS_PER_SEC;

bool Due(TimestampTz sampled, TimestampTz now) { return sampled == 0 || IntervalOf(sampled) != IntervalOf(now); }

// One message a minute is enough of a disk that is full.
void ReportFailure(IndexKey key, const char* what) {
  static TimestampTz reported = 0;
  const TimestampTz now = GetCurrentTimestamp();
  if (now - reported < USECS_PER_MINUTE) return;
  reported = now;
  ereport(LOG, (errcode_for_file_access(), errmsg("could not %s the history of the xtree index with OID %u of the database with OID %u: %m",
                                                  what, key.index, key.database)));
}

// Of a few pages, whether the index is loaded or not. Only of an index's own sample: what the sum of all of them would say is nothing.
double OverlapOf(const IndexStatus& status) {
  if (!status.has_file()) return 0;
  FileMapping* const mapping = NewPassingMapping();
  double overlap = 0;
  if (mapping->Map(status.file.locator) == nullptr && mapping->identity() == status.file) {
    mapping->ReadPagesAlone();
    overlap = MeasureOverlap(*mapping);
  }
  mapping->Unmap();
  return overlap;
}

Sample SampleOf(SharedIndex* index, const IndexStatus& status, TimestampTz now) {
  const CounterValues counters = ServerKeepsCounters() ? ServersCounters(index->key) : OwnCounters(index);
  Oid table;
  Sample sample = {};
  {
    SharedIndexLock lock(index);
    table = index->table;
    sample.load_us = index->load_us;
  }
  sample.time = now;
  sample.bytes = static_cast<int64>(status.blocks) * kPageSize;  // as this cycle has looked at the file (LetGoOfLostFiles)
  sample.resident_bytes = status.resident_bytes;
  sample[SampleCount::kScans] = counters[Counter::kScans];
  sample[SampleCount::kTuples] = counters[Counter::kTuples];
  sample[SampleCount::kReads] = counters[Counter::kMappedPages] + counters[Counter::kBufferPages];
  sample[SampleCount::kAbsent] = counters[Counter::kAbsentPages];
  sample[SampleCount::kWrites] = pg::RowsWritten(index->key.database, table);
  sample[SampleCount::kLoads] = counters[Counter::kLoads];
  sample[SampleCount::kEvictions] = counters[Counter::kEvictions];
  return sample;
}

void LookAtHistory(SharedIndex* index, TimestampTz now) {
  History history;
  if (!ReadHistory(index->key, &history)) {
    ReportFailure(index->key, "read");
    return;
  }
  const UseAnalysis use = AnalyseUse(history, log_timezone, now);
  if (const char* text = DescribeUnusual(history); text != nullptr) LogEvent(EventKind::kUnusual, index->key, 0, "%s", text);
  SharedIndexLock lock(index);
  index->expected_from = use.next_begin;
  index->expected_until = use.next_end;
}

TimestampTz LastSample(SharedIndex* index) {
  SharedIndexLock lock(index);
  return index->sampled;
}

void Take(SharedIndex* index, const IndexStatus& status, TimestampTz now) {
  Sample sample = SampleOf(index, status, now);
  sample.overlap = OverlapOf(status);
  if (WriteSample(index->key, sample)) {
    LookAtHistory(index, now);
  } else {
    ReportFailure(index->key, "write");
  }
  SharedIndexLock lock(index);
  index->sampled = now;
}

void Add(Sample* sum, const Sample& other) {
  sum->bytes += other.bytes;
  sum->resident_bytes += other.resident_bytes;
  for (int i = 0; i < kSampleCounts; i++) sum->count[i] += other.count[i];
}

void TakeOfServer(const IndexList& list, TimestampTz now) {
  static TimestampTz sampled = 0;
  if (!Due(sampled, now)) return;
  Sample sum = {};
  for (int i = 0; i < list.count; i++) {
    const IndexStatus status = StatusOf(list.index[i]);
    if (!status.dropped && WasUsed(list.index[i])) Add(&sum, SampleOf(list.index[i], status, now));
  }
  sum.time = now;
  sum.resident_bytes += static_cast<int64>(pg_atomic_read_u64(&shared->private_bytes));
  if (!WriteSample(kWholeServer, sum)) ReportFailure(kWholeServer, "write");
  sampled = now;
}

void SweepNowAndThen(TimestampTz now) {
  static TimestampTz swept = 0;
  if (swept != 0 && now - swept < kSweepAfter) return;
  swept = now;
  RemoveOldIndexFiles(HistoryRetention());
}

}  // namespace

void SampleSome(const IndexList& list) {
  static int next = 0;
  if (settings.history_interval_s == 0) return;
  const TimestampTz now = GetCurrentTimestamp();
  SweepNowAndThen(now);
  TakeOfServer(list, now);
  for (int i = 0; i < list.count; i++) {
    next = next + 1 < list.count ? next + 1 : 0;
    SharedIndex* const index = list.index[next];
    const IndexStatus status = StatusOf(index);
    if (status.dropped || !WasUsed(index) || !Due(LastSample(index), now)) continue;
    Take(index, status, now);
    Breathe();
    if (GetCurrentTimestamp() > now + kTimeSlice) break;
  }
  pg::ForgetStatistics();
}

}  // namespace xtree
