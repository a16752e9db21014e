// See buffer_store.h.
#include "storage/buffer_store.h"

#include "page/validate.h"
#include "pg/compat.h"
#include "pg/guard.h"
#include "storage/read_page.h"
#include "storage/recent_buffers.h"
#include "storage/wal.h"

extern "C" {
#include "access/transam.h"
#include "storage/indexfsm.h"
#include "storage/predicate.h"
#include "utils/snapmgr.h"
}

namespace xtree {
namespace {

void Lock(Buffer buffer, LockMode mode) {
  switch (mode) {
    case LockMode::kShare:
      LockBuffer(buffer, BUFFER_LOCK_SHARE);
      break;
    case LockMode::kExclusive:
      LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
      break;
    case LockMode::kCleanup:
      LockBufferForCleanup(buffer);
      break;
  }
}

PageRef RefOf(BlockNumber block, Buffer buffer) { return {block, buffer, pg::BufferBytes(buffer)}; }

}  // namespace

PageRef BufferStore::OpenUnchecked(BlockNumber block, LockMode mode) {
  const Buffer buffer = PgCall([&] {
    CHECK_FOR_INTERRUPTS();  // does nothing while another page is held
    const Buffer ahead = stream_.Take(block);
    const Buffer read = BufferIsValid(ahead)   ? ahead
                        : strategy_ == nullptr ? ReadBufferAgain(index_, block)
                                               : ReadPage(index_, block, strategy_);
    Lock(read, mode);
    return read;
  });
  return RefOf(block, buffer);
}

void BufferStore::WillOpen(std::span<const BlockNumber> blocks) {
  PgCall([&] { stream_.BeginList(index_, strategy_, pg::StreamFor::kMaintenance, blocks.data(), static_cast<int>(blocks.size())); });
}

void BufferStore::WillOpenRange(BlockNumber first, BlockNumber end) {
  PgCall([&] { stream_.BeginRange(index_, strategy_, first, end); });
}

PageRef BufferStore::Open(BlockNumber block, LockMode mode) {
  PageRef page = OpenUnchecked(block, mode);
  if (const char* problem = Problem(block, page.bytes)) {
    Close(&page);
    throw CorruptPage(block, problem);
  }
  return page;
}

void BufferStore::Relock(PageRef* page, LockMode mode) {
  const Buffer buffer = std::exchange(page->handle, InvalidBuffer);  // after an ERROR the abort releases the pin
  LockBuffer(buffer, BUFFER_LOCK_UNLOCK);  // not within PgCall, whose restored hold-off count would then be one too high
  PgCall([&] {
    CHECK_FOR_INTERRUPTS();
    Lock(buffer, mode);
  });
  page->handle = buffer;
  if (const char* problem = Problem(page->block, page->bytes)) throw CorruptPage(page->block, problem);
}

// Neither unlocking nor unpinning a page that is held can fail.
void BufferStore::Close(PageRef* page) noexcept {
  if (BufferIsValid(page->handle)) UnlockReleaseBuffer(page->handle);
}

const char* BufferStore::Problem(BlockNumber block, const uint8_t* page) const {
  return block == kMetaBlock ? nullptr : ValidateNode(layout_, page, -1);
}

// This and the next two may raise: within PgCall only.
bool BufferStore::MayReuse(BlockNumber block, const uint8_t* page) const {
  if (pg::IsNewPage(page)) return true;
  if (ValidateNode(layout_, page, -1) != nullptr || !NodeView(layout_, page).deleted()) return false;
  DeletedContent content;
  memcpy(&content, page + kPageHeaderSize, sizeof(content));
  if (!GlobalVisCheckRemovableFullXid(heap_, FullTransactionIdFromU64(content.delete_xid))) return false;
  LogPageReuse(index_, heap_, block, content.delete_xid);
  return true;
}

// False: somebody else holds the page, or has already taken it.
bool BufferStore::TryTake(Buffer buffer) const {
  if (!ConditionalLockBuffer(buffer)) return false;
  if (MayReuse(BufferGetBlockNumber(buffer), pg::BufferBytes(buffer))) return true;
  LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  return false;
}

// A page of the free space map, exclusively locked, or InvalidBuffer. The map is not logged: after a crash it may offer pages in
// use, or beyond the end of the file.
Buffer BufferStore::TakeFreePage() const {
  for (;;) {
    const BlockNumber block = GetFreeIndexPage(index_);
    if (block == kInvalidBlock) return InvalidBuffer;
    if (block <= kRootBlock || block >= RelationGetNumberOfBlocks(index_)) continue;
    const Buffer buffer = ReadBuffer(index_, block);
    if (TryTake(buffer)) return buffer;
    ReleaseBuffer(buffer);
  }
}

PageRef BufferStore::Allocate() {
  return PgCall([&] {
    Buffer buffer = TakeFreePage();
    if (!BufferIsValid(buffer)) buffer = pg::ExtendLocked(index_);
    return RefOf(BufferGetBlockNumber(buffer), buffer);
  });
}

Lsn BufferStore::PageLsn(const PageRef& page) { return BufferGetLSNAtomic(page.handle); }

Lsn BufferStore::CurrentNsn() {
  return PgCall([&] { return xtree::CurrentNsn(index_); });
}

void BufferStore::Commit(std::span<const PageChange> changes) {
  if (changes.empty() || changes.size() > kMaxPagesPerChange) throw std::logic_error("a change of no or too many pages");
  XTREE_STOP_POINT("commit-before-wal");
  if (changes.size() > 2) XTREE_STOP_POINT("commit-split-before-wal");
  BufferChange buffers[kMaxPagesPerChange];
  for (size_t i = 0; i < changes.size(); i++) {
    buffers[i] = {changes[i].page->handle, changes[i].image, changes[i].fresh, changes[i].touched};
  }
  PgCall([&] { CommitPages(index_, std::span(buffers, changes.size())); });
}

void BufferStore::RecordFree(BlockNumber block) {
  PgCall([&] { RecordFreeIndexPage(index_, block); });
}

uint64_t BufferStore::NextTransactionId() {
  return PgCall([] { return U64FromFullTransactionId(ReadNextFullTransactionId()); });
}

bool BufferStore::Recyclable(uint64_t delete_xid) {
  return PgCall([&] { return GlobalVisCheckRemovableFullXid(heap_, FullTransactionIdFromU64(delete_xid)); });
}

// nbtree's simple deletion logs the horizon with the deletion; Generic WAL cannot, so a record of its own goes before.
void BufferStore::WillRemoveKilled(const PageRef& leaf, std::span<const TupleId> tuples) {
  if (!RelationNeedsWAL(index_) || !XLogStandbyInfoActive()) return;
  PgCall([&] {
    const TransactionId horizon = pg::LatestRemovedXid(index_, heap_, leaf.block, tuples.data(), static_cast<int>(tuples.size()));
    if (TransactionIdIsValid(horizon)) LogPageReuse(index_, heap_, leaf.block, pg::FullXid(horizon));
  });
}

void BufferStore::CheckConflict(const PageRef& page) {
  PgCall([&] { CheckForSerializableConflictIn(index_, nullptr, page.block); });
}

void BufferStore::PredicateSplit(BlockNumber from, BlockNumber to) {
  PgCall([&] { PredicateLockPageSplit(index_, from, to); });
}

}  // namespace xtree
