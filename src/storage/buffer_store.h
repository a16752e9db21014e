// BufferStore: the PageStore on shared buffers, for insert, split and VACUUM.
//
// Holds no page itself: PageRef.handle is the Buffer, released by PageLock. Locks are buffer content locks (LWLocks), so
// interrupts wait while a page is held; WAL is wal.cpp's. Every call of PostgreSQL that may fail goes through PgCall, so its
// functions throw PgError or CorruptPage and never longjmp.
#pragma once

#include "pg/postgres_api.h"
#include "core/page_store.h"
#include "storage/page_stream.h"

extern "C" {
#include "access/genam.h"
}

namespace xtree {

class BufferStore final : public PageStore {
 public:
  // `heap`: the indexed table, for the horizon of page reuse. nullptr: where nothing is allocated (VACUUM); then it is the
  // cluster's. `strategy`: of VACUUM and bulk reads, else nullptr. Relations and layout outlive the store.
  BufferStore(Relation index, Relation heap, const KeyLayout& layout, BufferAccessStrategy strategy = nullptr)
      : index_(index), heap_(heap), layout_(layout), strategy_(strategy) {}

  // The meta page is not validated: its reader calls ValidateMeta.
  PageRef Open(BlockNumber block, LockMode mode) override;
  PageRef OpenUnchecked(BlockNumber block, LockMode mode) override;
  void Relock(PageRef* page, LockMode mode) override;
  void Close(PageRef* page) noexcept override;
  void WillOpen(std::span<const BlockNumber> blocks) override;
  void WillOpenRange(BlockNumber first, BlockNumber end);  // likewise, for a walk over the file

  PageRef Allocate() override;
  Lsn PageLsn(const PageRef& page) override;
  Lsn CurrentNsn() override;
  void Commit(std::span<const PageChange> changes) override;
  void RecordFree(BlockNumber block) override;
  uint64_t NextTransactionId() override;
  bool Recyclable(uint64_t delete_xid) override;
  void WillRemoveKilled(const PageRef& leaf, std::span<const TupleId> tuples) override;
  void CheckConflict(const PageRef& page) override;
  void PredicateSplit(BlockNumber from, BlockNumber to) override;

 private:
  const char* Problem(BlockNumber block, const uint8_t* page) const;
  Buffer TakeFreePage() const;
  bool TryTake(Buffer buffer) const;
  bool MayReuse(BlockNumber block, const uint8_t* page) const;

  Relation index_;
  Relation heap_;
  const KeyLayout& layout_;
  BufferAccessStrategy strategy_;
  PageStream stream_;
};

}  // namespace xtree
