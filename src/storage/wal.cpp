// See wal.h. The record is generic_redo()'s: per page a block reference with fragments as its data, or a full image.
#include "storage/wal.h"

#include "pg/compat.h"
#include "storage/freshness.h"
#include "storage/page_delta.h"
#include "testing/stop_point.h"

extern "C" {
#include "access/rmgr.h"
}

namespace xtree {
namespace {

constexpr XLogRecPtr kBuildLsn = 1;  // below FirstNormalUnloggedLSN and every real LSN
static_assert(kBuildLsn < FirstNormalUnloggedLSN);

// XLogInsert() reads the fragments from here.
alignas(64) uint8_t fragments[kMaxPagesPerChange][kDeltaRoom];

void RefuseMalformedImages(std::span<const BufferChange> changes) {
  for (const BufferChange& change : changes) {
    if (!HoleIsSane(change.image->bytes)) {
      elog(ERROR, "xtree: malformed image for block %u", BufferGetBlockNumber(change.buffer));
    }
    if (change.touched.size() > kMaxTouched) {
      elog(ERROR, "xtree: too many changes of block %u at once", BufferGetBlockNumber(change.buffer));
    }
  }
}

void Apply(const BufferChange& change) {
  if (change.touched.empty()) {
    ApplyPageImage(change.image->bytes, pg::BufferBytes(change.buffer));
  } else {
    ApplyPageImage(change.image->bytes, change.touched, pg::BufferBytes(change.buffer));
  }
  MarkBufferDirty(change.buffer);
}

void SetLsns(std::span<const BufferChange> changes, XLogRecPtr lsn) {
  for (const BufferChange& change : changes) pg::SetPageLsn(pg::BufferBytes(change.buffer), lsn);
}

void Register(uint8_t id, Buffer buffer, int delta_size) {
  if (delta_size == kNoDelta) {
    XLogRegisterBuffer(id, buffer, REGBUF_FORCE_IMAGE | REGBUF_STANDARD);
    return;
  }
  XLogRegisterBuffer(id, buffer, REGBUF_STANDARD);
  if (delta_size > 0) pg::RegisterBufferData(id, fragments[id], delta_size);
}

// Within the critical section and before any unlock, so that no reader can see a change whose slot is not raised yet.
void Publish(Relation index, std::span<const BufferChange> changes, XLogRecPtr lsn) {
  if (freshness_slots == nullptr || RuleBroken("publish")) return;
  for (const BufferChange& change : changes) PublishChange(pg::LocatorOf(index), BufferGetBlockNumber(change.buffer), lsn);
}

int DeltaOf(const BufferChange& change, uint8_t* delta) {
  const uint8_t* page = pg::BufferBytes(change.buffer);
  if (change.fresh) return kNoDelta;
  if (change.touched.empty()) return ComputePageDelta(page, change.image->bytes, delta);
  return ComputePageDelta(page, change.image->bytes, change.touched, delta);
}

void CommitLogged(Relation index, std::span<const BufferChange> changes) {
  int delta_size[kMaxPagesPerChange];
  for (size_t i = 0; i < changes.size(); i++) {
    const BufferChange& change = changes[i];
    delta_size[i] = DeltaOf(change, fragments[i]);
  }
  XLogBeginInsert();
  pg::StartCriticalSection();
  for (size_t i = 0; i < changes.size(); i++) {
    Apply(changes[i]);
    Register(static_cast<uint8_t>(i), changes[i].buffer, delta_size[i]);
  }
  const XLogRecPtr lsn = XLogInsert(RM_GENERIC_ID, 0);
  SetLsns(changes, lsn);
  Publish(index, changes, lsn);
  XTREE_STOP_POINT("commit-after-wal");
  pg::EndCriticalSection();
}

void CommitUnlogged(Relation index, std::span<const BufferChange> changes) {
  const XLogRecPtr lsn = pg::FakeLsn(index);  // may write a record of its own
  pg::StartCriticalSection();
  for (const BufferChange& change : changes) Apply(change);
  SetLsns(changes, lsn);
  pg::EndCriticalSection();
}

}  // namespace

void CommitPages(Relation index, std::span<const BufferChange> changes) {
  Assert(!changes.empty() && changes.size() <= kMaxPagesPerChange);
  RefuseMalformedImages(changes);
  if (RelationNeedsWAL(index)) {
    CommitLogged(index, changes);
  } else {
    CommitUnlogged(index, changes);
  }
}

XLogRecPtr CurrentNsn(Relation index) { return RelationNeedsWAL(index) ? GetXLogInsertRecPtr() : pg::FakeLsn(index); }

void LogPageReuse(Relation index, Relation heap, BlockNumber block, uint64_t delete_xid) {
  if (XLogStandbyInfoActive() && RelationNeedsWAL(index)) {
    pg::LogPageReuse(index, heap, block, FullTransactionIdFromU64(delete_xid));
  }
}

void LogNewPages(Relation index, ForkNumber fork, int count, BlockNumber* blocks, Page* pages) {
  if (!RelationNeedsWAL(index) && fork != INIT_FORKNUM) {
    for (int i = 0; i < count; i++) pg::SetPageLsn(reinterpret_cast<uint8_t*>(pages[i]), kBuildLsn);
    return;
  }
  pg::FileLocator locator = pg::LocatorOf(index);
  log_newpages(&locator, fork, count, blocks, pages, true);
}

}  // namespace xtree
