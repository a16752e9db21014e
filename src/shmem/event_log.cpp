// See event_log.h.
#include "shmem/event_log.h"

#include <cstdarg>

#include "shmem/shared_state.h"

extern "C" {
#include "storage/spin.h"
}

namespace xtree {

struct EventRing {
  slock_t mutex;
  uint64 last;     // number of the newest
  uint64 cleared;  // those up to here are forgotten: marked, because emptying them all would take too long under a spinlock
  EventCounts counts;
  Event event[kEvents];
};

const char* NameOf(EventKind kind) {
  static const char* const names[] = {"load",    "unload",  "evict",  "pin",   "unpin",  "admit",
                                      "failure", "removed", "worker", "build", "unusual"};
  return names[static_cast<int>(kind)];
}

size_t EventRingBytes() { return sizeof(EventRing); }

void InitializeEventRing(void* memory) {
  auto* ring = static_cast<EventRing*>(memory);
  memset(static_cast<void*>(ring), 0, sizeof(*ring));
  SpinLockInit(&ring->mutex);
}

void LogEvent(EventKind kind, IndexKey key, int64 bytes, const char* format, ...) {
  if (shared == nullptr) return;
  Event event = {0, GetCurrentTimestamp(), kind, MyProcPid, key, bytes, ""};
  va_list arguments;
  va_start(arguments, format);
  pg_vsnprintf(event.reason, sizeof(event.reason), format, arguments);
  va_end(arguments);
  EventRing* ring = SharedEvents();
  SpinLockAcquire(&ring->mutex);
  event.number = ++ring->last;
  ring->counts.of[static_cast<int>(kind)]++;
  ring->event[event.number % kEvents] = event;
  SpinLockRelease(&ring->mutex);
}

bool ReadEvent(int i, Event* event) {
  EventRing* ring = SharedEvents();
  SpinLockAcquire(&ring->mutex);
  *event = ring->event[i];
  const uint64 cleared = ring->cleared;
  SpinLockRelease(&ring->mutex);
  return event->number > cleared;
}

EventCounts CountEvents() {
  EventRing* ring = SharedEvents();
  SpinLockAcquire(&ring->mutex);
  const EventCounts counts = ring->counts;
  SpinLockRelease(&ring->mutex);
  return counts;
}

void ClearEvents() {
  EventRing* ring = SharedEvents();
  SpinLockAcquire(&ring->mutex);
  ring->cleared = ring->last;
  ring->counts = {};
  SpinLockRelease(&ring->mutex);
}

}  // namespace xtree
