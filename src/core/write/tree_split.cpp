// TreeWriter's structural changes: splits, supernodes, a new root. Every node named here is exclusively locked, parents
// before children; what becomes visible does so in one Commit.
#include <algorithm>

#include "core/write/tree_writer.h"

namespace xtree {

namespace {

EntrySet AllEntries(const OpenNode& node, const KeyLayout& layout) {
  EntrySet entries(layout, node.leaf());
  for (int i = 0; i < node.pages(); i++) entries.Add(node.page(i));
  return entries;
}

std::unique_ptr<PageImage> NewImage() { return std::make_unique<PageImage>(); }

std::unique_ptr<PageImage> ImageOf(const PageRef& page) {
  auto image = NewImage();
  memcpy(image->bytes, page.bytes, kPageSize);
  return image;
}

uint8_t NodeFlagsFor(int level, bool supernode) {
  if (level == 0) return kNodeLeaf;
  return supernode ? kNodeHasMarks : 0;  // pages of a supernode always carry marks: none of them can lack room for them later
}

uint16_t ListRoom(const NodeView& head) { return head.header().special - head.header().lower; }

// The list lies in the head's upper area: entries move to `follower` until it has room for `count` blocks.
void MakeListRoom(const KeyLayout& layout, PageImage* head, PageImage* follower, int count) {
  NodeEditor editor(layout, head->bytes);
  bool drop[kMaxEntriesPerPage] = {};
  while (ListRoom(editor.view()) < count * 4) {
    EntrySet entries(layout, false);
    entries.Add(editor.view());
    const int moved = std::min<int>(editor.view().block().capacity, entries.size());
    NodeEditor target(layout, follower->bytes);
    for (int i = entries.size() - moved; i < entries.size(); i++) {
      entries.AppendTo(&target, i);
      drop[i] = true;
    }
    editor.Remove(drop);
    std::fill(std::begin(drop), std::end(drop), false);
  }
}

}  // namespace

std::optional<Partition> TreeWriter::ChoosePartition(const OpenNode& node, const EntrySet& entries) const {
  if (entries.size() < 2) throw CorruptPage(node.block(), "a node without room has fewer than two entries");
  if (node.leaf()) return TopologicalSplit(entries);
  return DirectorySplit(entries, options_, node.pages() < options_.max_supernode_pages);
}

void TreeWriter::SplitRoot(OpenNode* root) {
  const EntrySet entries = AllEntries(*root, layout_);
  const std::optional<Partition> partition = ChoosePartition(*root, entries);
  if (!partition) return GrowSupernode(root);
  if (root->level() + 1 >= kMaxLevel) throw CorruptPage(kRootBlock, "the tree is higher than any tree can be");
  SplitHalf left(store_, entries, partition->left, root->level());
  SplitHalf right(store_, entries, partition->right, root->level());
  const PageLock left_page(store_, store_.Allocate());
  const PageLock right_page(store_, store_.Allocate());
  left.WriteFollowers(left_page.block());
  right.WriteFollowers(right_page.block());

  SplitHistory history;
  history.Add(partition->dimension);
  auto image = NewImage();
  NodeEditor editor(layout_, image->bytes);
  editor.Initialize(root->level() + 1, 0);
  editor.AppendChild(left.bounds(), left_page.block(), history);
  editor.AppendChild(right.bounds(), right_page.block(), history);

  store_.PredicateSplit(kRootBlock, left_page.block());
  store_.PredicateSplit(kRootBlock, right_page.block());
  const PageChange changes[] = {
      {&root->ref(0), image.get(), false}, {&left_page.ref(), &left.head(), true}, {&right_page.ref(), &right.head(), true}};
  XTREE_STOP_POINT("root-split-before-commit");
  store_.Commit(changes);
  XTREE_STOP_POINT("root-split-after-commit");
  FreePages(store_, layout_, root->followers());
}

// REQUIRES: a page of the parent has room for one more downlink with the child's marks.
void TreeWriter::SplitChild(OpenNode* parent, EntryPosition position, OpenNode* child) {
  const EntrySet entries = AllEntries(*child, layout_);
  std::optional<Partition> partition = ChoosePartition(*child, entries);
  if (!partition) return GrowSupernode(child);
  // What stays is logged only as far as it moves within the page, so that should be the larger half.
  if (child->pages() == 1 && partition->left.size() < partition->right.size()) std::swap(partition->left, partition->right);
  SplitHalf left = child->pages() == 1 ? SplitHalf(store_, entries, partition->left, child->ref(0), partition->right)
                                       : SplitHalf(store_, entries, partition->left, child->level());
  SplitHalf right(store_, entries, partition->right, child->level());
  const PageLock right_page(store_, store_.Allocate());
  left.WriteFollowers(child->block());
  right.WriteFollowers(right_page.block());

  position = MakeRoomBeside(parent, position, right.bounds().marks != 0);
  right.head_editor().opaque().nsn = child->nsn();
  right.head_editor().opaque().link = child->view().opaque().link;
  left.head_editor().opaque().nsn = store_.CurrentNsn();
  left.head_editor().opaque().link = right_page.block();

  SplitHistory history = parent->page(position.page).History(position.entry);
  history.Add(partition->dimension);
  const auto image = ImageOf(parent->ref(position.page));
  NodeEditor editor(layout_, image->bytes);
  editor.SetBox(position.entry, left.bounds());
  editor.SetHistory(position.entry, history);
  editor.AppendChild(right.bounds(), right_page.block(), history);

  store_.PredicateSplit(child->block(), right_page.block());
  const PageChange changes[] = {
      {&parent->ref(position.page), image.get(), false}, {&child->ref(0), &left.head(), false}, {&right_page.ref(), &right.head(), true}};
  XTREE_STOP_POINT("split-before-commit");
  store_.Commit(changes);
  XTREE_STOP_POINT("split-after-commit");
  FreePages(store_, layout_, child->followers());
}

// A downlink is added on the page of the entry that is split: a reader of a supernode, on a standby too, then sees both or neither. Where
// that page is full another entry moves to one that is not. A record that changes two pages of a supernode begins with its head, which
// readers hold while they go through the chain: replay locks in the order of the record.
EntryPosition TreeWriter::MakeRoomBeside(OpenNode* parent, EntryPosition position, bool marks) {
  if (parent->page(position.page).HasRoom(marks, 0)) return position;
  int target = 0;
  while (target < parent->pages() && !parent->page(target).HasRoom(true, 0)) target++;
  if (target == parent->pages()) throw CorruptPage(parent->block(), "a supernode has lost the room that was made in it");

  const int last = parent->page(position.page).entries() - 1;
  const int moved = position.entry == last ? 0 : last;
  EntrySet entries(layout_, false);
  entries.Add(parent->page(position.page));
  auto head = ImageOf(parent->ref(0));
  auto from = ImageOf(parent->ref(position.page));
  auto to = ImageOf(parent->ref(target));
  PageImage* from_image = position.page == 0 ? head.get() : from.get();
  PageImage* to_image = target == 0 ? head.get() : to.get();
  bool drop[kMaxEntriesPerPage] = {};
  drop[moved] = true;
  NodeEditor(layout_, from_image->bytes).Remove(drop);
  NodeEditor to_editor(layout_, to_image->bytes);
  entries.AppendTo(&to_editor, moved);

  std::vector<PageChange> changes = {{&parent->ref(0), head.get(), false}};
  if (position.page != 0) changes.push_back({&parent->ref(position.page), from.get(), false});
  if (target != 0) changes.push_back({&parent->ref(target), to.get(), false});
  store_.Commit(changes);
  XTREE_STOP_POINT("split-after-move");
  return {position.page, moved == last ? position.entry : 0};
}

// Adds a page to the node; a node of one page becomes a supernode.
void TreeWriter::GrowSupernode(OpenNode* node) {
  const PageLock page(store_, store_.Allocate());
  std::vector<BlockNumber> blocks;
  for (const PageLock& follower : node->followers()) blocks.push_back(follower.block());
  blocks.push_back(page.block());

  auto follower = NewImage();
  NodeEditor follower_editor(layout_, follower->bytes);
  follower_editor.Initialize(node->level(), kNodeSupernodeFollower | kNodeHasMarks);
  follower_editor.opaque().link = node->block();

  auto head = ImageOf(node->ref(0));
  NodeEditor head_editor(layout_, head->bytes);
  if (!node->view().supernode_head()) {
    EntrySet entries(layout_, false);
    entries.Add(node->view());
    head_editor.Initialize(node->level(), kNodeHasMarks);
    head_editor.opaque().nsn = node->nsn();
    head_editor.opaque().link = node->view().opaque().link;
    for (int i = 0; i < entries.size(); i++) entries.AppendTo(entries.FitsOn(head_editor.view(), i) ? &head_editor : &follower_editor, i);
  }
  MakeListRoom(layout_, head.get(), follower.get(), static_cast<int>(blocks.size()));
  head_editor.SetFollowers(blocks.data(), static_cast<int>(blocks.size()));

  const PageChange changes[] = {{&node->ref(0), head.get(), false}, {&page.ref(), follower.get(), true}};
  XTREE_STOP_POINT("supernode-before-commit");
  store_.Commit(changes);
  XTREE_STOP_POINT("supernode-after-commit");
}

SplitHalf::SplitHalf(PageStore& store, const EntrySet& entries, const std::vector<int>& members, int level)
    : store_(store), layout_(entries.layout()) {
  Measure(entries, members);
  // A longer list of followers leaves the head less room for entries, so the number of followers settles in a few
  // rounds.
  for (int planned = 0, packed = Pack(entries, members, level, 0); packed != planned;) {
    planned = packed;
    packed = Pack(entries, members, level, planned);
  }
}

// Fills pages one after the other, the head with a list of `followers` blocks (named later). Returns how many followers
// it took.
int SplitHalf::Pack(const EntrySet& entries, const std::vector<int>& members, int level, int followers) {
  const std::vector<BlockNumber> unnamed(followers, kInvalidBlock);
  images_.clear();
  for (const int i : members) {
    if (images_.empty() || !entries.FitsOn(NodeView(layout_, images_.back()->bytes), i)) {
      const bool head = images_.empty();
      images_.push_back(NewImage());
      NodeEditor page(layout_, images_.back()->bytes);
      page.Initialize(level, NodeFlagsFor(level, followers > 0) | (head ? 0 : kNodeSupernodeFollower));
      if (head && followers > 0) page.SetFollowers(unnamed.data(), followers);
    }
    NodeEditor page(layout_, images_.back()->bytes);
    entries.AppendTo(&page, i);
  }
  return static_cast<int>(images_.size()) - 1;
}

SplitHalf::SplitHalf(PageStore& store, const EntrySet& entries, const std::vector<int>& members, const PageRef& page,
                     const std::vector<int>& leaving)
    : store_(store), layout_(entries.layout()) {
  Measure(entries, members);
  images_.push_back(ImageOf(page));
  bool drop[kMaxEntriesPerPage] = {};
  for (const int entry : leaving) drop[entry] = true;
  head_editor().Remove(drop);
}

void SplitHalf::Measure(const EntrySet& entries, const std::vector<int>& members) {
  MakeEmpty(layout_, &bounds_);
  Box box;
  for (const int i : members) {
    entries.GetBox(i, &box);
    Extend(layout_, box, &bounds_);
  }
}

void SplitHalf::WriteFollowers(BlockNumber head) {
  std::vector<BlockNumber> blocks;
  for (size_t i = 1; i < images_.size(); i++) {
    NodeEditor(layout_, images_[i]->bytes).opaque().link = head;
    const PageLock page(store_, store_.Allocate());
    const PageChange change{&page.ref(), images_[i].get(), true};
    store_.Commit({&change, 1});
    XTREE_STOP_POINT("split-after-follower");
    blocks.push_back(page.block());
  }
  if (!blocks.empty()) head_editor().SetFollowers(blocks.data(), static_cast<int>(blocks.size()));
}

void FreePages(PageStore& store, const KeyLayout& layout, const std::vector<PageLock>& pages) {
  for (const PageLock& page : pages) {
    const auto image = ImageOf(page.ref());
    NodeEditor(layout, image->bytes).MarkDeleted(store.NextTransactionId());
    const PageChange change{&page.ref(), image.get(), false};
    store.Commit({&change, 1});
    XTREE_STOP_POINT("split-after-free");
    store.RecordFree(page.block());
  }
}

bool TwoFitOnLeaf(const KeyLayout& layout, uint16_t payload_length) {
  PageImage image;
  const std::vector<uint8_t> payload(payload_length);
  Box box;
  MakeEmpty(layout, &box);
  box.marks = kMarkNull;
  NodeEditor editor(layout, image.bytes);
  editor.Initialize(0, kNodeLeaf);
  if (!editor.view().HasRoom(true, payload_length)) return false;
  editor.AppendTuple(box, TupleId{}, payload.data(), payload_length);
  return editor.view().HasRoom(true, payload_length);
}

}  // namespace xtree
