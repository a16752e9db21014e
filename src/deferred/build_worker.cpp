// The process "xtree build": connects to the database of one index, builds it and ends. Started by the worker
// (build_queue.h).
//
// It gives way as autovacuum does, and is flagged as such: whoever waits for a lock that it holds has it cancelled
// after deadlock_timeout, and DROP DATABASE and CREATE DATABASE ... TEMPLATE end it. It waits in no queue of the lock
// manager but for a moment, so nobody's statement fails because of it. As with autovacuum, other builds do not wait for
// its snapshots: it runs nothing but the index's own expressions.
#include "deferred/deferred_build.h"
#include "shmem/build_demand.h"

extern "C" {
#include "access/xact.h"
#include "executor/spi.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "tcop/tcopprot.h"

PGDLLEXPORT void xtree_build_main(Datum);
}

namespace xtree {

namespace {

IndexKey key;

void FlagAsAutovacuum() {
  LWLockAcquire(ProcArrayLock, LW_EXCLUSIVE);
  MyProc->statusFlags |= PROC_IS_AUTOVACUUM;
  ProcGlobal->statusFlags[MyProc->pgxactoff] = MyProc->statusFlags;
  LWLockRelease(ProcArrayLock);
}

void Report(DeferredBuildOutcome outcome) {
  switch (outcome) {
    case DeferredBuildOutcome::kBusy:
      NoteGaveWay(key, "somebody holds a lock on the table");
      break;
    case DeferredBuildOutcome::kBuilt:  // reported when it was
      break;
    case DeferredBuildOutcome::kWasBuilt:
    case DeferredBuildOutcome::kGone:
    case DeferredBuildOutcome::kEmptyTable:
      NoteNothingToBuild(key);
      break;
  }
}

void Build() {
  StartTransactionCommand();
  PortalContext = TopMemoryContext;  // where SPI keeps what outlives a transaction
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  Report(BuildDeferredIndex(key.index, Waiting::kPolled));
  SPI_finish();
  CommitTransactionCommand();
}

// Nothing is left of a failure.
void CleanUp() {
  StartTransactionCommand();
  WithdrawDeferredIndex(key.index);
  CommitTransactionCommand();
  StartTransactionCommand();
  CutOffDeferredIndex(key.index);
  CommitTransactionCommand();
}

// The builder itself has told pg_stat_xtree_indexes.
void HandleError() {
  EmitErrorReport();
  FlushErrorState();
  AbortOutOfAnyTransaction();
}

void Run() {
  volatile bool failed = false;
  PG_TRY();
  { Build(); }
  PG_CATCH();
  {
    MemoryContextSwitchTo(TopMemoryContext);
    HandleError();
    failed = true;
  }
  PG_END_TRY();
  if (failed) CleanUp();
}

}  // namespace

}  // namespace xtree

extern "C" void xtree_build_main(Datum) {
  using namespace xtree;
  memcpy(&key, MyBgworkerEntry->bgw_extra, sizeof(key));
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pqsignal(SIGINT, StatementCancelHandler);
  pqsignal(SIGTERM, die);
  BackgroundWorkerUnblockSignals();
  BackgroundWorkerInitializeConnectionByOid(key.database, InvalidOid, 0);
  SharedIndexTable();  // attached for the life of the process
  FlagAsAutovacuum();
  pgstat_report_appname("xtree build");
  Run();
  pgstat_report_stat(true);
}
