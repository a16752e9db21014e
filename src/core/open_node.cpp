#include "core/open_node.h"

namespace xtree {

OpenNode::OpenNode(PageStore& store, const KeyLayout& layout, BlockNumber block, LockMode mode)
    : store_(&store), layout_(&layout), head_(store, block, mode) {
  if (view().supernode_follower()) throw CorruptPage(block, "a link leads into the middle of a supernode");
  OpenFollowers(mode);
}

void OpenNode::Relock(LockMode mode) {
  followers_.clear();
  head_.Relock(mode);
  OpenFollowers(mode);
}

void OpenNode::OpenFollowers(LockMode mode) {
  const int count = view().followers();
  for (int i = 0; i < count; i++) {
    const BlockNumber block = view().Follower(i);
    if (block == head_.block()) throw CorruptPage(block, "a supernode lists itself");
    followers_.emplace_back(*store_, block, mode);
    const NodeView follower = page(i + 1);
    if (!follower.supernode_follower() || follower.opaque().link != head_.block() || follower.level() != view().level())
      throw CorruptPage(block, "a supernode lists a page that is not its own");
  }
}

int OpenNode::entries() const {
  int sum = 0;
  for (int i = 0; i < pages(); i++) sum += page(i).entries();
  return sum;
}

}  // namespace xtree
