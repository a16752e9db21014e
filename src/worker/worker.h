// The background worker "xtree worker": admits indexes, evicts them, pins hot pages, measures, remembers. One process, without a
// database, so that it is in nobody's way; it works on files and shared memory alone.
//
// Each round it serves requests and loads what was asked for; once in naptime it makes a cycle of everything else. An ERROR anywhere ends the
// round; what the process held is released and the next round begins.
#pragma once

namespace xtree {

// Called by _PG_init while the server starts.
void RegisterWorker();

}  // namespace xtree
