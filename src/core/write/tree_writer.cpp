#include "core/write/tree_writer.h"

namespace xtree {

namespace {

constexpr Lsn kNoParent = ~Lsn{0};  // the root's: no split has to be followed
constexpr int kManyRestarts = 100;

// Did the node split, or go, after the downlink to it was read?
bool ChangedSince(const NodeView& node, Lsn parent_lsn) {
  return node.deleted() || (parent_lsn != kNoParent && node.opaque().nsn >= parent_lsn);
}

void CopyImage(const PageRef& page, PageImage* image) { memcpy(image->bytes, page.bytes, kPageSize); }

}  // namespace

void TreeWriter::Insert(const Box& key, TupleId tuple, const uint8_t* payload, uint16_t payload_length) {
  const NewEntry entry{key, tuple, payload, payload_length};
  XTREE_STOP_POINT("insert-begin");
  for (int restarts = 0;;) {
    switch (TryInsert(entry)) {
      case Step::kDone:
        XTREE_STOP_POINT("insert-end");
        return;
      case Step::kNoRoom:
        MakeRoom(entry);
        break;
      case Step::kRestart:
        // Nobody splits that often. Damage that looks like a split shows where the parent is locked as well.
        if (++restarts % kManyRestarts == 0) MakeRoom(entry);
        break;
    }
  }
}

TreeWriter::Step TreeWriter::TryInsert(const NewEntry& entry) {
  OpenNode node(store_, layout_, kRootBlock, LockMode::kShare);
  Lsn parent_lsn = kNoParent;
  int level = node.level();
  if (level == 0) {
    node.Relock(LockMode::kExclusive);
    if (node.level() != 0) return Step::kRestart;
  }
  Box box;
  while (level > 0) {
    EntryPosition position = ChooseSubtree(node, layout_, entry.key);
    node.page(position.page).GetBox(position.entry, &box);
    if (!Contains(layout_, box, entry.key)) {
      const Step step = GrowBox(&node, parent_lsn, level, entry.key, &position);
      if (step != Step::kDone) return step;
    }
    const BlockNumber child = node.page(position.page).Child(position.entry);
    parent_lsn = node.lsn(position.page);
    { const OpenNode parent = std::move(node); }  // unlocked: nsn and the deleted flag tell what happens from here on
    XTREE_STOP_POINT("insert-between-nodes");
    level--;
    node = OpenNode(store_, layout_, child, level == 0 ? LockMode::kExclusive : LockMode::kShare);
    if (ChangedSince(node.view(), parent_lsn)) return Step::kRestart;
    if (node.level() != level) throw CorruptPage(child, "a child is not one level below its parent");
  }
  if (!node.view().HasRoom(entry.marks(), entry.payload_length)) RemoveKilled(node);
  if (!node.view().HasRoom(entry.marks(), entry.payload_length)) return Step::kNoRoom;
  AppendToLeaf(node, entry);
  return Step::kDone;
}

// Makes the chosen child's box contain the key, before the child itself may take it.
TreeWriter::Step TreeWriter::GrowBox(OpenNode* node, Lsn parent_lsn, int level, const Box& key, EntryPosition* position) {
  const Lsn head_lsn = node->lsn(0), page_lsn = node->lsn(position->page);
  node->Relock(LockMode::kExclusive);
  if (ChangedSince(node->view(), parent_lsn) || node->level() != level) return Step::kRestart;
  const bool same = node->lsn(0) == head_lsn && node->lsn(position->page) == page_lsn;
  if (!same) *position = ChooseSubtree(*node, layout_, key);
  const NodeView page = node->page(position->page);
  Box box;
  page.GetBox(position->entry, &box);
  if (Contains(layout_, box, key)) return Step::kDone;
  PageImage image;
  CopyImage(node->ref(position->page), &image);
  NodeEditor editor(layout_, image.bytes);
  if (key.marks != 0 && !editor.HasRoomForMarks()) {
    if (node->pages() > 1) throw CorruptPage(node->ref(position->page).block, "a page of a supernode carries no marks");
    return Step::kNoRoom;
  }
  store_.CheckConflict(node->ref(0));
  // Whoever searched this node saw no need to visit the child for what its box now takes in; a later writer may change only the child.
  store_.PredicateSplit(node->block(), page.Child(position->entry));
  Extend(layout_, key, &box);
  editor.SetBox(position->entry, box);
  const PageChange change{&node->ref(position->page), &image, false};
  XTREE_STOP_POINT("insert-before-grow-box");
  store_.Commit({&change, 1});
  XTREE_STOP_POINT("insert-after-grow-box");
  return Step::kDone;
}

// A full leaf sheds the entries that scans have found dead, before it would split. No cleanup lock: their TIDs are not
// reused before the next VACUUM has been here.
void TreeWriter::RemoveKilled(const OpenNode& leaf) {
  const NodeView view = leaf.view();
  bool drop[kMaxEntriesPerPage] = {};
  TupleId killed[kMaxEntriesPerPage];
  size_t count = 0;
  for (int i = 0; i < view.entries(); i++) {
    drop[i] = view.Killed(i);
    if (drop[i]) killed[count++] = view.Tuple(i);
  }
  if (count == 0) return;
  store_.WillRemoveKilled(leaf.ref(0), {killed, count});
  PageImage image;
  CopyImage(leaf.ref(0), &image);
  NodeEditor(layout_, image.bytes).Remove(drop);
  const PageChange change{&leaf.ref(0), &image, false};
  XTREE_STOP_POINT("insert-before-remove-killed");
  store_.Commit({&change, 1});
}

void TreeWriter::AppendToLeaf(const OpenNode& leaf, const NewEntry& entry) {
  store_.CheckConflict(leaf.ref(0));
  PageImage image;
  CopyImage(leaf.ref(0), &image);
  NodeEditor(layout_, image.bytes).AppendTuple(entry.key, entry.tuple, entry.payload, entry.payload_length);
  const PageChange change{&leaf.ref(0), &image, false};
  XTREE_STOP_POINT("insert-before-leaf");
  store_.Commit({&change, 1});
  XTREE_STOP_POINT("insert-after-leaf");
}

// Has some page of a directory node room for a downlink, or the leaf for the entry?
bool TreeWriter::Full(const OpenNode& node, const NewEntry& entry) const {
  if (node.leaf()) return !node.view().HasRoom(entry.marks(), entry.payload_length);
  for (int i = 0; i < node.pages(); i++)
    if (node.page(i).HasRoom(entry.marks() || node.page(i).has_marks(), 0)) return false;
  return true;
}

void TreeWriter::MakeRoom(const NewEntry& entry) {
  OpenNode parent(store_, layout_, kRootBlock, LockMode::kExclusive);
  if (Full(parent, entry)) return SplitRoot(&parent);
  while (!parent.leaf()) {
    const EntryPosition position = ChooseSubtree(parent, layout_, entry.key);
    const BlockNumber block = parent.page(position.page).Child(position.entry);
    OpenNode child(store_, layout_, block, LockMode::kExclusive, &parent);
    if (child.view().deleted() || child.level() != parent.level() - 1)
      throw CorruptPage(block, "a child is deleted or not one level below its parent");
    if (child.nsn() >= parent.lsn(position.page)) throw CorruptPage(block, "a split is younger than the downlinks to its halves");
    if (Full(child, entry)) return SplitChild(&parent, position, &child);
    parent = std::move(child);
  }
}

}  // namespace xtree
