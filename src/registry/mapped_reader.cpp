// See mapped_reader.h.
#include "registry/mapped_reader.h"

#include <sys/mman.h>

#include "pg/settings.h"
#include "registry/fault_trap.h"
#include "storage/freshness.h"
#include "testing/stop_point.h"

extern "C" {
#include "access/xlog.h"
#include "executor/instrument.h"
#include "pgstat.h"
#include "storage/checksum.h"
}

namespace xtree {

namespace {

// A page that was changed since the last checkpoint, as far as this backend knows, makes it look for a newer one; not every time.
constexpr uint32_t kLookAgainEvery = 256;
uint32_t too_new = 0;

// After so many such pages in a row, only one of so many is looked for in the mapping: beside heavy writes the attempts would cost more
// than the few pages that it can give.
constexpr uint32_t kPatience = 8;
constexpr uint32_t kTryEvery = 16;

uint32_t visits = 0;  // of this backend
constexpr uint32_t kLookForFaultsEvery = 256;

// As the buffer manager counts.
void CountRead(Relation index, bool absent) {
  pgstat_count_buffer_read(index);
  if (absent) {
    pgBufferUsage.shared_blks_read++;
  } else {
    pgstat_count_buffer_hit(index);
    pgBufferUsage.shared_blks_hit++;
  }
}

// By this process into buffers, shared or its own.
int64 BlocksRead() { return pgBufferUsage.shared_blks_read + pgBufferUsage.local_blks_read; }

}  // namespace

void MappedReader::Begin(IndexUse* use) {
  use_ = use;
  distrust_ = false;
  streams_ = false;
  written_run_ = untried_ = 0;
  until_map_ = PagesBeforeMapping(*use);
  Adopt();
}

// What follows from the use being mapped, or not.
void MappedReader::Adopt() {
  mapped_ = use_->mapped;
  SetFaultJump(mapped_ ? &jump_ : nullptr);
  fresh_limit_ = use_->fresh_limit;
  release_ = mapped_ && use_->index->shared->strategy == Strategy::kStreamed;
}

// A page was read through buffers, and none is open.
void MappedReader::CountDown() {
  if (--until_map_ > 0) return;
  MapUse(index_, use_);
  if (!use_->mapped) until_map_ = std::max(settings.map_after, 1);
  Adopt();
}

bool MappedReader::FreshEnough(uint64_t slot_value) {
  if (slot_value <= fresh_limit_) return true;
  if (too_new++ % kLookAgainEvery != 0) return false;
  fresh_limit_ = std::max(fresh_limit_, CheckpointedUpTo(true));
  return slot_value <= fresh_limit_;
}

bool MappedReader::WorthTrying() {
  if (untried_ == 0) return true;
  untried_--;
  return false;
}

NodeView MappedReader::Open(int slot, BlockNumber block, int expected_level) {
  OpenPage& open = open_[slot];
  if (mapped_ && !distrust_) {
    CHECK_FOR_INTERRUPTS();
    if (WorthTrying() && TryMapping(&open, slot, block, expected_level)) {
      counts_.mapped_pages++;
      counts_.absent_pages += open.absent;
      CountRead(index_, open.absent);
      if (++visits % kSampleEvery == 0) Sample(block, open.frame.opaque.level);
      if (visits % kLookForFaultsEvery == 0) use_->index->residence.LookAgainAfterFaults();
      return NodeView(*layout_, open.page, &open.frame.header, &open.frame.opaque);
    }
    if (slot == 1 && Doubtful()) return NodeView();  // who knows whether the head still names this page
  }
  counts_.buffer_pages++;
  const int64 read_before = BlocksRead();
  const NodeView node = buffers_.Open(slot, block, expected_level);
  const int64 absent = BlocksRead() - read_before;  // of a stream: also pages that come later
  counts_.absent_pages += absent;
  if (buffers_.OpenedFromStream()) {
    counts_.prefetches += absent;
    NoteStreamed(index_, absent);
  }
  if (++visits % kSampleEvery == 0) Sample(block, node.level());
  return node;
}

// False: not in the mapping, not fresh, or nothing that this may be: the buffers will tell.
bool MappedReader::TryMapping(OpenPage* open, int slot, BlockNumber block, int expected_level) {
  const FileMapping& mapping = use_->index->mapping;
  if (block >= mapping.blocks()) {
    use_->index->outgrown = true;
    return false;
  }
  open->slot = FreshnessSlot(use_->freshness_base, block);
  open->slot_value = pg_atomic_read_u64(open->slot);
  if (!FreshEnough(open->slot_value)) {
    if (++written_run_ >= kPatience) untried_ = kTryEvery - 1;
    return false;
  }
  written_run_ = 0;
  pg_read_barrier();
  open->page = mapping.Page(block);
  open->absent = use_->index->residence.TakeAbsent(mapping, block);
  // The kernel's pages are smaller, each would be waited for.
  if (open->absent && mapping.reads_pages_alone()) madvise(const_cast<uint8_t*>(open->page), kPageSize, MADV_WILLNEED);
  ArmPage(slot, open->page, &jump_);
  open->frame.Read(open->page);
  XTREE_SCAN_STOP_POINT("mapped-open");
  if (ValidateNode(*layout_, open->frame, expected_level) == nullptr && Verified(*open, block)) return true;
  DisarmPage(slot);
  open->page = nullptr;
  return false;
}

// Page checksums, once per page and mapping. The sum is taken of a copy, which must be of one moment.
bool MappedReader::Verified(const OpenPage& open, BlockNumber block) {
  FileMapping& mapping = use_->index->mapping;
  if (!DataChecksumsEnabled() || mapping.Verified(block)) return true;
  PageImage copy;
  memcpy(copy.bytes, open.page, kPageSize);
  pg_read_barrier();
  if (pg_atomic_read_u64(open.slot) != open.slot_value) return false;
  const uint16 sum = pg_checksum_page(reinterpret_cast<char*>(copy.bytes), block);
  if (sum != open.frame.header.checksum) return false;
  mapping.SetVerified(block);
  return true;
}

Lsn MappedReader::PageLsn(int slot) {
  const OpenPage& open = open_[slot];
  if (open.page == nullptr) return buffers_.PageLsn(slot);
  return uint64_t{open.frame.header.lsn_high} << 32 | open.frame.header.lsn_low;
}

bool MappedReader::Close(int slot) {
  OpenPage& open = open_[slot];
  if (open.page == nullptr) {
    (void)buffers_.Close(slot);  // it was locked
    if (slot == 0) distrust_ = false;
    if (slot == 0 && until_map_ > 0) CountDown();
    return true;
  }
  XTREE_SCAN_STOP_POINT("mapped-read");
  pg_read_barrier();
  const bool consistent = pg_atomic_read_u64(open.slot) == open.slot_value || RuleBroken("recheck");
  DisarmPage(slot);
  if (release_ && (open.frame.opaque.flags & kNodeLeaf)) madvise(const_cast<uint8_t*>(open.page), kPageSize, MADV_PAGEOUT);
  open.page = nullptr;
  if (!consistent && slot == 0) {
    distrust_ = true;
    counts_.retries++;
  }
  return consistent;
}

void MappedReader::GiveUp() {
  const bool fault = FaultTaken();
  CloseAll();
  distrust_ = true;
  if (fault)
    counts_.faults++;
  else
    counts_.retries++;
}

void MappedReader::CloseAll() {
  for (int slot = 0; slot < kSlots; slot++) {
    DisarmPage(slot);
    if (open_[slot].page == nullptr) (void)buffers_.Close(slot);
    open_[slot].page = nullptr;
  }
}

void MappedReader::Reset() {
  CloseAll();
  distrust_ = false;
  buffers_.Reset();
}

void MappedReader::WillRead(const BlockNumber* blocks, int count, ReadOrder order) {
  if (!mapped_ && streams_ && order == ReadOrder::kNext) {
    if (MayReadAhead(index_, count)) buffers_.ReadAhead(blocks, count);
    return;
  }
  const PrefetchResult result = mapped_ ? PrefetchMapped(index_, use_->index, blocks, count) : PrefetchBuffers(index_, blocks, count);
  counts_.prefetches += result.pages;
  counts_.prefetch_us += result.microseconds;
}

void MappedReader::Fetch(BlockNumber block, void (*fetch)(const uint8_t* page)) {
  const bool try_mapping = mapped_ && untried_ == 0;
  if (try_mapping) __builtin_prefetch(FreshnessSlot(use_->freshness_base, block));
  if (!try_mapping || written_run_ > 0) {
    buffers_.Approach(block);
  } else if (block < use_->index->mapping.blocks()) {
    fetch(use_->index->mapping.Page(block));
  }
}

void MappedReader::Sample(BlockNumber block, int level) {
  if (use_ == nullptr || use_->index == nullptr || samples_count_ == kMaxSamples) return;
  samples_[samples_count_++] = {block, level};
}

void MappedReader::HandIn() {
  if (use_ == nullptr || use_->index == nullptr) return;
  CountUse(*use_, counts_);
  handed_in_.Add(counts_);
  counts_ = {};
  RecordSamples(use_->index->shared->key, samples_, samples_count_);
  samples_count_ = 0;
}

ScanCounts MappedReader::TotalCounts() const {
  ScanCounts total = handed_in_;
  total.Add(counts_);
  return total;
}

void StartUse(Relation index, const LoadOptions& options, bool may_map, IndexUse* use, MappedReader* reader) {
  if (use->index != nullptr && use->mapped == may_map && !MustGo(*use)) {
    ContinueUse(use);
  } else {
    FinishUse(use, reader);
    BeginUse(index, options, may_map ? MapWhen::kWhenItPays : MapWhen::kNever, use);
  }
  reader->Begin(use);
}

void FinishUse(IndexUse* use, MappedReader* reader) {
  reader->HandIn();
  EndUse(use);
}

}  // namespace xtree
