// The registry of a backend: which xtree indexes it has used, and the mappings of their files.
//
// An index is in it from its first scan in this backend on. It is mapped once it is admitted by the worker (shmem/index_table.h) and
// this backend has read so many pages of it that a mapping pays (xtree.map_after); that may be in the middle of a scan. Scans hold an
// IndexUse: a mapping goes only when no scan uses it. Mappings go when the worker asks (their generation is not the index's any more),
// when the relation has another file, and when the backend exits. Planning asks only how much is in memory (ViewLoad).
//
// Memory: a RegisteredIndex per index used, in the memory context "xtree registry"; nothing in backends that do not scan.
// No locks; functions may raise ERRORs unless they say that they do not. Only where uses can be counted (shared_state.h, Counting): elsewhere
// nothing is registered. Where the library was not preloaded indexes are registered for that alone, and never mapped.
#pragma once

#include "registry/file_mapping.h"
#include "registry/residence.h"
#include "xtree.h"

namespace xtree {

// An index in this backend. state: kRegistered (not mapped), kLoading, kLoaded (mapped), kUnloading (to be unmapped when the last
// scan ends), kFailed (could not be mapped; tried again).
struct RegisteredIndex {
  Oid oid;  // key
  LoadState state;
  SharedIndex* shared;
  FileMapping mapping;
  Residence residence;      // of its pages
  uint32_t generation;      // of the mapping
  int uses;                 // scans that go on
  int mapped_uses;          // of them: through the mapping
  bool outgrown;            // somebody met a page beyond the mapping
  int64_t touch_ns;         // that registering it took, until it is mapped for the first time; then -1
  uint64_t unmapped_pages;  // read through buffers since the last mapping, by scans that may map
  LoadOptions options;      // as the last scan found them
  Oid table;                // that it is on
  TimestampTz noted;        // when this session's use of it was noted last (shmem/successions.h)
  TimestampTz failed_at;
};

// A scan's hold on an index. Zeroes: none.
struct IndexUse {
  RegisteredIndex* index;
  bool may_map;  // as soon as it pays
  bool mapped;   // read through index->mapping
  uint32_t freshness_base;
  XLogRecPtr fresh_limit;  // a page whose slot is not above is in the file as it is
};

// What a scan did, added up in shared memory when it ends.
struct ScanCounts {
  uint64_t scans;
  uint64_t tuples;
  uint64_t mapped_pages;
  uint64_t buffer_pages;
  uint64_t absent_pages;  // of both: not found in memory
  uint64_t retries;
  uint64_t faults;
  uint64_t prefetches;
  uint64_t prefetch_us;
  uint64_t asked;  // shmem/column_use.h

  void Add(const ScanCounts& o) {
    scans += o.scans, tuples += o.tuples, mapped_pages += o.mapped_pages, buffer_pages += o.buffer_pages, absent_pages += o.absent_pages;
    retries += o.retries, faults += o.faults, prefetches += o.prefetches, prefetch_us += o.prefetch_us;
    asked |= o.asked;
  }
};

// May a use read through a mapping (its snapshot, isolation level and so on decide), and when is one made?
enum class MapWhen { kNever, kWhenItPays, kNow };

// Begins a scan: registers the index, asks the worker for it if nobody has, also where this scan may not map it (its memory is budgeted, pinned and
// evicted like any other's), uses a mapping that there is, and makes one at `when`.
// REQUIRES: a lock on the relation.
void BeginUse(Relation index, const LoadOptions& options, MapWhen when, IndexUse* use);

// Pages that the use may still read through buffers before it should call MapUse; 0: it should not, whatever it reads.
uint64_t PagesBeforeMapping(const IndexUse& use);

// It pays now: maps the index in the middle of the scan, if it is admitted. REQUIRES: no page open.
void MapUse(Relation index, IndexUse* use);

// The use goes on, with another look at how fresh the file is. Cheap.
void ContinueUse(IndexUse* use);

// Is the mapping of this use to be let go, so that a new use is better than going on?
bool MustGo(const IndexUse& use);

// Ends the use; unmaps what has to go. Never raises.
void EndUse(IndexUse* use);

// Adds counts to the index's statistics. Never raises.
void CountUse(const IndexUse& use, const ScanCounts& counts);

// The shared entry of an index that this backend has used, without a reference of its own; nullptr: it has not. Never raises.
SharedIndex* RegisteredEntryOf(Oid index);

// Why no page of this relation can be served by a mapping now, and what to do about it. Zeroes: one can.
struct Hindrance {
  const char* reason;
  const char* hint;
};
Hindrance WhyNotMappable(Relation index);
Hindrance WhyNothingMappable();  // of any relation, in this session
inline bool Mappable(Relation index) { return WhyNotMappable(index).reason == nullptr; }

// How the index is loaded, as the whole server sees it. Without preload, and where nobody has scanned it: registered. Registers nothing.
struct LoadView {
  LoadState state;
  int64_t resident_bytes;  // as last measured
};
LoadView ViewLoad(Relation index);

// Lets go of mappings whose generation is not the index's any more. Never raises.
void DropStaleMappings();

// Has other sessions look at their mappings of the index now, idle ones too: its generation was raised. Never raises.
void WakeSessions(IndexKey key);

// The redo position of the last completed checkpoint, as this backend last looked; `refresh`: look again.
XLogRecPtr CheckpointedUpTo(bool refresh);

}  // namespace xtree
