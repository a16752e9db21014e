// R*-tree's choose subtree: which child of a directory node a new entry goes to.
#pragma once

#include "core/write/open_node.h"

namespace xtree {

// The child whose box already contains `key` and is smallest; where none does: above leaves, the one whose overlap with
// its siblings grows least; elsewhere the one whose area grows least. Ties: least growth of margin, then area.
// Deterministic in the node's content. REQUIRES: at least one entry.
EntryPosition ChooseSubtree(const OpenNode& node, const KeyLayout& layout, const Box& key);

}  // namespace xtree
