// Metrics of the indexes of this database: of each that is listed, of the others together, and of all together, which do not change when an index
// begins or ceases to be listed.
#include "functions/metrics_indexes.h"

#include "functions/metrics.h"
#include "pg/settings.h"

extern "C" {
#include "commands/dbcommands.h"
#include "utils/lsyscache.h"
}

namespace xtree {

namespace {

constexpr MetricType kCounter = MetricType::kCounter;
constexpr MetricType kGauge = MetricType::kGauge;

// Where a number comes from decides where it is known: as in the view, of an index that nobody has used it is 0.
Measure Counted(int64 value) { return Counting() ? Known(value) : kUnknown; }
Measure OfMappings(int64 value) { return Preloaded() ? Known(value) : kUnknown; }

template <Counter counter>
Measure CountOf(const IndexFacts& index) {
  return Counted(index.counters[counter]);
}
template <Counter counter>
Measure MappingCountOf(const IndexFacts& index) {
  return OfMappings(index.counters[counter]);
}

constexpr IndexCopy kUnused = {};
const IndexCopy& UseOf(const IndexFacts& index) { return index.used != nullptr ? *index.used : kUnused; }

Measure Size(const IndexFacts& index) { return index.blocks > 0 ? Known(index.blocks * BLCKSZ) : kUnknown; }
Measure MappedBytes(const IndexFacts& index) { return OfMappings(UseOf(index).mapped_by > 0 ? UseOf(index).blocks * BLCKSZ : 0); }
Measure ResidentBytes(const IndexFacts& index) { return OfMappings(UseOf(index).resident_bytes); }
Measure PinnedBytes(const IndexFacts& index) { return OfMappings(UseOf(index).pinned_bytes); }
Measure Backends(const IndexFacts& index) { return OfMappings(UseOf(index).mapped_by); }
Measure Demand(const IndexFacts& index) { return Counted(static_cast<int64>(UseOf(index).build.demand)); }
Measure Entries(const IndexFacts& index) {
  return index.build.built && index.rows >= 0 && !index.file.temporary ? Known(index.rows) : kUnknown;
}
Measure PrefetchSeconds(const IndexFacts& index) { return Counting() ? Seconds(index.counters[Counter::kPrefetchUs]) : kUnknown; }
Measure Quota(const IndexFacts& index) {
  return index.options.memory_quota_kb >= 0 ? Known(int64{index.options.memory_quota_kb} * 1024) : kUnknown;
}
Measure Preload(const IndexFacts& index) { return Known(index.options.preload); }
Measure FirstAccess(const IndexFacts& index) { return Moment(UseOf(index).first_access); }
Measure LastAccess(const IndexFacts& index) { return Moment(UseOf(index).last_access); }
Measure LastError(const IndexFacts& index) { return Moment(UseOf(index).last_error_time); }
Measure LastLoad(const IndexFacts& index) { return UseOf(index).load_us != 0 ? Seconds(UseOf(index).load_us) : kUnknown; }
Measure NextBuild(const IndexFacts& index) { return Moment(UseOf(index).build.next_try); }
Measure Built(const IndexFacts& index) { return index.build.known ? Known(index.build.built) : kUnknown; }
Measure Stale(const IndexFacts& index) { return index.build.known ? Known(index.build.stale) : kUnknown; }
Measure Progress(const IndexFacts& index) { return index.build_progress >= 0 ? Known(index.build_progress) : kUnknown; }

bool KeysKnown(const IndexFacts& index) { return index.build.built && index.build.distinct_keys > 0; }
Measure DistinctKeys(const IndexFacts& index) { return KeysKnown(index) ? Known(index.build.distinct_keys) : kUnknown; }
Measure RowsPerKey(const IndexFacts& index) {
  if (!KeysKnown(index)) return kUnknown;
  return Known(static_cast<double>(index.build.counted_rows) / static_cast<double>(index.build.distinct_keys));
}

struct IndexMetric {
  const char* name;  // after the prefix
  MetricType type;
  const char* help;
  Measure (*of)(const IndexFacts& index);
};

// What can be added up.
constexpr IndexMetric kSums[] = {
    {"absent_reads_total", kCounter, "Pages read that were neither in the page cache nor in shared buffers.",
     CountOf<Counter::kAbsentPages>},
    {"backends", kGauge, "Sessions that map an index.", Backends},
    {"buffer_reads_total", kCounter, "Pages read through shared buffers.", CountOf<Counter::kBufferPages>},
    {"demand_queries", kGauge, "Queries that asked for an index since it was last built, or the server started.", Demand},
    {"entries", kGauge, "Rows in an index, as the last VACUUM, ANALYZE or CREATE INDEX counted or estimated.", Entries},
    {"evictions_total", kCounter, "Times that the worker evicted an index.", MappingCountOf<Counter::kEvictions>},
    {"faults_total", kCounter, "Mapped pages that the file could not give, read again through shared buffers.",
     MappingCountOf<Counter::kFaults>},
    {"loads_total", kCounter, "Times that a session mapped an index.", MappingCountOf<Counter::kLoads>},
    {"mapped_bytes", kGauge, "Bytes of files that sessions map, each counted once.", MappedBytes},
    {"mapped_reads_total", kCounter, "Pages read through mappings.", MappingCountOf<Counter::kMappedPages>},
    {"pinned_bytes", kGauge, "Bytes locked in memory.", PinnedBytes},
    {"prefetch_seconds_total", kCounter, "Time that asking for pages ahead took.", PrefetchSeconds},
    {"prefetches_total", kCounter, "Pages read ahead.", CountOf<Counter::kPrefetches>},
    {"resident_bytes", kGauge, "Mapped bytes in memory, as last measured.", ResidentBytes},
    {"retries_total", kCounter, "Mapped pages that changed meanwhile, read again through shared buffers.",
     MappingCountOf<Counter::kRetries>},
    {"scans_total", kCounter, "Index scans.", CountOf<Counter::kScans>},
    {"size_bytes", kGauge, "Bytes of files.", Size},
    {"tuples_total", kCounter, "Index entries that scans returned.", CountOf<Counter::kTuples>},
    {"unloads_total", kCounter, "Times that an index was unloaded on request.", MappingCountOf<Counter::kUnloads>},
};

// What means something of one index only.
constexpr IndexMetric kSingles[] = {
    {"build_progress_ratio", kGauge, "Share of the phase of the build that goes on that is done.", Progress},
    {"built", kGauge, "Is it built? Absent while somebody has it locked.", Built},
    {"distinct_keys", kGauge, "Different keys, as they were estimated when it was built.", DistinctKeys},
    {"first_access_timestamp_seconds", kGauge, "First use.", FirstAccess},
    {"last_access_timestamp_seconds", kGauge, "Last use.", LastAccess},
    {"last_error_timestamp_seconds", kGauge, "When it last could not be loaded or built; absent: never.", LastError},
    {"last_load_duration_seconds", kGauge, "From the first access to its admission, of the last load.", LastLoad},
    {"memory_quota_bytes", kGauge, "Option memory_quota.", Quota},
    {"next_build_timestamp_seconds", kGauge, "After a build that failed or gave way: not tried again before.", NextBuild},
    {"preload", kGauge, "Option preload.", Preload},
    {"rows_per_key", kGauge, "Rows per key, when it was built.", RowsPerKey},
    {"stale", kGauge, "Were rows written that it would have taken, while it was not built?", Stale},
};

// As pg_stat_xtree_indexes.state.
const char* StateOf(const IndexFacts& index) {
  if (!index.build.known || index.build.built) return NameOf(UseOf(index).state);
  const char* stage = NameOf(UseOf(index).build.stage);
  return stage[0] != '\0' ? stage : "unbuilt";
}

const char* StrategyOf(const IndexFacts& index) {
  const Strategy strategy = UseOf(index).strategy;
  return NameOf(strategy == Strategy::kAuto ? index.options.strategy : strategy);
}

const char* WithState(const IndexFacts& index) {
  StringInfoData labels;
  initStringInfo(&labels);
  appendStringInfoString(&labels, index.labels);
  AppendLabel(&labels, "state", StateOf(index));
  AppendLabel(&labels, "strategy", StrategyOf(index));
  return labels.data;
}

void ExposeStates(Exposition* out, const DatabaseFacts& database) {
  out->Family("xtree_index_info", kGauge, "Always 1; labels say the state of an index and how it is kept in memory.");
  for (int i = 0; i < database.count; i++) {
    if (database.index[i].labels != nullptr) out->Sample(WithState(database.index[i]), Known(1));
  }
}

void Add(Measure* sum, Measure value) {
  if (!value.known) return;
  sum->known = true;
  sum->value += value.value;
}

struct Labels {
  const char* database;
  const char* others;
};

Labels LabelsOf(const char* name) {
  StringInfoData database, others;
  initStringInfo(&database);
  AppendLabel(&database, "datname", name);
  initStringInfo(&others);
  AppendLabel(&others, "datname", name);
  for (const char* empty : {"schemaname", "relname", "indexrelname"}) AppendLabel(&others, empty, "");
  AppendLabel(&others, "other", "true");
  return {database.data, others.data};
}

// Each that is listed, and the sums.
void ExposeSum(Exposition* out, const DatabaseFacts& database, const Labels& labels, const IndexMetric& metric) {
  Measure others = kUnknown, all = kUnknown;
  out->Family(psprintf("xtree_index_%s", metric.name), metric.type, metric.help);
  for (int i = 0; i < database.count; i++) {
    const IndexFacts& index = database.index[i];
    const Measure value = metric.of(index);
    Add(&all, value);
    if (index.labels == nullptr) {
      Add(&others, value);
    } else {
      out->Sample(index.labels, value);
    }
  }
  out->Sample(labels.others, others);
  out->One(psprintf("xtree_database_%s", metric.name), metric.type, metric.help, labels.database, all);
}

void ExposeSingle(Exposition* out, const DatabaseFacts& database, const IndexMetric& metric) {
  out->Family(psprintf("xtree_index_%s", metric.name), metric.type, metric.help);
  for (int i = 0; i < database.count; i++) {
    if (database.index[i].labels != nullptr) out->Sample(database.index[i].labels, metric.of(database.index[i]));
  }
}

struct BuildCounts {
  int64 built, unbuilt, stale, queued, building, failed, loaded, listed;
};

BuildCounts CountBuilds(const DatabaseFacts& database) {
  BuildCounts counts = {};
  for (int i = 0; i < database.count; i++) {
    const IndexFacts& index = database.index[i];
    const char* state = StateOf(index);
    const bool unbuilt = index.build.known && !index.build.built;
    counts.built += index.build.built;
    counts.unbuilt += unbuilt;
    counts.stale += index.build.stale;
    counts.queued += strcmp(state, "queued") == 0;
    counts.building += strcmp(state, "building") == 0;
    counts.failed += unbuilt && strcmp(state, "failed") == 0;
    counts.loaded += strcmp(state, "loaded") == 0;
    counts.listed += index.labels != nullptr;
  }
  return counts;
}

void ExposeBuilds(Exposition* out, const DatabaseFacts& database, const char* labels) {
  const BuildCounts counts = CountBuilds(database);
  const auto one = [&](const char* name, const char* help, int64 count) { out->One(name, kGauge, help, labels, Known(count)); };
  one("xtree_database_indexes", "xtree indexes of the database.", database.count);
  one("xtree_database_indexes_built", "Of them built.", counts.built);
  one("xtree_database_indexes_unbuilt", "Of them not built.", counts.unbuilt);
  one("xtree_database_indexes_stale", "Of them not built, and their tables were written to since.", counts.stale);
  one("xtree_database_indexes_queued", "Of them not built, and a background build was asked for.", counts.queued);
  one("xtree_database_indexes_building", "Of them being built.", counts.building);
  one("xtree_database_indexes_failed", "Of them not built, because that failed.", counts.failed);
  one("xtree_database_indexes_loaded", "Of them loaded into memory.", counts.loaded);
  one("xtree_database_indexes_listed", "Of them listed one by one in xtree_index_*; the others are summed up under the label other.",
      counts.listed);
}

}  // namespace

void ExposeIndexes(Exposition* out) {
  const DatabaseFacts database = CollectIndexes(settings.metrics_max_indexes);
  const Labels labels = LabelsOf(get_database_name(MyDatabaseId));
  for (const IndexMetric& metric : kSums) ExposeSum(out, database, labels, metric);
  for (const IndexMetric& metric : kSingles) ExposeSingle(out, database, metric);
  ExposeStates(out, database);
  ExposeBuilds(out, database, labels.database);
}

}  // namespace xtree
