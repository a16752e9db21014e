// See freshness.h.
#include "storage/freshness.h"

extern "C" {
#include "common/hashfn.h"
#include "port/pg_bitutils.h"
}

namespace xtree {

FreshnessSlots* freshness_slots = nullptr;

namespace {

uint32_t RoundedUp(int slots) { return pg_nextpower2_32(static_cast<uint32_t>(slots)); }

}  // namespace

size_t FreshnessBytes(int slots) { return offsetof(FreshnessSlots, slot) + sizeof(pg_atomic_uint64) * RoundedUp(slots); }

FreshnessSlots* InitializeFreshness(void* memory, int slots) {
  auto* out = static_cast<FreshnessSlots*>(memory);
  out->mask = RoundedUp(slots) - 1;
  for (uint32_t i = 0; i <= out->mask; i++) pg_atomic_init_u64(&out->slot[i], 0);
  return out;
}

uint32_t FreshnessBase(const pg::FileLocator& locator) {
  return hash_bytes(reinterpret_cast<const unsigned char*>(&locator), sizeof(locator));
}

void PublishChange(const pg::FileLocator& locator, BlockNumber block, XLogRecPtr lsn) {
  pg_atomic_uint64* slot = FreshnessSlot(FreshnessBase(locator), block);
  uint64 old = pg_atomic_read_u64(slot);
  while (old < lsn && !pg_atomic_compare_exchange_u64(slot, &old, lsn)) {
  }
}

}  // namespace xtree
