#include "core/write/tree_vacuum.h"

#include <algorithm>

#include "page/validate.h"

namespace xtree {

namespace {

bool IsNew(const PageLock& page) { return reinterpret_cast<const PageHeader*>(page.bytes())->upper == 0; }

uint64_t DeleteXid(const NodeView& page) {
  DeletedContent content;
  memcpy(&content, page.page() + kPageHeaderSize, sizeof content);
  return content.delete_xid;
}

}  // namespace

TreeVacuum::TreeVacuum(PageStore& store, const KeyLayout& layout, IsDead is_dead, Clusters clusters)
    : store_(store),
      layout_(layout),
      is_dead_(std::move(is_dead)),
      clusters_(std::move(clusters)),
      start_nsn_(store.CurrentNsn()),
      leaf_sample_(layout) {}

void TreeVacuum::Process(BlockNumber block) {
  last_ = std::max(last_, block);
  BlockNumber steps = 0;
  for (BlockNumber next = block; next != kInvalidBlock; steps++) {
    if (steps > block) throw CorruptPage(block, "right links lead in a circle");
    next = ProcessOne(next, block);
  }
}

// Returns a lower block that a split during this vacuum moved entries to, which the walk has passed already; or
// kInvalidBlock.
BlockNumber TreeVacuum::ProcessOne(BlockNumber block, BlockNumber walk) {
  PageLock page(store_, store_.OpenUnchecked(block, LockMode::kShare));
  if (IsNew(page)) {
    store_.RecordFree(block);  // extended, but the backend failed before it used the page
    result_.pages_free++;
    return kInvalidBlock;
  }
  if (IsModelPage(page.bytes())) {
    ProcessModelPage(std::move(page));
    return kInvalidBlock;
  }
  const char* problem = ValidateNode(layout_, page.bytes(), -1);
  if (problem != nullptr) throw CorruptPage(block, problem);
  const NodeView view(layout_, page.bytes());
  if (!view.leaf() && !view.deleted() && block != kRootBlock) {
    ProcessDirectory(page);
    return kInvalidBlock;
  }
  page.Relock(LockMode::kCleanup);
  if (view.deleted()) {
    ProcessDeleted(page);
  } else if (view.leaf()) {
    RemoveDead(page);
  } else {
    ProcessDirectory(page);
    return kInvalidBlock;
  }
  const NodeOpaque& opaque = view.opaque();
  const bool moved_back = opaque.nsn >= start_nsn_ && opaque.link != kInvalidBlock && opaque.link < walk;
  return moved_back ? opaque.link : kInvalidBlock;
}

void TreeVacuum::ProcessDeleted(const PageLock& page) {
  if (store_.Recyclable(DeleteXid(NodeView(layout_, page.bytes())))) {
    store_.RecordFree(page.block());
    result_.pages_free++;
  } else {
    result_.pages_deleted++;
  }
}

// Of a model that the index has let go of, or that a crash kept from it. Whoever is about to read it looks at the meta page again.
void TreeVacuum::ProcessModelPage(PageLock page) {
  const auto unused = [&] { return IsModelPage(page.bytes()) && !clusters_.uses_model(NodeView(layout_, page.bytes()).opaque().nsn); };
  if (!clusters_.uses_model || !unused()) return;
  const BlockNumber block = page.block();
  page.Reset();
  page = PageLock(store_, store_.OpenUnchecked(block, LockMode::kExclusive));
  if (!unused()) return;
  PageImage image;
  memset(image.bytes, 0, kPageSize);
  NodeEditor editor(layout_, image.bytes);
  editor.Initialize(0, kNodeLeaf);
  editor.MarkDeleted(store_.NextTransactionId());
  const PageChange change{&page.ref(), &image, true};
  XTREE_STOP_POINT("vacuum-before-free-model");
  store_.Commit({&change, 1});
  result_.pages_newly_deleted++;
  result_.pages_deleted++;
}

void TreeVacuum::RemoveDead(const PageLock& page) {
  const NodeView view(layout_, page.bytes());
  bool drop[kMaxEntriesPerPage] = {};
  int dead = 0;
  for (int i = 0; i < view.entries(); i++) dead += drop[i] = is_dead_(view.Tuple(i));
  const int left = view.entries() - dead;
  if (dead > 0) {
    PageImage image;
    memcpy(image.bytes, page.bytes(), kPageSize);
    NodeEditor(layout_, image.bytes).Remove(drop);
    const PageChange change{&page.ref(), &image, false};
    XTREE_STOP_POINT("vacuum-before-remove");
    store_.Commit({&change, 1});
    XTREE_STOP_POINT("vacuum-after-remove");
  }
  if (clusters_.leaf) clusters_.leaf(NodeView(layout_, page.bytes()));
  result_.entries_removed += dead;
  result_.entries_left += left;
  if (left == 0 && page.block() != kRootBlock) empty_leaves_.push_back(page.block());
  if (left > 0) leaf_sample_.Offer(view);
  Count(view);
}

void TreeVacuum::ProcessDirectory(const PageLock& page) {
  const NodeView view(layout_, page.bytes());
  if (view.supernode_follower()) {
    followers_.push_back({page.block(), view.opaque().link});
    return;
  }
  Count(view);
  if (view.level() == 1) leaf_parents_.push_back(page.block());
}

void TreeVacuum::Finish() {
  for (const Follower& follower : followers_) SweepFollower(follower);
  DeleteEmptyLeaves();
}

// A follower that its head does not list was leaked by a crash in the middle of a split. The head's lock is taken
// first: a split at work holds it. After a crash the head may even lie past the end: the file had grown, but nothing
// was logged of the new page. When the walk has come to the end, a head that it has not met cannot be older than the
// crash, and does not list the follower.
void TreeVacuum::SweepFollower(const Follower& follower) {
  PageLock head;
  if (follower.head <= last_ && follower.head != follower.block)
    head = PageLock(store_, store_.OpenUnchecked(follower.head, LockMode::kShare));
  PageLock page(store_, store_.OpenUnchecked(follower.block, LockMode::kExclusive));
  const NodeView view(layout_, page.bytes());
  if (IsNew(page) || ValidateNode(layout_, page.bytes(), -1) != nullptr) return;
  if (!view.supernode_follower() || view.deleted() || view.opaque().link != follower.head) return;  // freed or reused meanwhile
  if (head && Lists(head, follower.block)) return Count(view);
  std::vector<PageLock> leaked;
  leaked.push_back(std::move(page));
  FreePages(store_, layout_, leaked);
  result_.pages_newly_deleted++;
  result_.pages_deleted++;
}

bool TreeVacuum::Lists(const PageLock& head, BlockNumber follower) const {
  if (IsNew(head) || ValidateNode(layout_, head.bytes(), -1) != nullptr) return false;
  const NodeView view(layout_, head.bytes());
  for (int i = 0; i < view.followers(); i++)
    if (view.Follower(i) == follower) return true;
  return false;
}

void TreeVacuum::Count(const NodeView& page) {
  if (levels_.size() <= static_cast<size_t>(page.level())) levels_.resize(page.level() + 1);
  LevelStatistics& level = levels_[page.level()];
  level.entries += page.entries();
  level.pages++;
  level.nodes += !page.supernode_follower();
  level.supernodes += page.supernode_head();
}

void TreeVacuum::DeleteEmptyLeaves() {
  std::sort(empty_leaves_.begin(), empty_leaves_.end());
  if (empty_leaves_.empty()) return;
  for (const BlockNumber block : leaf_parents_) {
    {
      const PageLock page(store_, store_.OpenUnchecked(block, LockMode::kShare));
      if (IsNew(page) || ValidateNode(layout_, page.bytes(), 1) != nullptr) continue;
      const NodeView view(layout_, page.bytes());
      if (view.deleted() || view.supernode_follower()) continue;
    }
    OpenNode parent(store_, layout_, block, LockMode::kExclusive);
    if (!parent.view().deleted() && parent.level() == 1) Unlink(&parent);
  }
}

// From the last entry to the first: Remove moves the last entry into the gap, which has been looked at then.
void TreeVacuum::Unlink(OpenNode* parent) {
  int entries = parent->entries();
  for (int p = 0; p < parent->pages(); p++) {
    for (int i = parent->page(p).entries() - 1; i >= 0 && entries > 1; i--) {
      const BlockNumber child = parent->page(p).Child(i);
      if (!std::binary_search(empty_leaves_.begin(), empty_leaves_.end(), child)) continue;
      if (UnlinkChild(parent, {p, i})) entries--;
    }
  }
}

bool TreeVacuum::UnlinkChild(OpenNode* parent, EntryPosition position) {
  const BlockNumber block = parent->page(position.page).Child(position.entry);
  if (parent->Holds(block)) throw CorruptPage(block, "a node is its own child");
  const PageLock child(store_, block, LockMode::kExclusive);
  const NodeView view(layout_, child.bytes());
  if (!view.leaf() || view.deleted() || view.entries() > 0) return false;
  PageImage parent_image, child_image;
  memcpy(parent_image.bytes, parent->ref(position.page).bytes, kPageSize);
  memcpy(child_image.bytes, child.bytes(), kPageSize);
  bool drop[kMaxEntriesPerPage] = {};
  drop[position.entry] = true;
  NodeEditor(layout_, parent_image.bytes).Remove(drop);
  NodeEditor(layout_, child_image.bytes).MarkDeleted(store_.NextTransactionId());
  const PageChange changes[] = {{&parent->ref(position.page), &parent_image, false}, {&child.ref(), &child_image, false}};
  XTREE_STOP_POINT("vacuum-before-unlink");
  store_.Commit(changes);
  XTREE_STOP_POINT("vacuum-after-unlink");
  result_.pages_newly_deleted++;
  result_.pages_deleted++;
  return true;
}

}  // namespace xtree
