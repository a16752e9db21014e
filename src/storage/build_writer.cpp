// See build_writer.h.
#include "storage/build_writer.h"

#include "pg/compat.h"
#include "pg/guard.h"
#include "storage/wal.h"

namespace xtree {

BuildWriter::BuildWriter(Relation index, ForkNumber fork, BlockNumber blocks)
    : index_(index), fork_(fork), batch_(new Batch), size_(blocks) {
  static_assert(kBatch <= XLR_MAX_BLOCK_ID);
}

BlockNumber BuildWriter::Reserve(int count) {
  if (static_cast<uint32_t>(count) > MaxBlockNumber - next_) throw std::length_error("index has too many pages");
  const BlockNumber first = next_;
  next_ += count;
  return first;
}

void BuildWriter::Write(BlockNumber block, const PageImage& image) {
  if (batched_ == kBatch) Flush();
  memcpy(batch_->page[batched_], image.bytes, kPageSize);
  batch_->block[batched_] = block;
  batched_++;
}

void BuildWriter::Finish(const PageImage& meta) {
  Write(kMetaBlock, meta);
  FinishWithoutMeta();
}

void BuildWriter::FinishWithoutMeta() {
  Flush();
  PgCall([&] {
    if (NeedsSync()) smgrimmedsync(RelationGetSmgr(index_), fork_);
  });
}

void BuildWriter::Flush() {
  PgCall([&] {
    CHECK_FOR_INTERRUPTS();
    WriteBatch();
  });
  batched_ = 0;
}

// This and the next two may raise: within PgCall only.
void BuildWriter::WriteBatch() {
  Page pages[kBatch];
  for (int i = 0; i < batched_; i++) pages[i] = reinterpret_cast<Page>(batch_->page[i]);
  LogNewPages(index_, fork_, batched_, batch_->block, pages);
  for (int i = 0; i < batched_; i++) {
    pg::SetPageChecksum(batch_->page[i], batch_->block[i]);
    Put(batch_->block[i], batch_->page[i]);
  }
}

// Blocks that are passed over, the first two, read as zeroes until they are written.
void BuildWriter::Put(BlockNumber block, const uint8_t* page) {
  if (block < size_) {
    pg::WriteFork(index_, fork_, block, page);
    return;
  }
  pg::ExtendFork(index_, fork_, block, page);
  size_ = block + 1;
}

// The pages are in no buffer, so no checkpoint knows of them: one that comes between their WAL record and now would let recovery
// begin after it. Without WAL a permanent relation is synced at commit, and a temporary one never.
bool BuildWriter::NeedsSync() const {
  return fork_ == INIT_FORKNUM || RelationNeedsWAL(index_) || index_->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED;
}

}  // namespace xtree
