// The build state of an index: its meta page says whether it is built, and everything that reads or writes entries asks
// here.
//
//   unbuilt -> ready -> built
//
// src/deferred does the steps; an index that CREATE INDEX builds at once begins as built.
//
// Rows go into an index that is ready or built; scans may use one that is built, on a standby with snapshots that are
// not older than its usable_from_xid alone. A change is one WAL record of the meta page, made under its exclusive lock.
// It holds at once for whoever reads the page, and for all others from the relation cache invalidation on that the
// changing transaction sends when it commits. So a change that others must obey is followed by a commit and a wait for
// those that may not have seen it.
#pragma once

#include "build/build_steps.h"
#include "index/index_state.h"

namespace xtree {

inline bool TakesRows(const IndexState& state) { return state.build_state >= MetaBuildState::kReady; }

// May a scan with a snapshot of this xmin use the index?
bool UsableFrom(const IndexState& state, TransactionId xmin);

// Ereports unless the index is built, after a second look at the meta page: the cached state may be older than the
// plan.
void RequireBuilt(Relation index, IndexState* state);
// The same for the snapshot of a scan.
void RequireUsable(Relation index, const IndexState& state, Snapshot snapshot);

// The meta page of an index that is not built, its only page. REQUIRES: the relation has no page.
void WriteUnbuilt(Relation index, const IndexState& state);

// Rows were written that the index would have taken. `state` is what the writing statement keeps of the index, and remembers it: a COPY of a million
// rows says it once.
void MarkStale(Relation index, IndexState* state);

// The steps, and the way back from ready. Each announces itself to others at commit.
void SetUnbuilt(Relation index);
void SetReady(Relation index, const BuiltTree& built);
void SetBuilt(Relation index, uint64_t usable_from_xid);

}  // namespace xtree
