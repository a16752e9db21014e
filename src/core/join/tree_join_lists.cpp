// TreeJoin: the lists of right nodes that go with left ones. See tree_join.h.
#include "core/join/tree_join.h"

namespace xtree {

// Right nodes, about so many, that lists are made of at a time.
constexpr size_t kMostNodes = 16384;

// The children of the left node that was read become the next frame.
void TreeJoin::PushFrame(PageReader& left, PageReader& right, Frame* parent) {
  Frame* frame = &frames_[depth_];
  MakeWindows(left, frame->left, &frame->windows);
  frame->right.Clear();
  if (parent->right_level < 0 || parent->right_level >= read_level_) {
    bool expanded = ExpandRightList(left, right, parent, frame);
    while (expanded && frame->right_level >= read_level_) expanded = ExpandAgain(left, right, frame);
  } else {
    CopyRightList(left, parent, frame);
  }
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
// the same part as that. Where all pairs of a left leaf must come together, such a list stays as it is instead (false): what it leads to is looked
// for by each left node below.
bool TreeJoin::ExpandRightList(PageReader& left, PageReader& right, Frame* parent, Frame* frame) {
  const bool may_end = parent->sibling.block == kInvalidBlock && goal_ == JoinGoal::kPairs;
  int level = 0;
  for (uint32_t i = parent->from; i < parent->to; ++i) {
    if (frame->right.size() >= kMostNodes) {
      if (may_end) {
        parent->to = i;
        break;
      }
      if (goal_ != JoinGoal::kPairs) {
        frame->right.Clear();
        CopyRightList(left, parent, frame);
        return false;
      }
    }
    const uint32_t r = parent->list[i];
    if (!shape_.Test(hull_, hull_empties_, parent->right.edges[r], parent->right.empties[r], false)) continue;
    ReadRight(left, right, parent->right.nodes[r], &frame->right, &level);
  }
  frame->right_level = level - 1;
  if (level > 0 || parent->right_level >= 0) return true;
  frame->right.Clear();  // the root is a leaf
  CopyRightList(left, parent, frame);
  return true;
}

// By another level, where the right tree is higher. False: that is too many.
bool TreeJoin::ExpandAgain(PageReader& left, PageReader& right, Frame* frame) {
  std::swap(unexpanded_, frame->right);
  frame->right.Clear();
  int level = 0;
  for (size_t i = 0; i < unexpanded_.size(); ++i) {
    if (goal_ != JoinGoal::kPairs && frame->right.size() >= kMostNodes) {
      std::swap(unexpanded_, frame->right);
      return false;
    }
    if (!shape_.Test(hull_, hull_empties_, unexpanded_.edges[i], unexpanded_.empties[i], false)) continue;
    ReadRight(left, right, unexpanded_.nodes[i], &frame->right, &level);
  }
  frame->right_level = level - 1;
  return true;
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
