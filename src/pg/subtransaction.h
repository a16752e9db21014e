// Runs what may raise an ERROR that must not end the statement.
#pragma once

#include "pg/postgres_api.h"

namespace xtree {

// Runs body(argument) in a subtransaction, so that an ERROR leaves no lock and no pin behind. Returns the ERROR, in the current memory context;
// nullptr: there was none. A cancel is not kept back. `kRollBack`: of one that only reads, since the end of another begins a command.
// REQUIRES: a transaction, no LWLock held; before PostgreSQL 17, and for one that is released, no parallel mode.
enum class SubtransactionEnd { kRelease, kRollBack };
ErrorData* RunInSubtransaction(void (*body)(void*), void* argument, SubtransactionEnd end);

}  // namespace xtree
