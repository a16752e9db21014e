// Building an index that was left unbuilt, with the phases of CREATE INDEX CONCURRENTLY: readers and writers of the
// table go on.
//
//   1  the table is scanned with a snapshot, the tree is written behind the meta page; state ready: writers insert
//   2  wait for the writers that may not know that; validate_index adds the rows that they and the snapshot missed
//   3  wait for the snapshots that may still need rows which neither scan saw; state built
//
// Each phase is a transaction of its own. Locks, held for the session: ShareUpdateExclusiveLock on the table, which
// keeps out other builds, VACUUM and changes of the table, and RowExclusiveLock on the index. An ERROR leaves the index
// unbuilt (or ready, which nobody reads either), and the next build begins anew: it withdraws state ready, waits for
// the writers that may still insert, and cuts the pages off before it writes others.
#pragma once

#include "deferred/build_wait.h"

namespace xtree {

enum class DeferredBuildOutcome {
  kBuilt,
  kWasBuilt,    // by somebody else
  kGone,        // dropped meanwhile
  kEmptyTable,  // of Waiting::kPolled alone: nothing to gain
  kBusy,        // likewise: somebody holds a lock on the table
};

// REQUIRES: connected to SPI in a non-atomic context, because transactions are committed; no subtransaction; a
// permanent or unlogged index. Ereports where `index` is no usable xtree index.
DeferredBuildOutcome BuildDeferredIndex(Oid index, Waiting waiting);

// After a build that failed, one after the other in transactions of their own; they do nothing where somebody holds a
// lock on the table. The first has writers stop inserting into what was written, the second gives its disk space back,
// unless somebody writes to the table just now.
void WithdrawDeferredIndex(Oid index);
void CutOffDeferredIndex(Oid index);

}  // namespace xtree
