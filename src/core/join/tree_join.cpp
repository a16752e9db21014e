// See tree_join.h. Frames hold plain data only.
#include "core/join/tree_join.h"

namespace xtree {
namespace {

// Right entries that are joined at a time with a left leaf.
constexpr size_t kMostGathered = 2048;
constexpr size_t kFirstGathered = 128;  // by leaf: its rows may be settled before there are more

}  // namespace

void TreeJoin::Begin(const JoinInput& left, const JoinInput& right, const JoinClause* clauses, int count, ScanTeam* team, JoinGoal goal) {
  input_[0] = left;
  input_[1] = right;
  goal_ = goal;
  rows_.Clear();
  shape_.Compile(*left.layout, *right.layout, clauses, count);
  Constraint constraint = *left.constraint;
  if (goal != JoinGoal::kAllLeft) shape_.RequireLeft(&constraint);
  left_filter_.Compile(*left.layout, constraint);
  input_[1].nothing |= right.constraint->Never(*right.layout);
  never_ = left.nothing || constraint.Never(*left.layout) || (input_[1].nothing && goal != JoinGoal::kAllLeft);
  started_ = in_leaf_ = visiting_ = false;
  depth_ = 0;
  team_ = team;
  leaf_.key_size = left.look != nullptr ? KeptKeySize(*left.layout) : 0;
  gathered_.key_size = right.look != nullptr ? KeptKeySize(*right.layout) : 0;
}

// A frame above a left node, which is its only child, with the right root for a list.
void TreeJoin::BeginTask(PageReader& memory, const NodePointer& node) {
  Frame& top = frames_[0];
  top.list.Clear(), top.list_ends.Clear();
  for (JoinEntries* side : {&top.left, &top.right}) {
    side->Clear();
    JoinEdges everywhere;
    std::fill_n(everywhere.lo, kMaxJoinTerms, kOrdinalMin);
    std::fill_n(everywhere.hi, kMaxJoinTerms, kOrdinalMax);
    side->edges.Append(memory, everywhere);
    side->empties.Append(memory, shape_.with_empties());
  }
  top.left.nodes.Append(memory, node);
  top.right.nodes.Append(memory, kRootPointer);
  if (!input_[1].nothing) top.list.Append(memory, 0);
  top.list_ends.Append(memory, static_cast<uint32_t>(top.list.size()));
  top.right_level = -1;
  BeginFrame(&top);
}

// The left root, or what the team has. False: there is nothing left to do.
bool TreeJoin::TakeTask(PageReader& memory) {
  NodePointer node = kRootPointer;
  if (!started_) {
    started_ = true;
    visiting_ = team_ != nullptr && team_->Begin();
    if (team_ == nullptr || visiting_) {
      BeginTask(memory, node);
      return true;
    }
  }
  if (team_ == nullptr) return false;
  visiting_ = team_->Take(&node);
  if (visiting_) BeginTask(memory, node);
  return visiting_;
}

// What finds no room with the team stays.
void TreeJoin::ShareChildren(JoinEntries* children) { children->Truncate(PutNodes(team_, children->nodes.data(), children->nodes.size())); }

void TreeJoin::EndVisit() {
  if (visiting_) team_->EndVisit();
  visiting_ = false;
}

void TreeJoin::BeginFrame(Frame* frame) {
  frame->next = 0;
  frame->from = frame->to = 0;
  frame->sibling.block = kInvalidBlock;
  ++depth_;
}

bool TreeJoin::Step(PageReader& left, PageReader& right) {
  rows_.Clear();
  leaf_begins_ = false;
  if (never_) return false;
  for (bool leaf = false; rows_.empty() && !leaf;) {
    if (in_leaf_) {
      JoinLeaf(left, right);
      leaf = goal_ != JoinGoal::kPairs;
    } else if (depth_ == 0) {
      if (!TakeTask(left)) return false;
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
  const bool keep_all = side == JoinSide::kLeft && goal_ == JoinGoal::kAllLeft;
  const size_t room = out->edges.size() + static_cast<size_t>(count);
  out->edges.Reserve(memory, room);
  out->empties.Reserve(memory, room);
  leaf ? out->tuples.Reserve(memory, room) : out->nodes.Reserve(memory, room);
  const size_t first = out->edges.size();
  size_t kept = 0;
  const bool keep = leaf && out->key_size > 0;
  if (keep) {
    out->keys.Reserve(memory, room * out->key_size);
    out->known.Reserve(memory, room);
  }
  for (int i = 0; i < count; ++i) {
    const uint16_t slot = slots_[i];
    JoinEdges edges;
    uint8_t empties;
    if (ignore_killed && node.Killed(slot)) continue;
    if (!shape_.Load(node, slot, side, &edges, &empties)) {
      if (!keep_all) continue;
      shape_.LoadNothing(&edges, &empties);
    }
    out->edges.AppendReserved(edges);
    out->empties.AppendReserved(empties);
    if (keep) {
      KeepKey(node, slot, &out->keys);
      out->known.AppendReserved(0);
    }
    slots_[kept++] = slot;
    if (leaf)
      out->tuples.AppendReserved(node.Tuple(slot));
    else
      out->nodes.AppendReserved(NodePointer{lsn, node.Child(slot), node.level() - 1});
  }
  const JoinInput& input = input_[static_cast<int>(side)];
  if (!keep) return;
  input.look(input.context, out->tuples.data() + first, out->tuples.size() - first, out->known.data() + first);
  if (input.payloads) KeepPayloads(memory, node, first, out);
}

// Of the entries from `first` on, which are in slots_.
void TreeJoin::KeepPayloads(PageReader& memory, const NodeView& leaf, size_t first, JoinEntries* out) {
  out->payload_ends.Reserve(memory, out->edges.size());
  for (size_t i = first; i < out->edges.size(); ++i) {
    uint16_t length = 0;
    const uint8_t* bytes = out->known[i] ? leaf.Payload(slots_[i - first], &length) : nullptr;
    if (bytes != nullptr) {
      out->payloads.Reserve(memory, out->payloads.size() + length);
      for (uint16_t b = 0; b < length; ++b) out->payloads.AppendReserved(bytes[b]);
    }
    out->payload_ends.AppendReserved(static_cast<uint32_t>(out->payloads.size()));
  }
}

const uint8_t* TreeJoin::GetPayload(JoinSide side, uint32_t entry, uint16_t* length) const {
  const JoinEntries& entries = Entries(side);
  const uint32_t begin = entry == 0 ? 0 : entries.payload_ends[entry - 1];
  *length = static_cast<uint16_t>(entries.payload_ends[entry] - begin);
  return entries.payloads.data() + begin;
}

void TreeJoin::GetKey(JoinSide side, uint32_t entry, Box* box) const {
  GetKeptKey(Entries(side).keys, entry, *input_[static_cast<int>(side)].layout, box);
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
    const size_t keys = entries->keys.size(), known = entries->known.size();
    const size_t payloads = entries->payloads.size(), payload_ends = entries->payload_ends.size();
    int read = -1;
    const auto discard = [&] {
      entries->edges.Truncate(edges);
      entries->empties.Truncate(edges);
      entries->nodes.Truncate(nodes);
      entries->tuples.Truncate(tuples);
      entries->keys.Truncate(keys);
      entries->known.Truncate(known);
      entries->payloads.Truncate(payloads);
      entries->payload_ends.Truncate(payload_ends);
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

// Computes windows of what is below each entry of a directory page, and the hull of them, after which right nodes are filtered.
void TreeJoin::MakeWindows(PageReader& reader, const JoinEntries& entries, Scratch<JoinWindow>* windows) {
  windows->Clear();
  windows->Reserve(reader, entries.size());
  shape_.StartHull(&hull_);
  hull_empties_ = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    JoinWindow window;
    shape_.WindowOf(entries.edges[i], false, &window);
    shape_.ExtendHull(window, &hull_);
    hull_empties_ |= entries.empties[i];
    windows->AppendReserved(window);
  }
  FilterRight();
}

// The same of the leaf's entries, as far as they may have partners.
void TreeJoin::MakeLeafWindows(PageReader& reader) {
  leaf_windows_.Clear(), leaf_numbers_.Clear(), leaf_empties_.Clear();
  leaf_windows_.Reserve(reader, leaf_.size());
  leaf_numbers_.Reserve(reader, leaf_.size());
  leaf_empties_.Reserve(reader, leaf_.size());
  shape_.StartHull(&hull_);
  hull_empties_ = 0;
  for (size_t i = 0; i < leaf_.size(); ++i) {
    if (shape_.IsNothing(leaf_.edges[i], leaf_.empties[i])) continue;
    JoinWindow window;
    shape_.WindowOf(leaf_.edges[i], true, &window);
    shape_.ExtendHull(window, &hull_);
    hull_empties_ |= leaf_.empties[i];
    leaf_windows_.AppendReserved(window);
    leaf_numbers_.AppendReserved(static_cast<uint32_t>(i));
    leaf_empties_.AppendReserved(leaf_.empties[i]);
  }
  FilterRight();
}

void TreeJoin::FilterRight() {
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
  if (frame->from == end && goal_ != JoinGoal::kAllLeft) {  // nothing on the right side
    ++frame->next;
    return;
  }
  if (first) frame->to = end;
  BlockNumber sibling;
  const NodePointer node = first ? frame->left.nodes[frame->next] : frame->sibling;
  const bool leaf = ReadLeft(left, node, &sibling);
  if (team_ != nullptr && depth_ == 1) {
    if (!leaf && (read_level_ > 1 || node.level < 0)) ShareChildren(&frames_[depth_].left);
    EndVisit();
  }
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
  MakeLeafWindows(left);
  leaf_begins_ = true;
  pending_.Clear();
  pending_.Reserve(left, frame.to - frame.from);
  for (uint32_t i = frame.to; i-- > frame.from && !leaf_windows_.empty();) {
    const uint32_t r = frame.list[i];
    if (!shape_.Test(hull_, hull_empties_, frame.right.edges[r], frame.right.empties[r], false)) continue;
    pending_.AppendReserved(frame.right.nodes[r]);
  }
  in_leaf_ = !pending_.empty() || goal_ == JoinGoal::kAllLeft;
  to_gather_ = goal_ == JoinGoal::kPairs ? kMostGathered : kFirstGathered;
  if (pending_.empty() || !right.ReadsAhead()) return;
  positions_.Clear();
  positions_.Reserve(left, pending_.size());
  for (size_t i = pending_.size(); i-- > 0;) positions_.AppendReserved(pending_[i].block);
  right.WillRead(positions_.data(), static_cast<int>(positions_.size()), PageReader::ReadOrder::kNext);
}

// Entries of some of the leaves that are pending, or that pending nodes lead to.
void TreeJoin::GatherRight(PageReader& left, PageReader& right) {
  gathered_.Clear();
  while (!pending_.empty() && gathered_.tuples.size() < to_gather_) {
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
  sweep_.Run(left, shape_, {leaf_windows_.data(), leaf_empties_.data(), leaf_windows_.size()},
             {gathered_.edges.data(), gathered_.empties.data(), gathered_.size(), true}, &pairs_);
  rows_.Reserve(left, pairs_.size());
  for (size_t i = 0; i < pairs_.size(); ++i) {
    const uint32_t l = leaf_numbers_[pairs_[i].left], r = pairs_[i].right;
    const bool certain =
        shape_.has_certain() && shape_.HoldsForCertain(leaf_.edges[l], leaf_.empties[l], gathered_.edges[r], gathered_.empties[r]);
    rows_.AppendReserved({leaf_.tuples[l], gathered_.tuples[r], l, r, certain});
  }
  to_gather_ = std::min(to_gather_ * 2, kMostGathered);
  in_leaf_ = !pending_.empty();
}

void TreeJoin::Settle(const uint8_t* settled) {
  size_t kept = 0;
  for (size_t i = 0; i < leaf_numbers_.size(); ++i) {
    if (settled[leaf_numbers_[i]]) continue;
    leaf_windows_[kept] = leaf_windows_[i];
    leaf_numbers_[kept] = leaf_numbers_[i];
    leaf_empties_[kept++] = leaf_empties_[i];
  }
  leaf_windows_.Truncate(kept);
  leaf_numbers_.Truncate(kept);
  leaf_empties_.Truncate(kept);
  if (kept == 0) pending_.Clear();
}

}  // namespace xtree
