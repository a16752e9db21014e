// Admission: an index's file is brought up to date, so that mappings of it may be read (src/README.md, "Mapped reads").
#pragma once

#include "worker/held_indexes.h"

namespace xtree {

// Admits all indexes of state kLoading, whose dirty pages are written in one pass over the buffer pool; those that were admitted
// before need none. In recovery nothing is admitted: files are read ahead into the page cache.
void LoadWaiting(const IndexList& list);

}  // namespace xtree
