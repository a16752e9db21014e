// See index_counters.h.
#include "shmem/index_counters.h"

#include "pg/compat_statistics.h"
#include "shmem/index_table.h"

extern "C" {
#include "access/parallel.h"
#include "access/xact.h"
}

namespace xtree {

namespace {

using Kind = pg::StatisticsKind<IndexCounters>;

// PostgreSQL 18 has numbers from 24 to 32 for other libraries: 24 is for those in development, 25 and 26 are those of its own test module.
// Two libraries with the same one cannot be used together, so this is one that is far from where others begin to count.
constexpr uint32 kStatisticsKind = 31;

bool server_keeps = false;

// nullptr: the server keeps none for this index, which may be dropped already.
IndexCounters* Find(SharedIndex* index) { return server_keeps ? Kind::Find(index->key.database, index->key.index) : &index->counters; }

CounterValues ValuesOf(IndexCounters* counters) {
  CounterValues values;
  for (int i = 0; i < kCounters; i++) values.value[i] = static_cast<int64>(pg_atomic_read_u64(&counters->value[i]));
  return values;
}

}  // namespace

void RegisterIndexStatistics() {
  if (!pg::kStatisticsKinds) return;
  server_keeps = Kind::Register(kStatisticsKind, "xtree_index");
  if (!server_keeps)
    ereport(WARNING, (errmsg("xtree keeps its statistics itself: another library has taken the kind %u of statistics", kStatisticsKind),
                      errdetail("pg_stat_reset() does not reset them.")));
}

bool ServerKeepsCounters() { return server_keeps; }

// A parallel worker cannot say that what it makes is its leader's, to be rolled back with it.
void PrepareCounters(const SharedIndex& index, bool made_here) {
  if (!server_keeps || Kind::Find(index.key.database, index.key.index) != nullptr) return;
  if (IsParallelWorker() && (made_here || TransactionIdIsValid(GetTopTransactionIdIfAny()))) return;
  (void)Kind::Make(index.key.database, index.key.index, made_here);
}

void AddCounts(SharedIndex* index, const CounterValues& counts) {
  IndexCounters* counters = Find(index);
  if (counters == nullptr) return;
  for (int i = 0; i < kCounters; i++) {
    if (counts.value[i] != 0) pg_atomic_fetch_add_u64(&counters->value[i], counts.value[i]);
  }
}

void Count(SharedIndex* index, Counter counter) {
  CounterValues counts = {};
  counts[counter] = 1;
  AddCounts(index, counts);
}

CounterValues OwnCounters(SharedIndex* index) { return ValuesOf(&index->counters); }

CounterValues ServersCounters(IndexKey key) {
  IndexCounters* counters = Kind::Find(key.database, key.index);
  return counters != nullptr ? ValuesOf(counters) : CounterValues{};
}

List* IndexesWithServersCounters(Oid database) { return server_keeps ? Kind::RelationsOf(database) : NIL; }

void ResetOwnCounters(SharedIndex* index) {
  for (pg_atomic_uint64& counter : index->counters.value) pg_atomic_write_u64(&counter, 0);
}

void ResetServersCounters(IndexKey key) {
  if (!server_keeps) return;
  if (key.index == InvalidOid) {
    Kind::ResetAll();
  } else {
    Kind::Reset(key.database, key.index);
  }
}

void DropCountersAtCommit(IndexKey key) {
  if (server_keeps) Kind::DropAtCommit(key.database, key.index);
}

}  // namespace xtree
