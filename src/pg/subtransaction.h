// Runs what may raise an ERROR that must not end the statement.
#pragma once

#include "pg/postgres_api.h"

namespace xtree {

// Runs body(argument) in a subtransaction, so that an ERROR leaves no lock and no pin behind. Returns the ERROR, in the current memory context;
// nullptr: there was none. A cancel is not kept back. REQUIRES: a transaction, no LWLock held; MayBeginSubtransaction().
ErrorData* RunInSubtransaction(void (*body)(void*), void* argument);

}  // namespace xtree
