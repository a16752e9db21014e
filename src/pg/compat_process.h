// Differences between PostgreSQL's versions: processes and shared memory. See compat.h.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "lib/dshash.h"
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#endif
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

// Shared memory for libraries that were not preloaded, from 17 on: the segment of this name, made and initialized by the first that asks for it,
// mapped for the life of the process.
#if PG_VERSION_NUM >= 170000
inline constexpr bool kNamedSegments = true;
inline void* NamedSegment(const char* name, size_t bytes, void (*initialize)(void*)) {
  bool found;
#if PG_VERSION_NUM >= 190000
  return GetNamedDSMSegment(
      name, bytes, [](void* memory, void* with) { (*static_cast<void (**)(void*)>(with))(memory); }, &found, &initialize);
#else
  return GetNamedDSMSegment(name, bytes, initialize, &found);
#endif
}
#else
inline constexpr bool kNamedSegments = false;
inline void* NamedSegment(const char*, size_t, void (*)(void*)) { return nullptr; }
#endif

// A tranche of locks, for the process that lays out shared memory; and its name, for each process. From 19 on names are in shared memory.
inline int NewTranche([[maybe_unused]] const char* name) {
#if PG_VERSION_NUM >= 190000
  return LWLockNewTrancheId(name);
#else
  return LWLockNewTrancheId();
#endif
}
inline void NameTranche([[maybe_unused]] int tranche, [[maybe_unused]] const char* name) {
#if PG_VERSION_NUM < 190000
  LWLockRegisterTranche(tranche, name);
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
