// Prefetch before search: a scan knows the children that it will visit before it needs them, and has the kernel read them together.
//
// An index whose pages are in memory must not pay for that, so a backend keeps a credit per index: looking for absent pages costs
// credit, finding some renews it, and without credit one call in many looks again. Advice, or a read stream (storage/page_stream.h): a page that
// cannot be read fails, with an ERROR, when the scan comes to it.
#pragma once

#include "registry/index_registry.h"

namespace xtree {

struct PrefetchResult {
  uint32_t pages;         // advised
  uint64_t microseconds;  // that it took
};

// May pages of the index be absent, as far as this backend knows? Cheap.
bool PrefetchPays(Relation index);

// REQUIRES: it pays. Through shared buffers, and through a mapping. At most xtree.prefetch_limit pages, none where effective_io_concurrency is 0.
PrefetchResult PrefetchBuffers(Relation index, const BlockNumber* blocks, int count);
PrefetchResult PrefetchMapped(Relation index, RegisteredIndex* mapped, const BlockNumber* blocks, int count);

// May `count` pages that come next be read ahead? A stream of them goes as far ahead as the server sees fit; what it read when a page is taken
// from it is noted.
bool MayReadAhead(Relation index, int count);
void NoteStreamed(Relation index, int64 absent);

}  // namespace xtree
