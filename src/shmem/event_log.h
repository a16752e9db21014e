// A ring of the last events in shared memory, for pg_stat_xtree_events: what was loaded, evicted, pinned, and what failed and why.
// Appending takes one spinlock for a copy of a few hundred bytes; the oldest event is overwritten.
#pragma once

#include "shmem/index_table.h"

namespace xtree {

enum class EventKind : int { kLoad, kUnload, kEvict, kPin, kUnpin, kAdmit, kFailure, kRemoved, kWorker, kBuild, kUnusual };
inline constexpr int kEventKinds = 11;
const char* NameOf(EventKind kind);

struct Event {
  uint64 number;  // from 1; 0: unused
  TimestampTz time;
  EventKind kind;
  int pid;
  IndexKey key;  // {0, 0}: not about an index
  int64 bytes;   // that the event is about; 0: none
  char reason[160];
};

inline constexpr int kEvents = 512;

struct EventRing;

size_t EventRingBytes();
void InitializeEventRing(void* memory);

// Does nothing in a process without shared memory, and attaches none. Never raises.
void LogEvent(EventKind kind, IndexKey key, int64 bytes, const char* format, ...) __attribute__((format(printf, 4, 5)));

// Copies the i-th place, 0 <= i < kEvents; false: unused.
bool ReadEvent(int i, Event* event);

struct EventCounts {
  uint64 of[kEventKinds];
};

// How many there were of each kind, those that are overwritten included. REQUIRES: shared != nullptr.
EventCounts CountEvents();

// Forgets all events, and how many there were.
void ClearEvents();

}  // namespace xtree
