// The functions behind the views pg_stat_xtree_pages and pg_stat_xtree_events. Both rings and tables are of the whole server; names of
// tables and indexes can only be looked up in the current database, and what an event says in words is shown only there.
//
// Anybody may call them: like PostgreSQL's statistics they tell how much, not what is in the rows; why a build failed is for
// those that may read the rows (error_access.h). Everything is copied first; rows are made from the copies.
#include <cmath>

#include "functions/error_access.h"
#include "shmem/event_log.h"
#include "shmem/hot_pages.h"
#include "shmem/index_table.h"
#include "functions/view_rows.h"

extern "C" {
PG_FUNCTION_INFO_V1(xtree_stat_pages);
PG_FUNCTION_INFO_V1(xtree_stat_events);
}

namespace xtree {

namespace {

// What the suggestion for a page needs to know of its index.
struct IndexFacts {
  IndexKey key;
  int64 bytes;
  int64 resident_bytes;
  int running;
};

IndexFacts FactsOf(IndexKey key) {
  IndexFacts facts = {key, 0, 0, 0};
  SharedIndex* index = FindSharedIndex(key);
  if (index == nullptr) return facts;
  facts.running = static_cast<int>(pg_atomic_read_u32(&index->running));
  {
    SharedIndexLock lock(index);
    facts.bytes = static_cast<int64>(index->blocks) * BLCKSZ;
    facts.resident_bytes = index->resident_bytes;
  }
  ReleaseSharedIndex(index);
  return facts;
}

double FrequencyNow(const HotPage& page, TimestampTz now) {
  const double seconds = std::max<double>(0, static_cast<double>(now - page.last_access)) / USECS_PER_SEC;
  return page.frequency * std::exp2(-seconds / kHalfLife);
}

void PutPage(RowWriter& row, const HotPage& page, const IndexFacts& index, TimestampTz now) {
  row.Id(page.key.database).Id(page.key.index).Count(page.block).Int(page.level).Count(static_cast<int64>(page.accesses));
  row.Real(FrequencyNow(page, now)).Real(Hotness(page, now)).Time(page.first_access).Time(page.last_access).Truth(page.pinned);
  if (Preloaded()) {
    row.Count(index.bytes).Count(index.resident_bytes);
  } else {
    row.Null().Null();  // nobody measures them, so there is no suggestion
  }
  row.Int(index.running).Put();
}

void PutEvent(RowWriter& row, const Event& event) {
  const bool elsewhere = event.key.database != InvalidOid && event.key.database != MyDatabaseId;
  row.Count(static_cast<int64>(event.number)).Time(event.time).Text(NameOf(event.kind)).Int(event.pid);
  row.Id(event.key.database).Id(event.key.index);
  if (event.bytes == 0) {
    row.Null();
  } else {
    row.Count(event.bytes);
  }
  const bool secret = elsewhere || (event.kind == EventKind::kFailure && event.key.index != InvalidOid && !MayReadErrors(event.key.index));
  row.Text(secret ? "" : event.reason).Put();
}

}  // namespace

}  // namespace xtree

// A row per tracked page of the server, by index and block.
extern "C" Datum xtree_stat_pages(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RowWriter row(fcinfo);
  if (!Counting()) return 0;
  const HotPages pages = CopyHotPagesInOrder();
  const TimestampTz now = GetCurrentTimestamp();
  IndexFacts index = {};
  for (int i = 0; i < pages.count; i++) {
    const IndexKey key = pages.page[i].key;
    if (key != index.key) index = FactsOf(key);
    PutPage(row, pages.page[i], index, now);
  }
  return 0;
}

// A row per event that is remembered, the oldest first.
extern "C" Datum xtree_stat_events(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RowWriter row(fcinfo);
  if (!Counting()) return 0;
  auto* events = static_cast<Event*>(palloc(sizeof(Event) * kEvents));
  int count = 0;
  for (int i = 0; i < kEvents; i++) count += ReadEvent(i, &events[count]);
  std::sort(events, events + count, [](const Event& a, const Event& b) { return a.number < b.number; });
  for (int i = 0; i < count; i++) PutEvent(row, events[i]);
  return 0;
}
