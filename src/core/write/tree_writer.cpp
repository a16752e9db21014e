#include "core/write/tree_writer.h"

#include <algorithm>

#include "core/write/page_patch.h"

namespace xtree {

namespace {

constexpr Lsn kNoParent = ~Lsn{0};  // the root's: no split has to be followed
constexpr int kManyRestarts = 100;
constexpr size_t kLookAhead = 64;  // entries of a batch that a leaf is offered

// Did the node split, or go, after the downlink to it was read?
bool ChangedSince(const NodeView& node, Lsn parent_lsn) {
  return node.deleted() || (parent_lsn != kNoParent && node.opaque().nsn >= parent_lsn);
}

void CopyImage(const PageRef& page, PageImage* image) { memcpy(image->bytes, page.bytes, kPageSize); }

}  // namespace

void TreeWriter::Insert(const Box& key, TupleId tuple, const uint8_t* payload, uint16_t payload_length) {
  InsertEntry({key, tuple, payload, payload_length}, nullptr);
}

void TreeWriter::Insert(EntryBatch* batch) {
  Rest rest{batch, 0};
  for (; rest.first < batch->size(); rest.first++)
    if (!batch->IsDone(rest.first)) InsertEntry(batch->Get(rest.first), &rest);
}

void TreeWriter::InsertEntry(const NewEntry& entry, Rest* rest) {
  XTREE_STOP_POINT("insert-begin");
  for (int restarts = 0;;) {
    switch (TryInsert(entry, rest)) {
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

TreeWriter::Step TreeWriter::TryInsert(const NewEntry& entry, Rest* rest) {
  OpenNode node(store_, layout_, kRootBlock, LockMode::kShare);
  Lsn parent_lsn = kNoParent;
  int level = node.level();
  if (level == 0) {
    node.Relock(LockMode::kExclusive);
    if (node.level() != 0) return Step::kRestart;
  }
  const bool root_is_leaf = level == 0;
  Box box;  // of the child, as its parent has it
  while (level > 0) {
    EntryPosition position = ChooseSubtree(node, layout_, entry.key);
    node.page(position.page).GetBox(position.entry, &box);
    if (!Contains(layout_, box, entry.key)) {
      const Step step = GrowBox(&node, parent_lsn, level, entry.key, &position);
      if (step != Step::kDone) return step;
      node.page(position.page).GetBox(position.entry, &box);
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
  AppendToLeaf(node, root_is_leaf ? nullptr : &box, entry, rest);
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
  const bool marks_come = key.marks != 0 && !page.has_marks();
  if (marks_come && !NodeEditor(layout_, const_cast<uint8_t*>(page.page())).HasRoomForMarks()) {
    if (node->pages() > 1) throw CorruptPage(node->ref(position->page).block, "a page of a supernode carries no marks");
    return Step::kNoRoom;
  }
  store_.CheckConflict(node->ref(0));
  // Whoever searched this node saw no need to visit the child for what its box now takes in; a later writer may change only the child.
  store_.PredicateSplit(node->block(), page.Child(position->entry));
  Extend(layout_, key, &box);
  PagePatch patch(layout_, node->ref(position->page), marks_come);
  patch.SetBox(position->entry, box);
  const PageChange change = patch.Change();
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

// The entry, and those of the rest that are near in its order and within the box that the leaf has in its parent: that box stays at least
// so large as long as the leaf is locked, because it shrinks only where the leaf is split.
void TreeWriter::AppendToLeaf(const OpenNode& leaf, const Box* bounds, const NewEntry& entry, Rest* rest) {
  store_.CheckConflict(leaf.ref(0));
  PagePatch patch(layout_, leaf.ref(0), entry.marks() && !leaf.view().has_marks());
  patch.AppendTuple(entry.key, entry.tuple, entry.payload, entry.payload_length);
  size_t taken[kLookAhead];
  size_t count = 0;
  const size_t end = rest == nullptr ? 0 : std::min(rest->first + kLookAhead, rest->batch->size());
  for (size_t i = rest == nullptr ? 0 : rest->first + 1; i < end; i++) {
    if (rest->batch->IsDone(i)) continue;
    const NewEntry next = rest->batch->Get(i);
    if ((bounds != nullptr && !Contains(layout_, *bounds, next.key)) || !patch.Fits(next.marks(), next.payload_length)) continue;
    patch.AppendTuple(next.key, next.tuple, next.payload, next.payload_length);
    taken[count++] = i;
  }
  const PageChange change = patch.Change();
  XTREE_STOP_POINT("insert-before-leaf");
  store_.Commit({&change, 1});
  if (rest != nullptr) rest->batch->SetDone(rest->first);
  for (size_t i = 0; i < count; i++) rest->batch->SetDone(taken[i]);
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
