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

// Runs attempt(context) so that a fault in a page of the reader makes it return false with nothing open.
bool RunTrapped(PageReader& reader, bool (*attempt)(void* context), void* context);

// Something cannot be: damage, or only doubt. Returns false with nothing open.
bool Reject(PageReader& reader, BlockNumber block, const char* what);

// One attempt to read a node. False: what was visited is to be discarded; nothing is open.
template <class Visit>
class NodeAttempt {
 public:
  NodeAttempt(PageReader& reader, const NodePointer& node, Visit& visit) : reader_(reader), node_(node), visit_(visit) {}

  bool Run() {
    const NodeView head = reader_.Open(0, node_.block, node_.level);
    if (head.supernode_follower()) return Reject(reader_, node_.block, "a supernode's follower has a downlink");
    if (head.leaf() && head.supernode_head()) return Reject(reader_, node_.block, "a leaf is a supernode");
    right_ = head.opaque().nsn >= node_.parent_lsn ? head.opaque().link : kInvalidBlock;
    if (right_ == node_.block) return Reject(reader_, node_.block, "is its own right sibling");
    if (!head.deleted()) {
      visit_(head, reader_.PageLsn(0));
      const int followers = head.followers();
      for (int i = 0; i < followers; ++i) {
        if (!RunFollower(head, head.Follower(i))) return false;
      }
    }
    return reader_.Close(0);
  }
  static bool RunThis(void* attempt) { return static_cast<NodeAttempt*>(attempt)->Run(); }

  BlockNumber right() const { return right_; }

 private:
  bool RunFollower(const NodeView& head, BlockNumber block) {
    const NodeView follower = reader_.Open(1, block, head.level());
    if (!follower.valid() || !follower.supernode_follower() || follower.opaque().link != node_.block) {
      return Reject(reader_, block, "listed by a supernode that it does not belong to");
    }
    visit_(follower, reader_.PageLsn(1));
    if (reader_.Close(1)) return true;
    reader_.GiveUp();
    return false;
  }

  PageReader& reader_;
  const NodePointer& node_;
  Visit& visit_;
  BlockNumber right_ = kInvalidBlock;
};

// Calls visit(NodeView, Lsn of the page) for each page of the node that has entries, in order; it may leave by longjmp.
// Returns the right sibling to be visited with the same level and parent_lsn, or kInvalidBlock. What was visited counts
// only when VisitNode returns: discard() undoes all of the node's visits, which then come again. A fault may interrupt a
// visit anywhere between two reads of the page, so discard() may rely only on what was written before the last call of
// the reader or a signal fence.
template <class Visit, class Discard>
BlockNumber VisitNode(PageReader& reader, const NodePointer& node, Visit&& visit, Discard&& discard) {
  NodeAttempt<Visit> attempt(reader, node, visit);
  const auto run = [&] {
    return reader.fault_jump() == nullptr ? attempt.Run() : RunTrapped(reader, &NodeAttempt<Visit>::RunThis, &attempt);
  };
  while (!run()) discard();
  return attempt.right();
}

}  // namespace xtree
