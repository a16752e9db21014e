// BufferReader: the PageReader on shared buffers, for scans.
//
// A page is pinned and share-locked from Open to Close; a leaf's pin may be kept longer. Raises ERRORs directly, through its
// callers' frames, which is why it and they own nothing that a longjmp would leak: pins belong to the resource owner, memory to
// the scan's context. It writes no WAL, and to pages only kill bits, as hints.
#pragma once

#include "pg/postgres_api.h"
#include "core/page_store.h"
#include "storage/frame_pool.h"
#include "storage/page_stream.h"

extern "C" {
#include "utils/snapshot.h"
}

namespace xtree {

class BufferReader final : public PageReader {
 public:
  // `memory`: where Reallocate allocates, for instance the scan's context. Relation, layout and context outlive the reader.
  BufferReader(Relation index, const KeyLayout& layout, MemoryContext memory) : index_(index), layout_(&layout), memory_(memory) {}

  // Every node that is opened from now on is predicate-locked for this snapshot (no more than a test unless it is SERIALIZABLE);
  // a supernode by its head alone. nullptr: none is, as for xtree_check.
  void SetPredicateSnapshot(Snapshot snapshot) { snapshot_ = snapshot; }

  NodeView Open(int slot, BlockNumber block, int expected_level) override;
  Lsn PageLsn(int slot) override { return BufferGetLSNAtomic(buffer_[slot]); }
  bool Close(int slot) override;
  [[noreturn]] void Corrupt(BlockNumber block, const char* what) override;
  void* Reallocate(void* old, size_t bytes) override;
  void* AllocateFrame(size_t bytes) override;
  bool ReadsAhead() override { return false; }  // registry/prefetch.h does
  void Approach(BlockNumber block) override;

  // These pages will be opened next, in this order: reads them ahead, where the server has a way to. Until Reset, or until all were opened, they are
  // pinned, so only for a scan that is not left alone in between.
  void ReadAhead(const BlockNumber* blocks, int count);
  bool OpenedFromStream() const { return from_stream_; }  // the last page that was opened

  // Index-only scans: keeps the pins of the last `leaves` leaves that were closed, at most kMaxPins, so that VACUUM, which locks
  // every leaf for cleanup, cannot remove an entry of theirs and have its TID used again before the scan has returned it. 0: none
  // (default).
  void KeepPins(int leaves);
  // Was an entry of a leaf that had this LSN when it was read kept from VACUUM until now? (The leaf may have been let go and
  // pinned again meanwhile, by another row: the LSN tells.)
  bool Pinned(BlockNumber leaf, Lsn lsn) const;
  static constexpr int kMaxPins = 32;

  // Sets the kill bits of entries of a leaf that had this LSN when they were read. Does nothing if it has changed since.
  void Kill(BlockNumber leaf, Lsn lsn, const uint16_t* slots, int count);

  // Closes what is open and gives all pins back.
  void Reset();

  // What AllocateFrame gave is no longer used. To be called at the end of a scan that allocates frames, also by an ERROR.
  void GiveFramesBack() { frames_.GiveBack(); }

 private:
  static constexpr int kSlots = 2;

  void Keep(Buffer buffer, Lsn lsn);
  void DropPins();

  Relation index_;
  const KeyLayout* layout_;
  MemoryContext memory_;
  FramePool frames_;
  Snapshot snapshot_ = nullptr;
  PageStream stream_;
  bool from_stream_ = false;
  Buffer buffer_[kSlots] = {InvalidBuffer, InvalidBuffer};
  int pin_limit_ = 0;
  int oldest_pin_ = 0;
  struct Pin {
    Buffer buffer;
    Lsn lsn;  // when it was closed
  };
  Pin pins_[kMaxPins] = {};  // a ring of pin_limit_; InvalidBuffer where there is none
};
static_assert(std::is_trivially_destructible_v<BufferReader>);

}  // namespace xtree
