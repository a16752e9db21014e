// Offers the planner joins of two trees: a path for an inner join of two tables by a clause that indexes on both can answer together.
#pragma once

namespace xtree {

// Called once, when the library is loaded: that is before the first index of a session is planned with.
void OfferTreeJoins();

}  // namespace xtree
