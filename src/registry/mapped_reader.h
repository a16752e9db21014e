// MappedReader: the PageReader of index scans: pages of the mapped file where they are known to be fresh, else of shared buffers.
//
// A mapped page is neither pinned nor locked: it is looked at under the freshness protocol (src/README.md, "Mapped reads"). Open
// compares the page's slot with the limit of the use; Close looks at the slot again, and says false if it has moved: then the node is
// read once more, through buffers. Bytes may change meanwhile, so views have private copies of the page's ends. A SIGBUS ends in GiveUp().
//
// Which scans may map is the caller's decision (am/scan.cpp); predicate locks, kept pins and kill bits are the BufferReader's.
#pragma once

#include "page/validate.h"
#include "registry/index_registry.h"
#include "registry/prefetch.h"
#include "shmem/hot_pages.h"
#include "storage/buffer_reader.h"

namespace xtree {

class MappedReader final : public PageReader {
 public:
  MappedReader(Relation index, const KeyLayout& layout, MemoryContext memory)
      : index_(index), layout_(&layout), buffers_(index, layout, memory) {}

  // From now on pages come through the mapping of this use, if it has one or as soon as making one pays. The use outlives the
  // reader, or the next Begin.
  void Begin(IndexUse* use);

  NodeView Open(int slot, BlockNumber block, int expected_level) override;
  Lsn PageLsn(int slot) override;
  bool Close(int slot) override;
  bool Doubtful() const override { return open_[0].page != nullptr || open_[1].page != nullptr; }
  void GiveUp() override;
  [[noreturn]] void Corrupt(BlockNumber block, const char* what) override { buffers_.Corrupt(block, what); }
  void* Reallocate(void* old, size_t bytes) override { return buffers_.Reallocate(old, bytes); }
  void* AllocateFrame(size_t bytes) override { return buffers_.AllocateFrame(bytes); }
  bool ReadsAhead() override { return PrefetchPays(index_); }
  void WillRead(const BlockNumber* blocks, int count, ReadOrder order) override;
  void Approach(BlockNumber block) override { Fetch(block, FetchEnds); }
  void ApproachWhole(BlockNumber block) override { Fetch(block, FetchPage); }

  // Until the next Begin the executor does nothing else before the scan is through, so pages that come next may be read ahead and stay pinned.
  void AllowStreams() { streams_ = pg::kHasReadStreams; }

  // Closes what is open and gives all pins back.
  void Reset();

  BufferReader& buffers() { return buffers_; }
  ScanCounts& counts() { return counts_; }
  ScanCounts TotalCounts() const;  // those that were handed in included
  // Adds what was counted, and the sampled visits, to the statistics of the use's index. Never raises.
  void HandIn();

 private:
  static constexpr int kSlots = 2;
  static constexpr int kMaxSamples = 8;

  // A mapped page that is open; page nullptr: none.
  struct OpenPage {
    const uint8_t* page;
    pg_atomic_uint64* slot;
    uint64_t slot_value;  // when it was opened
    bool absent;          // it had to be read from disk
    PageFrame frame;
  };

  bool TryMapping(OpenPage* open, int slot, BlockNumber block, int expected_level);
  bool FreshEnough(uint64_t slot_value);
  bool WorthTrying();
  bool Verified(const OpenPage& open, BlockNumber block);
  void Adopt();
  void Fetch(BlockNumber block, void (*fetch)(const uint8_t* page));
  void CountDown();
  void CloseAll();
  void Sample(BlockNumber block, int level);

  Relation index_;
  const KeyLayout* layout_;
  BufferReader buffers_;
  IndexUse* use_ = nullptr;
  uint64_t until_map_ = 0;  // pages that may still come from buffers before the index is mapped; 0: it is not to be
  XLogRecPtr fresh_limit_ = 0;
  bool mapped_ = false;       // pages may come from the mapping
  bool distrust_ = false;     // until slot 0 is closed again: read through buffers
  uint32_t written_run_ = 0;  // pages in a row that were changed too lately; so, probably, is the next one
  uint32_t untried_ = 0;      // pages that are to come from buffers before the mapping is tried again
  sigjmp_buf jump_;
  bool streams_ = false;
  bool release_ = false;  // strategy streamed: give leaves back after use
  OpenPage open_[kSlots] = {};
  ScanCounts counts_ = {};  // since they were handed in last
  ScanCounts handed_in_ = {};
  int samples_count_ = 0;
  PageSample samples_[kMaxSamples];
};
static_assert(std::is_trivially_destructible_v<MappedReader>);

// Begins a scan with the reader. One that starts again goes on with the use that it has, unless there is something to win: a mapping, where it had
// none. REQUIRES: a lock on the relation.
void StartUse(Relation index, const LoadOptions& options, bool may_map, IndexUse* use, MappedReader* reader);

// Hands in what the reader counted and ends the use. Never raises.
void FinishUse(IndexUse* use, MappedReader* reader);

}  // namespace xtree
