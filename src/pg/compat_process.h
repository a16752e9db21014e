// Differences between PostgreSQL's versions: processes and shared memory. See compat.h.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "lib/dshash.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/procsignal.h"
#include "storage/sinvaladt.h"
#if PG_VERSION_NUM >= 180000
#include "storage/aio_subsys.h"
#endif
}

namespace pg {

// For a process without a database: from now on it is asked to close files before they go away, as sessions are.
inline void JoinProcSignal() {
  SharedInvalBackendInit(true);
#if PG_VERSION_NUM >= 180000
  ProcSignalInit(nullptr, 0);
#elif PG_VERSION_NUM >= 170000
  ProcSignalInit();
#else
  ProcSignalInit(MyBackendId);
#endif
}

// Has idle sessions of a database look at the invalidation messages, which they would do only at their next statement.
inline void SignalCatchup(Oid database) {
  for (uint32 i = 0; i < ProcGlobal->allProcCount; i++) {
    const PGPROC& proc = ProcGlobal->allProcs[i];
    if (proc.pid == 0 || proc.pid == MyProcPid || proc.databaseId != database) continue;
#if PG_VERSION_NUM >= 170000
    if (proc.vxid.procNumber != INVALID_PROC_NUMBER) (void)SendProcSignal(proc.pid, PROCSIG_CATCHUP_INTERRUPT, proc.vxid.procNumber);
#else
    if (proc.backendId != InvalidBackendId) (void)SendProcSignal(proc.pid, PROCSIG_CATCHUP_INTERRUPT, proc.backendId);
#endif
  }
}

// The process that runs a transaction; nullptr: none any more. Processes have numbers of their own from 17 on.
inline const PGPROC* ProcessOf(const VirtualTransactionId& transaction) {
#if PG_VERSION_NUM >= 170000
  return ProcNumberGetProc(transaction.procNumber);
#else
  return BackendIdGetProc(transaction.backendId);
#endif
}

// What an ERROR left of this process's I/O, outside of a transaction. From 16 on the resource owner ends that on buffers.
inline void AbortIo() {
#if PG_VERSION_NUM >= 180000
  pgaio_error_cleanup();
#elif PG_VERSION_NUM < 160000
  AbortBufferIO();
#endif
}

// Tranches of locks: as many as there are names, with consecutive numbers, of which the first is returned. For the process that lays out shared
// memory, when nobody else is there yet.
template <size_t kCount>
int NewTranches([[maybe_unused]] const char* const (&names)[kCount]) {
#if PG_VERSION_NUM >= 190000
  const int first = LWLockNewTrancheId(names[0]);
  for (size_t i = 1; i < kCount; i++) LWLockNewTrancheId(names[i]);
#else
  const int first = LWLockNewTrancheId();
  for (size_t i = 1; i < kCount; i++) LWLockNewTrancheId();
#endif
  return first;
}

// For each process. From 19 on the names are in shared memory.
template <size_t kCount>
void NameTranches([[maybe_unused]] int first, [[maybe_unused]] const char* const (&names)[kCount]) {
#if PG_VERSION_NUM < 190000
  for (size_t i = 0; i < kCount; i++) LWLockRegisterTranche(first + static_cast<int>(i), names[i]);
#endif
}

// Of a table whose keys are compared as bytes. From 17 on copying a key is a parameter too.
inline dshash_parameters TableOfBytes(size_t key, size_t entry, int tranche) {
  dshash_parameters parameters = {};
  parameters.key_size = key;
  parameters.entry_size = entry;
  parameters.compare_function = dshash_memcmp;
  parameters.hash_function = dshash_memhash;
#if PG_VERSION_NUM >= 170000
  parameters.copy_function = dshash_memcpy;
#endif
  parameters.tranche_id = tranche;
  return parameters;
}

}  // namespace pg
