// Metrics of the whole server: memory, worker, events, and how long loads take. What is not known is left out, as it is NULL in the views:
// without preload all that only mappings and the worker have.
#include "functions/metrics.h"
#include "functions/server_copy.h"
#include "pg/settings.h"
#include "registry/index_registry.h"
#include "shmem/event_log.h"
#include "shmem/sweep.h"

namespace xtree {

namespace {

constexpr MetricType kCounter = MetricType::kCounter;
constexpr MetricType kGauge = MetricType::kGauge;

const char* OneLabel(const char* name, const char* value) {
  StringInfoData label;
  initStringInfo(&label);
  AppendLabel(&label, name, value);
  return label.data;
}

void ExposeMapping(Exposition* out) {
  out->One("xtree_preloaded", kGauge, "Is xtree in shared_preload_libraries, so that indexes are mapped and there is a worker?", "",
           Known(Preloaded()));
  const char* reason = WhyNothingMappable().reason;
  out->One("xtree_mapping_info", kGauge, "Always 1; the label mapping says on, or why indexes are read through shared buffers alone.",
           OneLabel("mapping", reason == nullptr ? "on" : reason), Known(1));
}

// Sessions see to the number of entries where there is no worker (shmem/sweep.h).
void ExposeCounted(Exposition* out, const ServerCopy& server) {
  if (!Preloaded()) SweepDropped();
  const IndexCounts counts = CountIndexes();
  out->One("xtree_memory_indexes_registered", kGauge, "Indexes of all databases that were used since the server started.", "",
           Known(counts.registered));
  out->One("xtree_memory_private_bytes", kGauge, "Memory that sessions keep of indexes.", "", Known(PrivateBytes()));
  out->One("xtree_stats_reset_timestamp_seconds", kGauge, "Since when statistics are counted.", "", Moment(server.reset_time));
  if (!Preloaded()) return;
  out->One("xtree_memory_indexes_loaded", kGauge, "Indexes of all databases that are loaded.", "", Known(counts.loaded));
}

void ExposeMemory(Exposition* out, const ServerCopy& server) {
  const MemoryStatus& memory = server.memory;
  const int64 budget = BudgetBytes();
  out->One("xtree_memory_mapped_bytes", kGauge, "Address space of mappings, added up over sessions.", "",
           Known(pg_atomic_read_u64(&shared->mapped_bytes)));
  out->One("xtree_memory_resident_bytes", kGauge, "Of loaded indexes in memory, as the worker last measured.", "",
           Known(memory.resident_bytes));
  out->One("xtree_memory_pinned_bytes", kGauge, "Of loaded indexes locked in memory.", "", Known(memory.pinned_bytes));
  out->One("xtree_memory_budget_bytes", kGauge, "xtree.memory_budget; absent: no limit.", "", budget < 0 ? kUnknown : Known(budget));
  out->One("xtree_memory_pressure_ratio", kGauge, "Resident and private bytes divided by the budget; from 1 on indexes are evicted.", "",
           budget <= 0 ? kUnknown : Known(Pressure(memory, PrivateBytes())));
  out->One("xtree_memory_pin_limit_bytes", kGauge, "xtree.pin_memory_limit.", "", Known(int64{settings.pin_memory_limit_kb} * 1024));
  out->One("xtree_memory_memlock_limit_bytes", kGauge, "What the operating system lets the worker lock; absent: no limit.", "",
           memory.memlock_limit < 0 || server.worker.cycles == 0 ? kUnknown : Known(memory.memlock_limit));
  out->One("xtree_memory_pin_failures_total", kCounter, "Times that locking pages failed.", "", Known(memory.pin_failures));
  out->One("xtree_memory_evicted_bytes_total", kCounter, "Freed by evictions.", "", Known(memory.evicted_bytes));
  out->One("xtree_memory_admissions_total", kCounter, "Loads that the worker completed.", "", Known(memory.admissions));
}

void ExposeWorker(Exposition* out, const WorkerStatus& worker) {
  const bool runs = worker.pid != 0;
  out->One("xtree_worker_up", kGauge, "Does the background worker run?", "", Known(runs));
  out->One("xtree_worker_info", kGauge, "Always 1; the label state says what the background worker does.", OneLabel("state", worker.state),
           runs && worker.state[0] != '\0' ? Known(1) : kUnknown);
  out->One("xtree_worker_start_timestamp_seconds", kGauge, "When the background worker was started.", "", Moment(worker.started));
  out->One("xtree_worker_last_cycle_timestamp_seconds", kGauge, "End of the last round over all indexes.", "", Moment(worker.last_cycle));
  out->One("xtree_worker_last_cycle_duration_seconds", kGauge, "What the last round took.", "",
           worker.cycles == 0 ? kUnknown : Seconds(worker.cycle_us));
  out->One("xtree_worker_naptime_seconds", kGauge, "xtree.naptime, the time between two rounds.", "",
           Seconds(int64{settings.naptime_ms} * 1000));
  out->One("xtree_worker_cycles_total", kCounter, "Rounds of the background worker.", "", Known(worker.cycles));
  out->One("xtree_worker_restarts_total", kCounter, "Restarts of the background worker after errors.", "", Known(worker.restarts));
  out->One("xtree_worker_last_error_timestamp_seconds", kGauge, "When the background worker last met an error; absent: never.", "",
           Moment(worker.last_error_time));
}

// What cannot happen without preload is left out there, unless it did.
bool OnlyPreloaded(EventKind kind) { return kind != EventKind::kBuild && kind != EventKind::kFailure; }

void ExposeEvents(Exposition* out) {
  const EventCounts counts = CountEvents();
  out->Family("xtree_events_total", kCounter,
              "Events of indexes of all databases by kind, as in pg_stat_xtree_events, which has the last 512 of them.");
  for (int i = 0; i < kEventKinds; i++) {
    const auto kind = static_cast<EventKind>(i);
    const bool known = Preloaded() || !OnlyPreloaded(kind) || counts.of[i] > 0;
    out->Sample(OneLabel("kind", NameOf(kind)), known ? Known(counts.of[i]) : kUnknown);
  }
}

void ExposeLatency(Exposition* out, Latency latency, const char* name, const char* help) {
  const LatencyValues values = ReadLatency(latency);
  double bound[kLatencyBounds];
  for (int i = 0; i < kLatencyBounds; i++) bound[i] = static_cast<double>(LatencyBound(i)) / 1e9;
  out->Histogram(name, help, values.count, bound, kLatencyBounds, static_cast<double>(values.sum) / 1e9);
}

}  // namespace

void ExposeServer(Exposition* out) {
  ExposeMapping(out);
  if (!Counting()) return;
  const ServerCopy server = CopyServer();
  ExposeCounted(out, server);
  ExposeEvents(out);
  if (!Preloaded()) return;
  ExposeMemory(out, server);
  ExposeWorker(out, server.worker);
  ExposeLatency(out, Latency::kLoad, "xtree_load_duration_seconds",
                "Loads of indexes, from the access that asked for it to the admission by the worker.");
  ExposeLatency(out, Latency::kFirstTouch, "xtree_first_touch_duration_seconds",
                "What a session takes to register an index and to map it for the first time.");
}

}  // namespace xtree
