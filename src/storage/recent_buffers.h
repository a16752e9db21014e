// Where this backend found pages of indexes in the shared buffers last. A look at that buffer is cheaper than the server's lookup by
// name, which costs two cache misses in its hash table for a page that is not hot.
//
// A hint only: ReadRecentBuffer() sees whether the page is still there. A table of fixed size per backend, the newer page wins.
#pragma once

#include "pg/compat.h"

namespace xtree {

// ReadPage(), see there.
Buffer ReadBufferAgain(Relation index, BlockNumber block);

// The page will be read next: has the processor fetch the parts of it that every reader looks at first.
void ApproachBuffer(Relation index, BlockNumber block);

}  // namespace xtree
