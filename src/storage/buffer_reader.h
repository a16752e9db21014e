// BufferReader: the PageReader on shared buffers, for scans.
//
// A page is pinned and share-locked from Open to Close. Raises ERRORs directly, through its callers' frames, which is why it and they
// own nothing that a longjmp would leak: pins belong to the resource owner, memory to the scan's context. Writes neither pages nor WAL.
#pragma once

#include "pg/postgres_api.h"
#include "core/page_store.h"

extern "C" {
#include "utils/snapshot.h"
}

namespace xtree {

class BufferReader final : public PageReader {
 public:
  // `memory`: where Reallocate allocates, for instance the scan's context. Relation, layout and context outlive the reader.
  BufferReader(Relation index, const KeyLayout& layout, MemoryContext memory) : index_(index), layout_(&layout), memory_(memory) {}

  // Every node that is opened from now on is predicate-locked for this snapshot (no more than a test unless it is SERIALIZABLE); a
  // supernode by its head alone. nullptr: none is, as for xtree_check.
  void SetPredicateSnapshot(Snapshot snapshot) { snapshot_ = snapshot; }
  void SetPrefetch(bool prefetch) { prefetch_ = prefetch; }

  const uint8_t* Open(int slot, BlockNumber block, int expected_level) override;
  Lsn PageLsn(int slot) override { return BufferGetLSNAtomic(buffer_[slot]); }
  void Close(int slot) override;
  [[noreturn]] void Corrupt(BlockNumber block, const char* what) override;
  void* Reallocate(void* old, size_t bytes) override;
  void WillRead(const BlockNumber* blocks, int count) override;

  // Closes the slot, but hands its pin to the caller, who releases it when the entries it took from the page are returned: VACUUM's
  // cleanup lock, and with it the reuse of their TIDs, waits for that.
  Buffer CloseKeepingPin(int slot);

  // Closes whatever is open.
  void Reset();

 private:
  static constexpr int kSlots = 2;

  Relation index_;
  const KeyLayout* layout_;
  MemoryContext memory_;
  Snapshot snapshot_ = nullptr;
  bool prefetch_ = false;
  Buffer buffer_[kSlots] = {InvalidBuffer, InvalidBuffer};
};
static_assert(std::is_trivially_destructible_v<BufferReader>);

}  // namespace xtree
