// The only module that writes WAL. Changes of pages are Generic WAL records (replayed by every server, also without this
// library), built here because GenericXLogFinish() spends most of an insert comparing pages byte by byte; see page_delta.h.
//
// All functions may raise an ERROR before anything is changed, and none after: C++ code with objects to destroy calls them
// through PgCall(). The caller holds the exclusive lock on every page that it passes.
#pragma once

#include <span>

#include "pg/postgres_api.h"

namespace xtree {

struct BufferChange {
  Buffer buffer;
  const PageImage* image;
  bool fresh;                               // the page's old content is of no use: log a full image
  std::span<const ByteRange> touched = {};  // as PageChange has it
};

// Applies 1 to kMaxPagesPerChange distinct pages as one record. A relation without WAL gets LSNs that serve NSNs as well.
void CommitPages(Relation index, std::span<const BufferChange> changes);

// PageStore::CurrentNsn. With WAL: where the next record begins (or the header of the WAL page that it begins on ends): not
// before the end of any record so far, and before the end of each one to come, and a page's LSN is the end of its record. Without
// WAL: a number of the one strictly ascending sequence that CommitPages draws page LSNs from.
XLogRecPtr CurrentNsn(Relation index);

// Makes queries of a standby that may still be on their way to a deleted page give way before it is used again. GiST's record for
// this carries nothing but the conflict, so every server can replay it; Generic WAL has none.
void LogPageReuse(Relation index, Relation heap, BlockNumber block, uint64_t delete_xid);

// Gives `count` new pages of a fork, not yet written, their pd_lsn: of the records that log them whole, or where the relation
// needs none (the init fork always does: it must survive a crash), one below every LSN and NSN to come.
void LogNewPages(Relation index, ForkNumber fork, int count, BlockNumber* blocks, Page* pages);

}  // namespace xtree
