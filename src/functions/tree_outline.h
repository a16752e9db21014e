// The boxes of a tree for a picture, from the root down. A node's box is the one that its parent has for it, which is what scans decide by, so
// no leaf is read; and where a level has more nodes than there is room for, it is the last one, and a part of it is taken that is spread
// evenly over the tree. So the work is bounded by the room, not by the index.
//
// Share locks, one node at a time: what writers change meanwhile, the boxes of nodes that are split among it, may be missing. Throws
// (pg/guard.h).
#pragma once

#include "core/page_store.h"
#include "index/index_state.h"
#include "report/tree_picture.h"

namespace xtree {

struct OutlineRequest {
  int dimensions;    // 1 or 2 that are drawn
  int dimension[2];  // which, from 0
  int min_level;     // the leaves' is 0
  int max_level;
  size_t room;      // boxes at most
  bool has_window;  // then of all dimensions of the index, as coordinates: lowest and greatest, -infinity and NaN where open
  const double* window_lo;
  const double* window_hi;
};

// Fills levels and boxes; of the boxes all but what shared memory knows. REQUIRES: a built index whose dimensions are decided.
void OutlineTree(PageStore& store, const IndexState& state, const OutlineRequest& request, TreePicture* picture);

}  // namespace xtree
