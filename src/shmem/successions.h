// Which index follows which in the same sessions: a bounded table in shared memory, of the indexes that sessions began to use, and of those that they
// began to use next. For xtree.predictive_load.
#pragma once

#include "shmem/index_table.h"

namespace xtree {

struct SuccessionTable;

size_t SuccessionTableBytes();
void InitializeSuccessionTable(void* memory, int tranche);

// A session began to use `now`, after `before` ({0, 0}: after nothing). Never raises, never waits: where the table is locked nothing is noted.
// REQUIRES: shared != nullptr.
void NoteSuccession(IndexKey before, IndexKey now);

// Those that followed `index` in at least half of the sessions, and in kFewestSessions at least. Returns how many.
inline constexpr int kFollowers = 4;
inline constexpr int kFewestSessions = 3;
int FollowersOf(IndexKey index, IndexKey follower[kFollowers]);

// Of an index that is dropped.
void ForgetSuccessions(IndexKey index);

}  // namespace xtree
