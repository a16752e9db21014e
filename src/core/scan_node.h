// VisitNode: how every scan reads a node, whichever order it visits nodes in.
//
// One page, or a supernode's head and its followers; the head stays open meanwhile, and its lock is the node's. No page
// is open before or after. What happened to a node since its downlink was read shows as nsn >= the LSN that the
// downlink's page had then: a split has moved entries to `link`, and the caller must visit that too, as if the parent
// had named it (src/README.md, "Splits").
#pragma once

#include "core/page_store.h"

namespace xtree {

// A node as its parent names it.
struct NodePointer {
  Lsn parent_lsn;  // of the page that the downlink was read from
  BlockNumber block;
  int32_t level;  // expected; -1 any
};

// The root never moves and has no right sibling.
inline constexpr Lsn kNoParent = UINT64_MAX;
inline constexpr NodePointer kRootPointer{kNoParent, kRootBlock, -1};

// Opens a follower in slot 1. REQUIRES: its head is open in slot 0.
inline NodeView OpenFollower(PageReader& reader, const NodeView& head, const NodePointer& node, int index) {
  const BlockNumber block = head.Follower(index);
  const NodeView follower(head.layout(), reader.Open(1, block, head.level()));
  if (!follower.supernode_follower() || follower.opaque().link != node.block) {
    reader.Corrupt(block, "listed by a supernode that it does not belong to");
  }
  return follower;
}

// Calls visit(NodeView, Lsn of the page) for each page of the node that has entries, in order; it may leave by longjmp.
// Returns the right sibling to be visited with the same level and parent_lsn, or kInvalidBlock.
template <class Visit>
BlockNumber VisitNode(PageReader& reader, const KeyLayout& layout, const NodePointer& node, Visit&& visit) {
  const NodeView head(layout, reader.Open(0, node.block, node.level));
  if (head.supernode_follower()) reader.Corrupt(node.block, "a supernode's follower has a downlink");
  if (head.leaf() && head.supernode_head()) reader.Corrupt(node.block, "a leaf is a supernode");
  const BlockNumber right = head.opaque().nsn >= node.parent_lsn ? head.opaque().link : kInvalidBlock;
  if (right == node.block) reader.Corrupt(node.block, "is its own right sibling");
  if (!head.deleted()) {
    visit(head, reader.PageLsn(0));
    const int followers = head.followers();
    for (int i = 0; i < followers; ++i) {
      const NodeView follower = OpenFollower(reader, head, node, i);
      visit(follower, reader.PageLsn(1));
      reader.Close(1);
    }
  }
  reader.Close(0);
  return right;
}

}  // namespace xtree
