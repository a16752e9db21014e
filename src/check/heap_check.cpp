#include "check/heap_check.h"

#include "index/key_box.h"
#include "pg/compat_commands.h"

extern "C" {
#include "access/genam.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
}

namespace xtree {

namespace {

constexpr int kHashBits = 16;

uint64 TidOf(int64 fingerprint) { return static_cast<uint64>(fingerprint) >> kHashBits; }

bool Next(Tuplesortstate* sort, int64* fingerprint) {
  Datum value;
  bool isnull;
  if (!pg::NextSortedDatum(sort, &value, &isnull)) return false;
  *fingerprint = DatumGetInt64(value);
  return true;
}

}  // namespace

HeapCheck::HeapCheck(const OpenIndex& open, const IndexState& state, Snapshot snapshot, bool quiescent)
    : open_(open),
      state_(&state),
      quiescent_(quiescent),
      snapshot_(snapshot),
      entries_(NewSort()),
      row_context_(AllocSetContextCreate(CurrentMemoryContext, "xtree check row", ALLOCSET_DEFAULT_SIZES)) {
  if (state.vectors.dimensions == 0) return;
  const ClusterModels& models = UseModels(open.index, CurrentMemoryContext).models;
  for (int g = 0; g < models.count(); g++) coder_[coders_++] = VectorCoder::Make(state, models.model(g), models.first_cluster(g));
}

// `code`: of an index of clusters, unless the vector is NULL.
int64 HeapCheck::Fingerprint(const Box& box, TupleId tuple, const uint8_t* code, uint16_t bytes) const {
  const Size boxed = state_->layout.dimensions * sizeof(Ordinal);
  uint64 hash = hash_bytes_extended(reinterpret_cast<const unsigned char*>(box.lo), static_cast<int>(boxed), box.marks);
  hash = hash_bytes_extended(reinterpret_cast<const unsigned char*>(box.hi), static_cast<int>(boxed), hash);
  if (coders_ > 0 && (box.marks & ColumnMarks(state_->vectors.column, kMarkNull)) == 0)
    hash = hash_bytes_extended(code, code == nullptr ? 0 : std::min(bytes, coder_[0]->bytes()), hash);
  return static_cast<int64>(tuple.Packed() << kHashBits | (hash & ((1 << kHashBits) - 1)));
}

Tuplesortstate* HeapCheck::NewSort() const {
  return tuplesort_begin_datum(INT8OID, Int8LessOperator, InvalidOid, false, maintenance_work_mem / 2, nullptr, TUPLESORT_NONE);
}

void HeapCheck::AddEntry(const NodeView& leaf, int entry) {
  // Scans leave it out, since its row is dead to everybody. So it does not count for one that is not. (On a standby scans look at all.)
  if (!snapshot_->takenDuringRecovery && leaf.Killed(entry)) return;
  Box box;
  leaf.GetBox(entry, &box);
  uint16_t length = 0;
  const uint8_t* payload = coders_ > 0 ? leaf.Payload(entry, &length) : nullptr;
  tuplesort_putdatum(entries_, Int64GetDatum(Fingerprint(box, leaf.Tuple(entry), payload, length)), false);
}

// `coder`: nullptr where there are no vectors in clusters.
void HeapCheck::AddRowCodedBy(VectorCoder* coder, ItemPointer tuple, Datum* values, bool* isnull) {
  const MemoryContext old = MemoryContextSwitchTo(row_context_);
  Box box;
  FormBox(open_.index, *state_, coder, tuple, values, isnull, &box);
  MemoryContextSwitchTo(old);
  const uint8_t* code = coder != nullptr ? coder->code() : nullptr;
  const uint16_t bytes = coder != nullptr ? coder->bytes() : 0;
  tuplesort_putdatum(rows_, Int64GetDatum(Fingerprint(box, ToTupleId(*tuple), code, bytes)), false);
  MemoryContextReset(row_context_);
}

void HeapCheck::AddRow(Relation, ItemPointer tuple, Datum* values, bool* isnull, bool, void* argument) {
  auto* self = static_cast<HeapCheck*>(argument);
  const bool coded = self->coders_ > 0 && !isnull[self->state_->vectors.column];
  const int ways = coded ? self->coders_ : 1;
  for (int i = 0; i < ways; i++) self->AddRowCodedBy(self->coders_ > 0 ? self->coder_[i] : nullptr, tuple, values, isnull);
}

void HeapCheck::ScanHeap() {
  IndexInfo* info = BuildIndexInfo(open_.index);
  info->ii_Concurrent = true;  // the rows that a snapshot sees, as CREATE INDEX CONCURRENTLY reads them
  info->ii_Unique = false;
  info->ii_ExclusionOps = nullptr;
  info->ii_ExclusionProcs = nullptr;
  info->ii_ExclusionStrats = nullptr;
  const TableScanDesc scan = table_beginscan_strat(open_.heap, snapshot_, 0, nullptr, true, true);
  table_index_build_scan(open_.heap, open_.index, info, true, false, AddRow, this, scan);
}

void HeapCheck::Report(int64 fingerprint, const char* problem) const {
  const uint64 tid = TidOf(fingerprint);
  const TupleId tuple{static_cast<uint16_t>(tid >> 32), static_cast<uint16_t>(tid >> 16), static_cast<uint16_t>(tid)};
  ItemPointerData pointer = ToItemPointer(tuple);
  ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
                  errmsg("row (%u,%u) of table \"%s\" is %s index \"%s\"", ItemPointerGetBlockNumberNoCheck(&pointer),
                         ItemPointerGetOffsetNumberNoCheck(&pointer), RelationGetRelationName(open_.heap), problem,
                         RelationGetRelationName(open_.index)),
                  errhint("Please REINDEX it.")));
  pg_unreachable();
}

// The fingerprints that the entry of the next row may have; returns how many: 0 at the end. `next`: the first of that row, and then of the one
// behind it.
int HeapCheck::TakeRow(int64* candidates, int64* next, bool* have_next) {
  int count = 0;
  while (*have_next && count < kMaxGenerations && (count == 0 || TidOf(*next) == TidOf(candidates[0]))) {
    candidates[count++] = *next;
    *have_next = Next(rows_, next);
  }
  return count;
}

void HeapCheck::Merge() {
  int64 row[kMaxGenerations] = {}, next = 0, entry = 0, last = 0;
  bool have_next = Next(rows_, &next), found = false;
  int candidates = TakeRow(row, &next, &have_next);
  const auto end_row = [&] {
    if (!found) Report(row[0], "missing, or has another key, in");
    candidates = TakeRow(row, &next, &have_next);
    found = false;
  };
  for (bool first = true; Next(entries_, &entry); first = false) {
    CHECK_FOR_INTERRUPTS();
    if (quiescent_ && !first && TidOf(entry) == TidOf(last)) Report(entry, "twice in");
    while (candidates > 0 && TidOf(row[0]) < TidOf(entry)) end_row();
    found = found || std::find(row, row + candidates, entry) != row + candidates;
    last = entry;
  }
  while (candidates > 0) end_row();
}

void HeapCheck::CompareWithHeap() {
  rows_ = NewSort();
  ScanHeap();
  tuplesort_performsort(entries_);
  tuplesort_performsort(rows_);
  Merge();
  tuplesort_end(entries_);
  tuplesort_end(rows_);
}

}  // namespace xtree
