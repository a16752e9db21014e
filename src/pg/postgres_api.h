// PostgreSQL's headers for C++ files: include this one first, and further server headers after it inside extern "C".
//
// The standard library comes before postgres.h, whose macros (printf, snprintf, gettext ...) would otherwise rewrite it. The
// pages that page/format.h describes without PostgreSQL are compared here with PostgreSQL's own structs.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

extern "C" {
#include "postgres.h"

#include "access/generic_xlog.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/itemptr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
}

#include "core/page_store.h"
#include "pg/compat_version.h"
#include "page/format.h"

#if BLCKSZ != 8192
#error "xtree's page format needs a server with 8 kB blocks (--with-blocksize=8)"
#endif

namespace xtree {

static_assert(kPageSize == BLCKSZ);
static_assert(kPageSizeVersion == (BLCKSZ | PG_PAGE_LAYOUT_VERSION));
static_assert(kPageHeaderSize == SizeOfPageHeaderData);
static_assert(kSpecialOffset % MAXIMUM_ALIGNOF == 0);
static_assert(offsetof(PageHeader, lsn_high) == offsetof(PageHeaderData, pd_lsn) + pg::kLsnHighAt);
static_assert(offsetof(PageHeader, lsn_low) == offsetof(PageHeaderData, pd_lsn) + pg::kLsnLowAt);
static_assert(sizeof(PageXLogRecPtr) == 2 * sizeof(uint32_t));
static_assert(offsetof(PageHeader, checksum) == offsetof(PageHeaderData, pd_checksum));
static_assert(offsetof(PageHeader, flags) == offsetof(PageHeaderData, pd_flags));
static_assert(offsetof(PageHeader, lower) == offsetof(PageHeaderData, pd_lower));
static_assert(offsetof(PageHeader, upper) == offsetof(PageHeaderData, pd_upper));
static_assert(offsetof(PageHeader, special) == offsetof(PageHeaderData, pd_special));
static_assert(offsetof(PageHeader, size_version) == offsetof(PageHeaderData, pd_pagesize_version));
static_assert(offsetof(PageHeader, prune_xid) == offsetof(PageHeaderData, pd_prune_xid));
static_assert(sizeof(TupleId) == sizeof(ItemPointerData));
static_assert(offsetof(TupleId, block_high) == offsetof(ItemPointerData, ip_blkid) + offsetof(BlockIdData, bi_hi));
static_assert(offsetof(TupleId, block_low) == offsetof(ItemPointerData, ip_blkid) + offsetof(BlockIdData, bi_lo));
static_assert(offsetof(TupleId, offset) == offsetof(ItemPointerData, ip_posid));
static_assert(std::is_same_v<BlockNumber, ::BlockNumber> && kInvalidBlock == InvalidBlockNumber);
static_assert(std::is_same_v<Lsn, uint64_t> && sizeof(XLogRecPtr) == sizeof(Lsn));
static_assert(kMaxColumns >= INDEX_MAX_KEYS);
static_assert(kMaxPagesPerChange == MAX_GENERIC_XLOG_PAGES);

inline ItemPointerData ToItemPointer(TupleId tuple) {
  ItemPointerData pointer;
  memcpy(&pointer, &tuple, sizeof(pointer));
  return pointer;
}

inline TupleId ToTupleId(const ItemPointerData& pointer) {
  TupleId tuple;
  memcpy(&tuple, &pointer, sizeof(tuple));
  return tuple;
}

}  // namespace xtree

// PostgreSQL's page macros name its type PageHeader, which inside namespace xtree is another one.
namespace pg {

inline bool IsNewPage(const uint8_t* page) { return PageIsNew(reinterpret_cast<Page>(const_cast<uint8_t*>(page))); }
inline XLogRecPtr PageLsn(const uint8_t* page) { return PageGetLSN(reinterpret_cast<Page>(const_cast<uint8_t*>(page))); }
inline void SetPageLsn(uint8_t* page, XLogRecPtr lsn) { PageSetLSN(reinterpret_cast<Page>(page), lsn); }
inline void SetPageChecksum(uint8_t* page, BlockNumber block) { WriteChecksum(reinterpret_cast<Page>(page), block); }
inline uint8_t* BufferBytes(Buffer buffer) { return reinterpret_cast<uint8_t*>(BufferGetPage(buffer)); }

// The server's macros of these names but for their `++` of a volatile variable, which C++20 deprecates.
inline void StartCriticalSection() { CritSectionCount = CritSectionCount + 1; }
inline void EndCriticalSection() {
  Assert(CritSectionCount > 0);
  CritSectionCount = CritSectionCount - 1;
}
inline void HoldInterrupts() { InterruptHoldoffCount = InterruptHoldoffCount + 1; }
inline void ResumeInterrupts() {
  Assert(InterruptHoldoffCount > 0);
  InterruptHoldoffCount = InterruptHoldoffCount - 1;
}

}  // namespace pg
