// See buffer_reader.h.
#include "storage/buffer_reader.h"

#include "page/validate.h"
#include "pg/compat.h"
#include "pg/guard.h"
#include "storage/recent_buffers.h"
#include "testing/stop_point.h"

extern "C" {
#include "storage/predicate.h"
}

namespace xtree {

NodeView BufferReader::Open(int slot, BlockNumber block, int expected_level) {
  Assert(!BufferIsValid(buffer_[slot]));
  CHECK_FOR_INTERRUPTS();
  if (slot == 1) XTREE_SCAN_STOP_POINT("read-follower");
  const Buffer ahead = stream_.Take(block);
  from_stream_ = BufferIsValid(ahead);
  const Buffer buffer = from_stream_ ? ahead : ReadBufferAgain(index_, block);
  buffer_[slot] = buffer;
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  // Under the page's lock, which a writer holds exclusively while it looks for predicate locks.
  if (snapshot_ != nullptr && slot == 0) PredicateLockPage(index_, block, snapshot_);
  const uint8_t* page = pg::BufferBytes(buffer);
  if (const char* what = ValidateNode(*layout_, page, expected_level)) Corrupt(block, what);
  return NodeView(*layout_, page);
}

// The lock kept the page as it was.
bool BufferReader::Close(int slot) {
  const Buffer buffer = std::exchange(buffer_[slot], InvalidBuffer);
  if (!BufferIsValid(buffer)) return true;
  if (pin_limit_ == 0 || !NodeView(*layout_, pg::BufferBytes(buffer)).leaf()) {
    UnlockReleaseBuffer(buffer);
    return true;
  }
  const Lsn lsn = BufferGetLSNAtomic(buffer);
  LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  Keep(buffer, lsn);
  return true;
}

void BufferReader::Keep(Buffer buffer, Lsn lsn) {
  const Pin oldest = std::exchange(pins_[oldest_pin_], Pin{buffer, lsn});
  if (BufferIsValid(oldest.buffer)) ReleaseBuffer(oldest.buffer);
  oldest_pin_ = (oldest_pin_ + 1) % pin_limit_;
}

void BufferReader::KeepPins(int leaves) {
  Assert(leaves >= 0 && leaves <= kMaxPins);
  DropPins();
  pin_limit_ = leaves;
}

bool BufferReader::Pinned(BlockNumber leaf, Lsn lsn) const {
  for (int i = 0; i < pin_limit_; i++) {
    const Pin& pin = pins_[i];
    if (BufferIsValid(pin.buffer) && pin.lsn == lsn && BufferGetBlockNumber(pin.buffer) == leaf) return true;
  }
  return false;
}

void BufferReader::DropPins() {
  for (int i = 0; i < pin_limit_; i++) {
    const Pin pin = std::exchange(pins_[i], Pin{});
    if (BufferIsValid(pin.buffer)) ReleaseBuffer(pin.buffer);
  }
  oldest_pin_ = 0;
}

void BufferReader::Kill(BlockNumber leaf, Lsn lsn, const uint16_t* slots, int count) {
  const Buffer buffer = ReadBuffer(index_, leaf);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  if (BufferGetLSNAtomic(buffer) == lsn) {
    pg::ChangeHints(buffer, [&] {
      NodeEditor editor(*layout_, pg::BufferBytes(buffer));
      for (int i = 0; i < count; i++) editor.Kill(slots[i]);
    });
  }
  UnlockReleaseBuffer(buffer);
}

void BufferReader::Corrupt(BlockNumber block, const char* what) { ReportCorruptPage(index_, block, what); }

void* BufferReader::Reallocate(void* old, size_t bytes) {
  return old == nullptr ? MemoryContextAllocHuge(memory_, bytes) : repalloc_huge(old, bytes);
}

void* BufferReader::AllocateFrame(size_t bytes) {
  void* frame = frames_.Take(bytes);
  return frame != nullptr ? frame : Reallocate(nullptr, bytes);
}

void BufferReader::Approach(BlockNumber block) { ApproachBuffer(index_, block); }

void BufferReader::ReadAhead(const BlockNumber* blocks, int count) {
  const MemoryContext old = MemoryContextSwitchTo(memory_);
  stream_.BeginList(index_, nullptr, pg::StreamFor::kQuery, blocks, count);
  MemoryContextSwitchTo(old);
}

void BufferReader::Reset() {
  stream_.End();
  for (int slot = 0; slot < kSlots; slot++) Close(slot);
  DropPins();
}

}  // namespace xtree
