// Runs what may raise an ERROR that must not end the statement.
#pragma once

#include "pg/postgres_api.h"

namespace xtree {

// Runs body(argument) in a subtransaction that is rolled back, so that neither it nor an ERROR leaves a lock or a pin behind. What is not undone by a
// rollback (shared memory, memory of the session) stays. Returns the ERROR, in the current memory context; nullptr: there was none. A cancel is not
// kept back. It is never released, since that begins a command, which parallel mode forbids.
// REQUIRES: a transaction, no LWLock held; before PostgreSQL 17 no parallel mode.
ErrorData* RunInSubtransaction(void (*body)(void*), void* argument);

}  // namespace xtree
