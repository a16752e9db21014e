// The settings xtree.*: defined once by _PG_init, read anywhere above. Units are those that the comments say, whatever unit the user
// wrote. README.md documents each for users.
#pragma once

#include <cstdint>

namespace xtree {

enum class UseMmap : int { kAuto, kOff };
enum class BuildOnFirstUse : int { kBackground, kOff };
enum class EstimateRows : int { kAuto, kOff };

struct Settings {
  // Of a session
  int use_mmap;             // UseMmap: may scans read through a mapping?
  int prefetch_limit;       // most pages advised together; 0: none
  int map_after;            // pages of an index that a session reads through buffers before it maps it
  int build_on_first_use;   // BuildOnFirstUse: do this session's queries ask for deferred indexes?
  int estimate_rows;        // EstimateRows: is the planner told what trees know?
  int estimate_pages;       // of an index, at most read for one estimate
  bool enable_tree_join;    // is the planner offered joins of two trees?
  bool enable_lookup_join;  // and joins by lookups in one?
  double cached_page_cost;  // of an index, known to be in memory: share of random_page_cost
  int recommend_after_s;    // before an index is said not to be needed; read by the view xtree_recommendations
  bool explain_unbuilt;     // does EXPLAIN plan with deferred indexes as if they were built?
  int metrics_max_indexes;  // with metrics of their own
  int probes;               // clusters of vectors that a search looks at; 0: as the next ones say
  double search_epsilon;    // those within 1 + epsilon of the nearest one's distance; negative: as the next one says
  double recall_target;     // as many as find this share of the nearest; 1: exact

  // Of the server, changed by a reload
  int memory_budget_kb;       // of resident pages, pins and private caches; -1: no limit
  int idle_timeout_s;         // without a scan for so long: evicted; 0: never
  int warm_pool;              // so many of the most recently used indexes are never evicted
  int pin_memory_limit_kb;    // mlock()ed at most
  double hot_page_threshold;  // hotness from which on a page is pinned
  int naptime_ms;             // between two cycles of the worker
  int resident_threshold_kb;  // up to here an index is resident
  int paged_threshold_kb;     // up to here paged, above streamed
  bool verify_on_load;        // look at every page while an index is loaded
  int history_interval_s;     // between two samples of an index; 0: none are taken
  int history_retention_min;  // for which samples are kept
  bool predictive_load;       // load what will be wanted ahead of time
  int max_build_workers;      // deferred builds in the background at a time

  // Of the server, fixed at its start
  int max_tracked_pages;  // places for hot pages
  int freshness_slots;    // of 8 bytes
};

extern Settings settings;

// Do the settings have searches for the nearest vectors look at some clusters alone?
inline bool ApproximateSearches() { return settings.probes > 0 || settings.search_epsilon >= 0 || settings.recall_target < 1; }

inline bool QueriesAskForBuilds() { return settings.build_on_first_use != static_cast<int>(BuildOnFirstUse::kOff); }

// Called once, by _PG_init. Those of the third group keep their defaults without shared_preload_libraries, where nothing reads them.
void DefineSettings();

}  // namespace xtree
