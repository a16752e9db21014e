// In which order a batch's outer rows are searched for: so that neighbours follow each other.
#pragma once

#include "join/nearest_state.h"

namespace xtree {

// Fills open->sequence with the numbers of all outer rows, of which there is a query each.
void ArrangeQueries(OpenNearest* open);

}  // namespace xtree
