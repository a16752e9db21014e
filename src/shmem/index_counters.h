// Where the uses of an index are counted: atomics, which anybody adds to at any time.
//
// On PostgreSQL 18 and newer, where the library was preloaded, they are the server's own cumulative statistics, of the kind "xtree_index": the server
// keeps them over a clean restart, pg_stat_reset() resets them, pg_stat_have_stats('xtree_index', database, index) knows of them, and the server
// forgets them with the index or its database. Nothing is pending: a scan adds to the shared entry when it ends. Elsewhere they are a part of the
// index's entry in our own table, and worker/persistence.h keeps them.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pg_list.h"
#include "port/atomics.h"
}

namespace xtree {

struct SharedIndex;
struct IndexKey;

enum class Counter : int {
  kLoads,      // by a backend: a mapping was made
  kUnloads,    // on request
  kEvictions,  // by the worker
  kScans,
  kTuples,       // entries that scans returned
  kMappedPages,  // read through mappings
  kBufferPages,  // read through shared buffers
  kAbsentPages,  // of both: not in the page cache, or not in the shared buffers
  kRetries,      // of mapped pages: changed meanwhile, read again through buffers
  kFaults,       // SIGBUS under a mapping
  kPrefetches,   // pages advised, or read ahead by a stream
  kPrefetchUs,   // time that advising took
};
inline constexpr int kCounters = 12;

struct IndexCounters {
  pg_atomic_uint64 value[kCounters];
};

struct CounterValues {
  int64 value[kCounters];
  int64& operator[](Counter counter) { return value[static_cast<int>(counter)]; }
  int64 operator[](Counter counter) const { return value[static_cast<int>(counter)]; }
};

// Called by _PG_init while the server starts.
void RegisterIndexStatistics();
bool ServerKeepsCounters();

// Sees to it that there are counters for the index, which a scan is about to use. `made_here`: this transaction has made its file. May raise.
void PrepareCounters(const SharedIndex& index, bool made_here);

// Adds to the counters, if there are any. Where they have been prepared in this process it allocates nothing, and never raises.
void AddCounts(SharedIndex* index, const CounterValues& counts);
void Count(SharedIndex* index, Counter counter);

// What the index's entry in our own table says, which is nothing where the server keeps counters; what the server says.
CounterValues OwnCounters(SharedIndex* index);
CounterValues ServersCounters(IndexKey key);
List* IndexesWithServersCounters(Oid database);  // of OIDs; NIL where the server keeps none

void ResetOwnCounters(SharedIndex* index);
void ResetServersCounters(IndexKey key);  // key.index 0: of all indexes
// When this transaction commits, where the server keeps them.
void DropCountersAtCommit(IndexKey key);

}  // namespace xtree
