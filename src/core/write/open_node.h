// OpenNode: a node held open by a writer: one page, or a supernode's head and all its followers.
//
// The head's lock is the node's lock: every writer of any of its pages, and every reader of it, holds the head first.
// Followers are locked in the same mode, in the order of the list. On a damaged index nothing is locked twice, which
// would wait for ever.
#pragma once

#include <vector>

#include "core/page_store.h"

namespace xtree {

class OpenNode {
 public:
  // `parent`: a node that is open as well.
  OpenNode(PageStore& store, const KeyLayout& layout, BlockNumber block, LockMode mode, const OpenNode* parent = nullptr);

  void Relock(LockMode mode);  // others may have come between

  NodeView view() const { return page(0); }  // the head
  int level() const { return view().level(); }
  bool leaf() const { return view().leaf(); }
  BlockNumber block() const { return head_.block(); }
  uint64_t nsn() const { return view().opaque().nsn; }

  int pages() const { return 1 + static_cast<int>(followers_.size()); }
  NodeView page(int i) const { return NodeView(*layout_, lock(i).bytes()); }
  const PageRef& ref(int i) const { return lock(i).ref(); }
  Lsn lsn(int i) const { return store_->PageLsn(ref(i)); }
  int entries() const;
  bool Holds(BlockNumber block) const;

  const std::vector<PageLock>& followers() const { return followers_; }

 private:
  const PageLock& lock(int i) const { return i == 0 ? head_ : followers_[i - 1]; }
  void OpenFollowers(LockMode mode, const OpenNode* parent);

  PageStore* store_;
  const KeyLayout* layout_;
  PageLock head_;
  std::vector<PageLock> followers_;
};

// An entry of an open node.
struct EntryPosition {
  int page;
  int entry;
};

}  // namespace xtree
