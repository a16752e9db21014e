// See build_wait.h. What CREATE INDEX CONCURRENTLY waits for, and whom it leaves out, is in commands/indexcmds.c.
#include "deferred/build_wait.h"

#include "pg/compat_process.h"

extern "C" {
#include "commands/progress.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/sinvaladt.h"
#include "utils/backend_progress.h"
#include "utils/wait_event.h"
}

namespace xtree {

namespace {

constexpr long kLookAgainMs = 20;

void ReportWaitingFor(const VirtualTransactionId& holder) {
  const PGPROC* process = pg::ProcessOf(holder);
  if (process != nullptr) pgstat_progress_update_param(PROGRESS_WAITFOR_CURRENT_PID, process->pid);
}

void WaitFor(const VirtualTransactionId& holder, Waiting waiting) {
  ReportWaitingFor(holder);
  if (waiting == Waiting::kQueued) {
    VirtualXactLock(holder, true);
    return;
  }
  while (!VirtualXactLock(holder, false)) {
    CHECK_FOR_INTERRUPTS();
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kLookAgainMs, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
  }
}

void ReportWait(int64 total, int64 done) {
  const int parameters[] = {PROGRESS_WAITFOR_TOTAL, PROGRESS_WAITFOR_DONE, PROGRESS_WAITFOR_CURRENT_PID};
  const int64 values[] = {total, done, 0};
  pgstat_progress_update_multi_param(3, parameters, values);
}

void WaitForAll(const VirtualTransactionId* holder, int count, Waiting waiting) {
  for (int i = 0; i < count; i++) {
    ReportWait(count, i);
    WaitFor(holder[i], waiting);
  }
  ReportWait(0, 0);
}

}  // namespace

static const VirtualTransactionId* WritersOf(Oid table, int* count) {
  LOCKTAG tag;
  SET_LOCKTAG_RELATION(tag, MyDatabaseId, table);
  return GetLockConflicts(&tag, ShareLock, count);
}

void WaitForWriters(Oid table, Waiting waiting) {
  int count;
  const VirtualTransactionId* holders = WritersOf(table, &count);
  WaitForAll(holders, count, waiting);
}

bool NobodyWrites(Oid table) {
  int count;
  (void)WritersOf(table, &count);
  return count == 0;
}

void WaitForSnapshots(TransactionId xmin, Waiting waiting) {
  int count;
  const VirtualTransactionId* holders =
      GetCurrentVirtualXIDs(xmin, true, false, PROC_IS_AUTOVACUUM | PROC_IN_VACUUM | PROC_IN_SAFE_IC, &count);
  WaitForAll(holders, count, waiting);
}

}  // namespace xtree
