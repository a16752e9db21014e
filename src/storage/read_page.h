// Reading pages of an index: one that another page refers to, and the content of the meta page.
#pragma once

#include "page/format.h"
#include "pg/postgres_api.h"

namespace xtree {

// ReadBufferExtended() for the main fork. A block beyond the end of the file is an ERROR as for other damage (ERRCODE_INDEX_CORRUPTED with
// index, block and a hint to REINDEX); the storage manager's own names a file. Leaves by longjmp.
Buffer ReadPage(Relation index, BlockNumber block, BufferAccessStrategy strategy);

// A copy of the content of a meta page, which is pinned and not locked, and is released.
MetaContent TakeMeta(Buffer buffer);

}  // namespace xtree
