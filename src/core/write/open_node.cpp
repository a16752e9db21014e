#include "core/write/open_node.h"

#include <algorithm>

namespace xtree {

namespace {

// What a link of a healthy index can lead to.
BlockNumber Linked(BlockNumber block, const OpenNode* parent) {
  if (block == kMetaBlock || block == kInvalidBlock) throw CorruptPage(block, "a link leads to a block that is no node");
  if (parent != nullptr && parent->Holds(block)) throw CorruptPage(block, "a node is its own child");
  return block;
}

}  // namespace

OpenNode::OpenNode(PageStore& store, const KeyLayout& layout, BlockNumber block, LockMode mode, const OpenNode* parent)
    : store_(&store), layout_(&layout), head_(store, Linked(block, parent), mode) {
  if (view().supernode_follower()) throw CorruptPage(block, "a link leads into the middle of a supernode");
  OpenFollowers(mode, parent);
}

void OpenNode::Relock(LockMode mode) {
  followers_.clear();
  head_.Relock(mode);
  OpenFollowers(mode, nullptr);
}

void OpenNode::OpenFollowers(LockMode mode, const OpenNode* parent) {
  if (view().followers() == 0) return;
  std::vector<BlockNumber> blocks(view().followers());
  for (size_t i = 0; i < blocks.size(); i++) blocks[i] = Linked(view().Follower(static_cast<int>(i)), parent);
  std::vector<BlockNumber> sorted = blocks;
  sorted.push_back(head_.block());
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) throw CorruptPage(head_.block(), "a supernode lists a page twice");
  for (const BlockNumber block : blocks) {
    followers_.emplace_back(*store_, block, mode);
    const NodeView follower(*layout_, followers_.back().bytes());
    if (!follower.supernode_follower() || follower.opaque().link != head_.block() || follower.level() != view().level())
      throw CorruptPage(block, "a supernode lists a page that is not its own");
  }
}

bool OpenNode::Holds(BlockNumber block) const {
  return head_.block() == block ||
         std::any_of(followers_.begin(), followers_.end(), [block](const PageLock& page) { return page.block() == block; });
}

int OpenNode::entries() const {
  int sum = 0;
  for (int i = 0; i < pages(); i++) sum += page(i).entries();
  return sum;
}

}  // namespace xtree
