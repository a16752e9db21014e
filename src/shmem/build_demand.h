// The demand for deferred indexes, and what becomes of it, in the shared index table: which index is waiting to be
// built, being built, or could not be. Backends note demand while they plan; the worker takes the index that most
// queries have asked for; the builder reports.
//
//   none -> queued -> building -> none (built)
//                        |-> queued, not before next_try: it gave way to somebody else
//                        |-> failed: the next demand after next_try queues it again
//
// Without the worker (shared_state.h, Preloaded) demand is counted and nothing queued; without shared memory nothing happens here. All under the
// entry's mutex.
#pragma once

#include "shmem/index_table.h"

namespace xtree {

// A query of this session would have used the index if it were built. Counted once a statement.
void NoteDemand(Oid table, Oid index);

// A process begins to build the index, or has come to an end with it.
void NoteBuildBegin(IndexKey key);
void NoteBuilt(IndexKey key, int64 bytes);
void NoteNothingToBuild(IndexKey key);
void NoteGaveWay(IndexKey key, const char* reason);
void NoteBuildFailure(IndexKey key, const char* message);

// At the end of a process that may not have come to an end with it.
void NoteBuildInterrupted(IndexKey key);

// A copy of what an entry's mutex guards of it.
SharedBuildStatus SharedBuildStatusOf(SharedIndex* index);

}  // namespace xtree
