// See tree_join.h. Frames hold plain data only.
#include "core/join/tree_join.h"

namespace xtree {
namespace {

// Right entries, or nodes, that are joined at a time with what is at hand of the left side.
constexpr size_t kMostGathered = 2048;
constexpr size_t kMostNodes = 16384;

}  // namespace

void TreeJoin::Begin(const JoinInput& left, const JoinInput& right, const JoinClause* clauses, int count) {
  input_[0] = left;
  input_[1] = right;
  shape_.Compile(*left.layout, *right.layout, clauses, count);
  Constraint constraint = *left.constraint;
  shape_.RequireLeft(&constraint);
  left_filter_.Compile(*left.layout, constraint);
  never_ = constraint.Never(*left.layout) || right.constraint->Never(*right.layout);
  started_ = in_leaf_ = false;
  depth_ = 0;
}

// A frame above the roots: the left one is its only child, with the right one for a list.
void TreeJoin::Start(PageReader& memory) {
  started_ = true;
  Frame& top = frames_[0];
  top.list.Clear(), top.list_ends.Clear();
  for (JoinEntries* root : {&top.left, &top.right}) {
    root->Clear();
    JoinEdges everywhere;
    std::fill_n(everywhere.lo, kMaxJoinTerms, kOrdinalMin);
    std::fill_n(everywhere.hi, kMaxJoinTerms, kOrdinalMax);
    root->edges.Append(memory, everywhere);
    root->empties.Append(memory, shape_.with_empties());
    root->nodes.Append(memory, kRootPointer);
  }
  top.list.Append(memory, 0);
  top.list_ends.Append(memory, 1);
  top.right_level = -1;
  BeginFrame(&top);
}

void TreeJoin::BeginFrame(Frame* frame) {
  frame->next = 0;
  frame->from = frame->to = 0;
  frame->sibling.block = kInvalidBlock;
  ++depth_;
}

bool TreeJoin::Step(PageReader& left, PageReader& right) {
  rows_.Clear();
  if (never_) return false;
  if (!started_) Start(left);
  while (rows_.empty()) {
    if (in_leaf_) {
      JoinLeaf(left, right);
    } else if (depth_ == 0) {
      return false;
    } else if (frames_[depth_ - 1].next == frames_[depth_ - 1].left.nodes.size()) {
      --depth_;
    } else {
      VisitNext(left, right);
    }
  }
  work_.pairs += rows_.size();
  return true;
}

void TreeJoin::CopyEntries(PageReader& memory, const NodeView& node, Lsn lsn, JoinSide side, JoinEntries* out) {
  const PageFilter& filter = side == JoinSide::kLeft ? left_filter_ : right_filter_;
  const int count = filter.Run(node, slots_);
  const bool leaf = node.leaf(), ignore_killed = leaf && input_[static_cast<int>(side)].ignore_killed;
  const size_t room = out->edges.size() + static_cast<size_t>(count);
  out->edges.Reserve(memory, room);
  out->empties.Reserve(memory, room);
  leaf ? out->tuples.Reserve(memory, room) : out->nodes.Reserve(memory, room);
  for (int i = 0; i < count; ++i) {
    const uint16_t slot = slots_[i];
    JoinEdges edges;
    uint8_t empties;
    if ((ignore_killed && node.Killed(slot)) || !shape_.Load(node, slot, side, &edges, &empties)) continue;
    out->edges.AppendReserved(edges);
    out->empties.AppendReserved(empties);
    if (leaf)
      out->tuples.AppendReserved(node.Tuple(slot));
    else
      out->nodes.AppendReserved(NodePointer{lsn, node.Child(slot), node.level() - 1});
  }
}

// The node's entries are in leaf_ (true) or in the frame that would be next.
bool TreeJoin::ReadLeft(PageReader& reader, const NodePointer& node, BlockNumber* sibling) {
  Frame& next = frames_[depth_];
  const auto discard = [&] {
    leaf_.Clear();
    next.left.Clear();
    read_level_ = -1;
  };
  discard();
  *sibling = VisitNode(
      reader, node,
      [&](const NodeView& page, Lsn lsn) {
        read_level_ = page.level();
        CopyEntries(reader, page, lsn, JoinSide::kLeft, page.leaf() ? &leaf_ : &next.left);
      },
      discard);
  work_.left_nodes++;
  work_.left_leaves += read_level_ == 0;
  return read_level_ <= 0;  // below 0: it was deleted, and has nothing
}

// Reads a right node, and what has split off it, appending what may have partners. `level`: of what was read.
void TreeJoin::ReadRight(PageReader& left, PageReader& right, NodePointer node, JoinEntries* entries, int* level) {
  while (node.block != kInvalidBlock) {
    const size_t edges = entries->edges.size(), nodes = entries->nodes.size(), tuples = entries->tuples.size();
    int read = -1;
    const auto discard = [&] {
      entries->edges.Truncate(edges);
      entries->empties.Truncate(edges);
      entries->nodes.Truncate(nodes);
      entries->tuples.Truncate(tuples);
      read = -1;
    };
    node.block = VisitNode(
        right, node,
        [&](const NodeView& page, Lsn lsn) {
          read = page.level();
          CopyEntries(left, page, lsn, JoinSide::kRight, entries);
        },
        discard);
    work_.right_nodes++;
    work_.right_leaves += read == 0;
    if (read >= 0) *level = read;
  }
}

// Computes windows, and the hull of them, after which right nodes are filtered.
void TreeJoin::MakeWindows(PageReader& reader, const JoinEntries& entries, bool leaf, Scratch<JoinWindow>* windows) {
  windows->Clear();
  windows->Reserve(reader, entries.size());
  shape_.StartHull(&hull_);
  hull_empties_ = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    JoinWindow window;
    shape_.WindowOf(entries.edges[i], leaf, &window);
    shape_.ExtendHull(window, &hull_);
    hull_empties_ |= entries.empties[i];
    windows->AppendReserved(window);
  }
  Constraint constraint = *input_[1].constraint;
  shape_.RequireRight(hull_, hull_empties_, &constraint);
  right_filter_.Compile(*input_[1].layout, constraint);
}

// What of the frame comes next, after a visit with [from, to) of the child's list.
void TreeJoin::Advance(Frame* frame, BlockNumber sibling) {
  const NodePointer& child = frame->left.nodes[frame->next];
  frame->sibling = {child.parent_lsn, sibling, child.level};
  if (sibling != kInvalidBlock) return;
  frame->from = frame->to;
  if (frame->from < frame->list_ends[frame->next]) return;
  ++frame->next;
}

void TreeJoin::VisitNext(PageReader& left, PageReader& right) {
  Frame* frame = &frames_[depth_ - 1];
  const bool first = frame->sibling.block == kInvalidBlock;
  const uint32_t end = frame->list_ends[frame->next];
  if (frame->from == end) {  // nothing on the right side
    ++frame->next;
    return;
  }
  if (first) frame->to = end;
  BlockNumber sibling;
  const bool leaf = ReadLeft(left, first ? frame->left.nodes[frame->next] : frame->sibling, &sibling);
  if (leaf) {
    if (leaf_.size() > 0) BeginLeaf(left, right, *frame);
    Advance(frame, sibling);
    return;
  }
  if (frames_[depth_].left.size() == 0) return Advance(frame, sibling);
  PushFrame(left, right, frame);  // may end the part of the list earlier
  Advance(frame, sibling);
}

void TreeJoin::BeginLeaf(PageReader& left, PageReader& right, const Frame& frame) {
  MakeWindows(left, leaf_, true, &leaf_windows_);
  pending_.Clear();
  pending_.Reserve(left, frame.to - frame.from);
  for (uint32_t i = frame.to; i-- > frame.from;) {
    const uint32_t r = frame.list[i];
    if (!shape_.Test(hull_, hull_empties_, frame.right.edges[r], frame.right.empties[r], false)) continue;
    pending_.AppendReserved(frame.right.nodes[r]);
  }
  in_leaf_ = !pending_.empty();
  if (!in_leaf_ || !right.ReadsAhead()) return;
  positions_.Clear();
  positions_.Reserve(left, pending_.size());
  for (size_t i = pending_.size(); i-- > 0;) positions_.AppendReserved(pending_[i].block);
  right.WillRead(positions_.data(), static_cast<int>(positions_.size()), PageReader::ReadOrder::kNext);
}

// Entries of some of the leaves that are pending, or that pending nodes lead to.
void TreeJoin::GatherRight(PageReader& left, PageReader& right) {
  gathered_.Clear();
  while (!pending_.empty() && gathered_.tuples.size() < kMostGathered) {
    const NodePointer node = pending_.back();
    pending_.PopBack();
    if (!pending_.empty()) right.Approach(pending_.back().block);
    int level = 0;
    const size_t leaves = gathered_.tuples.size();
    ReadRight(left, right, node, &gathered_, &level);
    if (level == 0) continue;
    // Children: they have no place among entries of leaves.
    pending_.Reserve(left, pending_.size() + gathered_.nodes.size());
    for (size_t i = 0; i < gathered_.nodes.size(); ++i) pending_.AppendReserved(gathered_.nodes[i]);
    gathered_.Truncate(leaves);
    gathered_.nodes.Clear();
  }
}

void TreeJoin::JoinLeaf(PageReader& left, PageReader& right) {
  GatherRight(left, right);
  pairs_.Clear();
  sweep_.Run(left, shape_, {leaf_windows_.data(), leaf_.empties.data(), leaf_.size()},
             {gathered_.edges.data(), gathered_.empties.data(), gathered_.size(), true}, &pairs_);
  rows_.Reserve(left, pairs_.size());
  for (size_t i = 0; i < pairs_.size(); ++i) rows_.AppendReserved({leaf_.tuples[pairs_[i].left], gathered_.tuples[pairs_[i].right]});
  in_leaf_ = !pending_.empty();
}

// The children of the left node that was read become the next frame.
void TreeJoin::PushFrame(PageReader& left, PageReader& right, Frame* parent) {
  Frame* frame = &frames_[depth_];
  MakeWindows(left, frame->left, false, &frame->windows);
  frame->right.Clear();
  if (parent->right_level < 0 || parent->right_level >= read_level_)
    ExpandRightList(left, right, parent, frame);
  else
    CopyRightList(left, parent, frame);
  MakeLists(left, frame);
  BeginFrame(frame);
}

// The right nodes are on a lower level than the left one.
void TreeJoin::CopyRightList(PageReader& reader, Frame* parent, Frame* frame) {
  frame->right_level = parent->right_level;
  for (uint32_t i = parent->from; i < parent->to; ++i) {
    const uint32_t r = parent->list[i];
    const JoinEdges edges = parent->right.edges[r];
    const uint8_t empties = parent->right.empties[r];
    if (!shape_.Test(hull_, hull_empties_, edges, empties, false)) continue;
    frame->right.edges.Append(reader, edges);
    frame->right.empties.Append(reader, empties);
    frame->right.nodes.Append(reader, parent->right.nodes[r]);
  }
}

// Of a list that leads to very many nodes a part is taken, and the left node read again with the rest. What has split off a left node is read with
// the same part as that.
void TreeJoin::ExpandRightList(PageReader& left, PageReader& right, Frame* parent, Frame* frame) {
  const bool may_end = parent->sibling.block == kInvalidBlock;
  int level = 0;
  for (uint32_t i = parent->from; i < parent->to; ++i) {
    if (may_end && frame->right.size() >= kMostNodes) {
      parent->to = i;
      break;
    }
    const uint32_t r = parent->list[i];
    if (!shape_.Test(hull_, hull_empties_, parent->right.edges[r], parent->right.empties[r], false)) continue;
    ReadRight(left, right, parent->right.nodes[r], &frame->right, &level);
  }
  frame->right_level = level - 1;
  if (level > 0 || parent->right_level >= 0) return;
  frame->right.Clear();  // the root is a leaf
  CopyRightList(left, parent, frame);
}

// Each child's list, by a sweep; pairs come in no order, so they are counted and then put in their places.
void TreeJoin::MakeLists(PageReader& reader, Frame* frame) {
  const size_t children = frame->left.size();
  pairs_.Clear();
  sweep_.Run(reader, shape_, {frame->windows.data(), frame->left.empties.data(), children},
             {frame->right.edges.data(), frame->right.empties.data(), frame->right.size(), false}, &pairs_);
  work_.node_pairs += pairs_.size();
  frame->list_ends.Clear();
  frame->list_ends.Reserve(reader, children);
  for (size_t i = 0; i < children; ++i) frame->list_ends.AppendReserved(0);
  for (size_t i = 0; i < pairs_.size(); ++i) ++frame->list_ends[pairs_[i].left];
  positions_.Clear();
  positions_.Reserve(reader, children);
  uint32_t sum = 0;
  for (size_t i = 0; i < children; ++i) {
    positions_.AppendReserved(sum);
    sum += frame->list_ends[i];
    frame->list_ends[i] = sum;
  }
  frame->list.Clear();
  frame->list.Reserve(reader, pairs_.size());
  for (size_t i = 0; i < pairs_.size(); ++i) frame->list.AppendReserved(0);
  for (size_t i = 0; i < pairs_.size(); ++i) frame->list[positions_[pairs_[i].left]++] = pairs_[i].right;
}

}  // namespace xtree
