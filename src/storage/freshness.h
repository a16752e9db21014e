// Freshness slots: which pages may have been changed since they were last written to their file. The heart of reading through a
// mapping (src/README.md, "Mapped reads").
//
// A writer raises the slot of every page that a WAL record changed to the record's LSN, while it still holds the exclusive content
// lock: wal.cpp, the only writer of WAL, does it within the critical section. A reader of the mapping compares the slot with the LSN
// up to which all changes are known to be in the file, before and after it looks at the page. Pages share slots by hash: a slot is
// never too low for a page, only too high, which sends the reader to the shared buffers.
//
// In shared memory, laid out at server start; without shared_preload_libraries there are no slots, and no mapped reads.
#pragma once

#include "pg/compat.h"

extern "C" {
#include "port/atomics.h"
}

namespace xtree {

struct FreshnessSlots {
  uint32_t mask;
  pg_atomic_uint64 slot[FLEXIBLE_ARRAY_MEMBER];
};

// nullptr without shared_preload_libraries.
extern FreshnessSlots* freshness_slots;

// Bytes for at least so many slots, and their initialisation.
size_t FreshnessBytes(int slots);
FreshnessSlots* InitializeFreshness(void* memory, int slots);

// The slot of block 0; consecutive blocks have consecutive slots.
uint32_t FreshnessBase(const pg::FileLocator& locator);

inline pg_atomic_uint64* FreshnessSlot(uint32_t base, BlockNumber block) {
  return &freshness_slots->slot[(base + block) & freshness_slots->mask];
}

// REQUIRES: the exclusive content lock on the block's buffer, held since before the record was inserted.
void PublishChange(const pg::FileLocator& locator, BlockNumber block, XLogRecPtr lsn);

}  // namespace xtree
