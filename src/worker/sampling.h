// The worker takes samples of the indexes in use, once in xtree.history_interval, for their history (history/history_file.h), and looks at what the
// history says: when the index will be wanted next, and whether something is unusual.
#pragma once

#include "worker/held_indexes.h"

namespace xtree {

// Of as many indexes that are due as a tenth of a second allows, and of the server.
void SampleSome(const IndexList& list);

}  // namespace xtree
