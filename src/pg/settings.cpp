// See settings.h.
#include "pg/settings.h"

#include "pg/postgres_api.h"

extern "C" {
#include "utils/guc.h"
}

namespace xtree {

Settings settings;

namespace {

const config_enum_entry kUseMmap[] = {
    {"auto", static_cast<int>(UseMmap::kAuto), false}, {"off", static_cast<int>(UseMmap::kOff), false}, {nullptr, 0, false}};

const config_enum_entry kBuildOnFirstUse[] = {{"background", static_cast<int>(BuildOnFirstUse::kBackground), false},
                                              {"off", static_cast<int>(BuildOnFirstUse::kOff), false},
                                              {nullptr, 0, false}};

const config_enum_entry kEstimateRows[] = {
    {"auto", static_cast<int>(EstimateRows::kAuto), false}, {"off", static_cast<int>(EstimateRows::kOff), false}, {nullptr, 0, false}};

void DefineInt(const char* name, const char* text, const char* more, int* value, int initial, int min, int max, GucContext context,
               int unit) {
  DefineCustomIntVariable(name, text, more, value, initial, min, max, context, unit, nullptr, nullptr, nullptr);
}

void DefineOfSessions() {
  DefineCustomEnumVariable("xtree.use_mmap", "Lets scans read index files through memory mappings.",
                           "auto: wherever that is safe and the library was preloaded; off: never.", &settings.use_mmap,
                           static_cast<int>(UseMmap::kAuto), kUseMmap, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  DefineInt("xtree.prefetch_limit", "Most pages that a scan asks the kernel for together, before it reads them.",
            "0 turns prefetching off.", &settings.prefetch_limit, 32, 0, 1024, PGC_USERSET, 0);
  DefineInt("xtree.map_after", "Pages of an index that a session reads through shared buffers before it maps the index.",
            "Making a mapping costs as much as it saves on some sixty pages. 0: an index is mapped at the first scan.", &settings.map_after,
            64, 0, 1000000, PGC_USERSET, 0);
  DefineCustomEnumVariable("xtree.build_on_first_use", "Has deferred indexes built when queries of this session could use them.",
                           "background: by a background worker, while the queries go on without; needs shared_preload_libraries. "
                           "off: only xtree_build() and REINDEX build them.",
                           &settings.build_on_first_use, static_cast<int>(BuildOnFirstUse::kBackground), kBuildOnFirstUse, PGC_USERSET, 0,
                           nullptr, nullptr, nullptr);
  DefineCustomEnumVariable("xtree.estimate_rows", "Lets the planner count rows by a look at xtree indexes.",
                           "auto: where the operator's own estimate is a constant, and of several conditions on one index; off: never.",
                           &settings.estimate_rows, static_cast<int>(EstimateRows::kAuto), kEstimateRows, PGC_USERSET, 0, nullptr, nullptr,
                           nullptr);
  DefineInt("xtree.estimate_pages", "Most pages of an index that the planner reads for one estimate.",
            "Of joins and parameters, which stand for many values, it is so many for some values together.", &settings.estimate_pages, 16,
            2, 1024, PGC_USERSET, 0);
  DefineCustomRealVariable("xtree.cached_page_cost",
                           "The planner's cost of a page of an index that is known to be in memory, as a share of random_page_cost.",
                           "1: what is in memory makes no difference to plans. Without shared_preload_libraries nothing is known.",
                           &settings.cached_page_cost, 0, 0, 1, PGC_USERSET, GUC_EXPLAIN, nullptr, nullptr, nullptr);
  DefineCustomBoolVariable("xtree.enable_tree_join", "Enables the planner's use of joins of two xtree indexes.",
                           "Where a join condition is an operator that indexes on both tables can answer together.",
                           &settings.enable_tree_join, true, PGC_USERSET, GUC_EXPLAIN, nullptr, nullptr, nullptr);
  DefineCustomBoolVariable(
      "xtree.enable_lookup_join", "Enables the planner's use of joins that look many rows up in an xtree index at a time.",
      "Where a join condition is an operator that an index on one of the tables can answer, or the nearest rows are asked for.",
      &settings.enable_lookup_join, true, PGC_USERSET, GUC_EXPLAIN, nullptr, nullptr, nullptr);
  DefineInt("xtree.recommend_after", "Time for which an index was watched before xtree_recommendations says that nobody needs it.", nullptr,
            &settings.recommend_after_s, 24 * 3600, 0, INT_MAX / 1000, PGC_USERSET, GUC_UNIT_S);
  DefineCustomBoolVariable("xtree.explain_unbuilt", "Has EXPLAIN show the plan that there would be if deferred indexes were built.",
                           "Of EXPLAIN without ANALYZE, whose plan is not run. The size of the indexes is estimated each time.",
                           &settings.explain_unbuilt, false, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  DefineInt("xtree.metrics_max_indexes", "Most indexes that xtree_metrics() lists one by one.",
            "Those with most scans are listed, the others are summed up. 0: none is listed.", &settings.metrics_max_indexes, 1000, 0, 10000,
            PGC_USERSET, 0);
}

void DefineOfVectors() {
  DefineInt("xtree.probes", "Clusters that a search for the nearest vectors looks at before it returns the first row.",
            "0: xtree.search_epsilon or xtree.recall_target say it; without them searches are exact. Whoever asks for more rows than these "
            "clusters hold gets those of further ones.",
            &settings.probes, 0, 0, 65535, PGC_USERSET, GUC_EXPLAIN);
  DefineCustomRealVariable("xtree.search_epsilon",
                           "Looks at the clusters whose centroids are at most (1 + epsilon) times as far away as the nearest one.",
                           "-1: xtree.recall_target says how many.", &settings.search_epsilon, -1, -1, 1000, PGC_USERSET, GUC_EXPLAIN,
                           nullptr, nullptr, nullptr);
  DefineCustomRealVariable("xtree.recall_target", "Share of the 10 nearest vectors that a search is to find, on average.",
                           "1: all, so that the answer is exact. What it takes was measured when the index was built.",
                           &settings.recall_target, 1, 0, 1, PGC_USERSET, GUC_EXPLAIN, nullptr, nullptr, nullptr);
}

void DefineOfMemory() {
  DefineInt("xtree.memory_budget", "Memory for pages of indexes, pinned or not, and for what sessions keep of them.",
            "Above it the least recently used indexes are evicted until a tenth is free. -1 means no limit. "
            "Without shared_preload_libraries nothing is mapped.",
            &settings.memory_budget_kb, -1, -1, INT_MAX, PGC_SIGHUP, GUC_UNIT_KB);
  DefineInt("xtree.idle_timeout", "Time without a scan after which an index is evicted.",
            "0 turns this off. Without shared_preload_libraries there is nothing to evict.", &settings.idle_timeout_s, 300, 0,
            INT_MAX / 1000, PGC_SIGHUP, GUC_UNIT_S);
  DefineInt("xtree.warm_pool", "Number of most recently used indexes that are never evicted.", nullptr, &settings.warm_pool, 0, 0, 1000000,
            PGC_SIGHUP, 0);
  DefineInt("xtree.pin_memory_limit", "Memory in which hot pages are locked.",
            "The limit of the operating system (RLIMIT_MEMLOCK) holds as well. 0 turns pinning off.", &settings.pin_memory_limit_kb,
            64 * 1024, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_KB);
  DefineCustomRealVariable("xtree.hot_page_threshold", "Hotness from which on a page is pinned.", "See pg_stat_xtree_pages.hotness.",
                           &settings.hot_page_threshold, 1.0, 0.0, 1e9, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineInt("xtree.resident_threshold", "Size up to which an index is loaded and kept whole (strategy resident).", nullptr,
            &settings.resident_threshold_kb, 100 * 1024, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_KB);
  DefineInt("xtree.paged_threshold", "Size up to which an index is mapped on demand (strategy paged); larger ones are streamed.", nullptr,
            &settings.paged_threshold_kb, 5 * 1024 * 1024, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_KB);
}

void DefineOfWorker() {
  DefineInt("xtree.naptime", "Time between two cycles of the background worker.", nullptr, &settings.naptime_ms, 5000, 100, 3600 * 1000,
            PGC_SIGHUP, GUC_UNIT_MS);
  DefineCustomBoolVariable("xtree.verify_on_load", "Looks at every page of an index before it is mapped.",
                           "Checksums where the cluster has them, and page headers. An index that fails is read through shared buffers.",
                           &settings.verify_on_load, false, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineInt("xtree.max_build_workers", "Deferred indexes that are built in the background at a time.",
            "Each takes a place of max_worker_processes. 0: none are.", &settings.max_build_workers, 2, 0, 64, PGC_SIGHUP, 0);
  DefineInt("xtree.history_interval", "Time between two samples of the history of an index.",
            "See pg_stat_xtree_history. 0: none are taken.", &settings.history_interval_s, 3600, 0, 24 * 3600, PGC_SIGHUP, GUC_UNIT_S);
  DefineInt("xtree.history_retention", "Time for which samples are kept.", "At most 10000 samples are kept of an index.",
            &settings.history_retention_min, 30 * 24 * 60, 1, 10 * 366 * 24 * 60, PGC_SIGHUP, GUC_UNIT_MIN);
  DefineCustomBoolVariable(
      "xtree.predictive_load", "Loads indexes ahead of time.",
      "Before the hour at which they are used daily or weekly, with those that they follow in sessions, and after a restart those "
      "that were loaded before, with the pages that were in memory.",
      &settings.predictive_load, false, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
}

// Fixed when shared memory is laid out, so they can be defined only while the server starts.
void DefineOfSharedMemory() {
  settings.max_tracked_pages = 10000;
  settings.freshness_slots = 1 << 20;
  if (!process_shared_preload_libraries_in_progress) return;
  DefineInt("xtree.max_tracked_pages", "Number of pages whose use is tracked to find the hot ones.", nullptr, &settings.max_tracked_pages,
            settings.max_tracked_pages, 64, 10000000, PGC_POSTMASTER, 0);
  DefineInt("xtree.freshness_slots", "Number of slots of 8 bytes that tell which pages were changed since the last checkpoint.",
            "Rounded up to a power of two. With fewer slots more pages are read through shared buffers.", &settings.freshness_slots,
            settings.freshness_slots, 1024, 1 << 28, PGC_POSTMASTER, 0);
}

}  // namespace

void DefineSettings() {
  DefineOfSessions();
  DefineOfVectors();
  DefineOfMemory();
  DefineOfWorker();
  DefineOfSharedMemory();
}

}  // namespace xtree
