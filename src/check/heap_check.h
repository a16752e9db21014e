// HeapCheck: is every row of the table in the index exactly once, with the right key?
//
// Every index entry, and then every row that a new snapshot sees, becomes a 64-bit fingerprint: TID and 16 bits of a hash of the key's box, and of
// the vector's code in an index of clusters. A row's vector has one of each of the index's models (core/cluster/cluster_models.h), of which the
// entry must have one. An entry that scans leave out as dead (kill bits) is none. Both sets are sorted within maintenance_work_mem and merged.
// Exact for TIDs; a wrong key goes unnoticed once in 65,536, in an index of several models as many times as often.
#pragma once

#include "index/vector_coder.h"
#include "index/index_access.h"

extern "C" {
#include "utils/snapshot.h"
#include "utils/tuplesort.h"
}

namespace xtree {

class HeapCheck {
 public:
  // `snapshot`: registered, and taken before any page of the index was read. `quiescent`: nobody writes meanwhile (not so on a standby,
  // where replay goes on and a TID may be met twice that was removed and used again).
  HeapCheck(const OpenIndex& open, const IndexState& state, Snapshot snapshot, bool quiescent);

  void AddEntry(const NodeView& leaf, int entry);  // may raise: within PgCall only

  // After all entries. Raises ERRCODE_INDEX_CORRUPTED for a TID that is indexed twice and for a row without its entry.
  void CompareWithHeap();

 private:
  static void AddRow(Relation index, ItemPointer tuple, Datum* values, bool* isnull, bool alive, void* self);
  int64 Fingerprint(const Box& box, TupleId tuple, const uint8_t* code, uint16_t bytes) const;
  void AddRowCodedBy(VectorCoder* coder, ItemPointer tuple, Datum* values, bool* isnull);
  Tuplesortstate* NewSort() const;
  void ScanHeap();
  int TakeRow(int64* candidates, int64* next, bool* have_next);
  void Merge();
  [[noreturn]] void Report(int64 fingerprint, const char* problem) const;

  OpenIndex open_;
  const IndexState* state_;
  const bool quiescent_;
  Snapshot snapshot_;
  int coders_ = 0;  // one for each model
  VectorCoder* coder_[kMaxGenerations];
  Tuplesortstate* entries_;
  Tuplesortstate* rows_ = nullptr;
  MemoryContext row_context_;
};

}  // namespace xtree
