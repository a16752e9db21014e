// Waiting for transactions of others, between the phases of a deferred build. The caller holds no snapshot, so that
// nobody waits for it.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "storage/lock.h"
}

namespace xtree {

enum class Waiting {
  kQueued,  // in the lock manager, as CREATE INDEX CONCURRENTLY: it finds deadlocks
  kPolled,  // by looking again and again: a background build never is part of a deadlock that would cost somebody else
            // his statement
};

// For all transactions that may write to the table, and began before now.
void WaitForWriters(Oid table, Waiting waiting);

// Is there no such transaction now?
bool NobodyWrites(Oid table);

// For all transactions of this database with a snapshot that may see what a snapshot of this xmin does not.
void WaitForSnapshots(TransactionId xmin, Waiting waiting);

}  // namespace xtree
