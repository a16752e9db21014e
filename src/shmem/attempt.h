// What is done for statistics alone must not end a query: it is attempted.
#pragma once

#include "pg/postgres_api.h"

namespace xtree {

// Runs body(argument) in a subtransaction, so that an ERROR leaves no lock behind. False: it raised one, which went to the server's log; or one was
// raised within the last minute, and nothing was run. A cancel is not kept back. REQUIRES: a transaction, no LWLock held.
bool AttemptForStatistics(void (*body)(void*), void* argument);

}  // namespace xtree
