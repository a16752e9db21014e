// The functions behind the views pg_stat_xtree_memory and pg_stat_xtree_worker: what the worker wrote down of itself and measured in its
// last cycle, what backends count, and how many indexes the shared table holds. Anybody may call them. Copied under shared->lock; rows are
// made from the copies.
#include "functions/server_copy.h"
#include "registry/index_registry.h"
#include "shmem/sweep.h"
#include "functions/view_rows.h"

extern "C" {
PG_FUNCTION_INFO_V1(xtree_stat_memory);
PG_FUNCTION_INFO_V1(xtree_stat_worker);
PG_FUNCTION_INFO_V1(xtree_mapping);
}

namespace xtree {

namespace {

// What is known where nothing is mapped and nobody measures.
void PutCounted(RowWriter& row, const ServerCopy& server) {
  SweepDropped();
  row.Count(CountIndexes().registered).Null().Null().Null().Null().Count(PrivateBytes());
  for (int unknown = 0; unknown < 7; unknown++) row.Null();
  row.Time(server.reset_time).Put();
}

void PutMemory(RowWriter& row, const ServerCopy& server) {
  const MemoryStatus& memory = server.memory;
  const int64 budget = BudgetBytes();
  const IndexCounts counts = CountIndexes();
  const int64 private_bytes = PrivateBytes();
  row.Count(counts.registered).Count(counts.loaded).Count(static_cast<int64>(pg_atomic_read_u64(&shared->mapped_bytes)));
  row.Count(memory.resident_bytes).Count(memory.pinned_bytes).Count(private_bytes);
  if (budget < 0) {
    row.Null().Null();
  } else {
    row.Count(budget);
    row.Add(Float8GetDatum(budget > 0 ? Pressure(memory, private_bytes) : 0), budget == 0);
  }
  row.Add(Int64GetDatum(memory.memlock_limit), memory.memlock_limit < 0 || server.worker.cycles == 0);
  row.Count(memory.pin_failures).Text(memory.pin_failure).Count(memory.evicted_bytes).Count(memory.admissions);
  row.Time(server.reset_time).Put();
}

void PutWorker(RowWriter& row, const WorkerStatus& worker) {
  row.Add(Int32GetDatum(worker.pid), worker.pid == 0);
  row.Text(worker.pid == 0 ? "" : worker.state).Time(worker.started).Time(worker.last_cycle);
  if (worker.cycles == 0) {
    row.Null();
  } else {
    row.Duration(worker.cycle_us);
  }
  row.Count(worker.cycles).Count(worker.restarts).Text(worker.last_error).Time(worker.last_error_time).Put();
}

}  // namespace

}  // namespace xtree

// One row; none where nothing is counted.
extern "C" Datum xtree_stat_memory(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RowWriter row(fcinfo);
  if (!Counting()) return 0;
  if (Preloaded()) {
    PutMemory(row, CopyServer());
  } else {
    PutCounted(row, CopyServer());
  }
  return 0;
}

// xtree_mapping() returns text
extern "C" Datum xtree_mapping(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  const char* reason = xtree::WhyNothingMappable().reason;
  PG_RETURN_TEXT_P(cstring_to_text(reason == nullptr ? "on" : reason));
}

// One row for the background worker, also while none runs; none where the library was not preloaded.
extern "C" Datum xtree_stat_worker(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RowWriter row(fcinfo);
  if (Preloaded()) PutWorker(row, CopyServer().worker);
  return 0;
}
