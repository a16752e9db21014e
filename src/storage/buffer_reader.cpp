// See buffer_reader.h.
#include "storage/buffer_reader.h"

#include "page/validate.h"
#include "pg/guard.h"

extern "C" {
#include "storage/predicate.h"
}

namespace xtree {

const uint8_t* BufferReader::Open(int slot, BlockNumber block, int expected_level) {
  Assert(!BufferIsValid(buffer_[slot]));
  CHECK_FOR_INTERRUPTS();
  const Buffer buffer = ReadBuffer(index_, block);
  buffer_[slot] = buffer;
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  // Under the page's lock, which a writer holds exclusively while it looks for predicate locks.
  if (snapshot_ != nullptr && slot == 0) PredicateLockPage(index_, block, snapshot_);
  const uint8_t* page = pg::BufferBytes(buffer);
  if (const char* what = ValidateNode(*layout_, page, expected_level)) Corrupt(block, what);
  return page;
}

void BufferReader::Close(int slot) {
  if (!BufferIsValid(buffer_[slot])) return;
  UnlockReleaseBuffer(buffer_[slot]);
  buffer_[slot] = InvalidBuffer;
}

void BufferReader::Corrupt(BlockNumber block, const char* what) { ReportCorruptPage(index_, block, what); }

void* BufferReader::Reallocate(void* old, size_t bytes) {
  return old == nullptr ? MemoryContextAllocHuge(memory_, bytes) : repalloc_huge(old, bytes);
}

void BufferReader::WillRead(const BlockNumber* blocks, int count) {
  if (!prefetch_) return;
  for (int i = 0; i < count; i++) PrefetchBuffer(index_, MAIN_FORKNUM, blocks[i]);
}

Buffer BufferReader::CloseKeepingPin(int slot) {
  const Buffer buffer = buffer_[slot];
  LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  buffer_[slot] = InvalidBuffer;
  return buffer;
}

void BufferReader::Reset() {
  for (int slot = 0; slot < kSlots; slot++) Close(slot);
}

}  // namespace xtree
