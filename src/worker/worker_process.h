// What the worker is as a process: signals, what an ERROR leaves behind, and the row of pg_stat_xtree_worker. For the
// files of this directory. Takes shared->lock alone, for a few stores.
#pragma once

#include "shmem/shared_state.h"

namespace xtree {

// Signals, resources, attachments: once, before anything else.
void SetUpProcess();

// Between two steps that take time: has signals and reloads take effect; does not return when the server stops.
// REQUIRES: no lock is held.
void Breathe();
// Have settings changed since the last call?
bool TakeReload();
// What Breathe() calls before the process ends because the server stops.
void AtShutdown(void (*function)());

// What an ERROR leaves behind: locks, buffers, files. The worker has no transaction whose abort would do it.
void ReleaseAfterError();

// What the view shows. True: the first worker of this server's life.
bool ShowStart();
void ShowActivity(const char* what);
void ShowCycle(TimestampTz begin);
void ShowError(const char* message);

}  // namespace xtree
