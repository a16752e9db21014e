// Reading a page of an index that another page refers to.
#pragma once

#include "pg/postgres_api.h"

namespace xtree {

// ReadBufferExtended() for the main fork. A block beyond the end of the file is an ERROR as for other damage (ERRCODE_INDEX_CORRUPTED with
// index, block and a hint to REINDEX); the storage manager's own names a file. Leaves by longjmp.
Buffer ReadPage(Relation index, BlockNumber block, BufferAccessStrategy strategy);

}  // namespace xtree
