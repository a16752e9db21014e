// See batch_nearest.h. Frames of functions hold plain data only.
#include "core/join/batch_nearest.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/filter/kernels.h"

namespace xtree {

namespace {

constexpr uint32_t kNotRead = 0;
constexpr uint32_t kNoPage = 1;
constexpr uint32_t kFirstFrame = 2;

// Of very many rows the limit would be dearer than what it saves.
constexpr size_t kMostBoxes = 64;

bool ByRank(const NearestCandidate& a, const NearestCandidate& b) { return a.rank < b.rank; }

}  // namespace

void BatchNearest::Begin(const KeyLayout& layout, const Constraint& constraint, Options options) {
  layout_ = &layout;
  options_ = options;
  used_ = box_count_ = 0;
  found_.Clear();
  Constrain(constraint);
}

void BatchNearest::Constrain(const Constraint& constraint) {
  nothing_ = constraint.Never(*layout_);
  filtered_ = !MatchesAll(*layout_, constraint);
  filter_.Compile(*layout_, constraint);
}

bool BatchNearest::Find(PageReader& reader, const DistanceKey& key, size_t wanted) {
  key_ = key;
  wanted_ = wanted;
  found_.Clear();
  work_.searches++;
  if (nothing_) return true;
  if (used_ > options_.kept_pages) used_ = 0;
  found_.Reserve(reader, wanted);
  const DistanceRank limit = LimitFromLast();
  if (!Search(reader, limit)) return false;
  if (found_.size() < wanted && limit < kNoDistance) {
    work_.again++;
    if (!Search(reader, kNoDistance)) return false;
  }
  std::sort_heap(found_.data(), found_.data() + found_.size(), ByRank);
  KeepBoxes(reader);
  return true;
}

// How far the farthest of the rows is that were found last; no row that is further is among the nearest.
DistanceRank BatchNearest::LimitFromLast() const {
  if (box_count_ < wanted_ || box_dimensions_ != key_.dimensions) return kNoDistance;
  const size_t dimensions = static_cast<size_t>(box_dimensions_);
  DistanceRank farthest = INT64_MIN;
  for (size_t i = 0; i < box_count_; ++i) {
    const Ordinal* box = boxes_.data() + 2 * i * dimensions;
    farthest = std::max(farthest, RankFromDistance(key_.distance(key_.context, box, box + dimensions)));
  }
  return farthest + 1;
}

void BatchNearest::KeepBoxes(PageReader& reader) {
  box_count_ = 0;
  if (found_.size() < wanted_ || wanted_ > kMostBoxes || found_.back().rank >= kNullDistance) return;
  const size_t dimensions = static_cast<size_t>(key_.dimensions);
  boxes_.Reserve(reader, 2 * wanted_ * dimensions);
  for (size_t i = 0; i < wanted_; ++i) {
    Ordinal* box = boxes_.data() + 2 * i * dimensions;
    NodeView(*layout_, found_[i].page).LoadEdges(found_[i].slot, key_.first, key_.dimensions, box, box + dimensions);
  }
  box_count_ = wanted_;
  box_dimensions_ = key_.dimensions;
}

bool BatchNearest::Search(PageReader& reader, DistanceRank limit) {
  limit_ = limit;
  found_.Clear();
  queue_.Clear();
  if (used_ == 0) LoadNode(reader, kRootPointer);
  LookAtNode(reader, 0);
  const auto further = [](const Item& a, const Item& b) { return a.rank > b.rank; };
  while (!queue_.empty()) {
    std::pop_heap(queue_.data(), queue_.data() + queue_.size(), further);
    const Item item = queue_.back();
    queue_.PopBack();
    if (item.rank >= limit_) return true;
    const uint32_t child = ChildOf(reader, item);
    if (child != kNoPage) LookAtNode(reader, child - kFirstFrame);
    if (used_ > options_.most_pages) return false;
  }
  return true;
}

// The first of the child's frames, or what else Frame::child says.
uint32_t BatchNearest::ChildOf(PageReader& reader, const Item& item) {
  const Frame& frame = *frames_[item.frame];
  uint32_t* child = &frame.child[item.slot];
  if (*child == kNotRead) {
    const NodeView node(*layout_, frame.page);
    *child = LoadNode(reader, {frame.lsn, node.Child(static_cast<int>(item.slot)), frame.level - 1});
  }
  return *child;
}

// The node, and what splits have moved to its right since its downlink was read.
uint32_t BatchNearest::LoadNode(PageReader& reader, NodePointer node) {
  const size_t first = used_;
  while (node.block != kInvalidBlock) {
    before_node_ = used_;
    node.block = VisitNode(
        reader, node, [&](const NodeView& page, Lsn lsn) { LoadPage(reader, page, lsn); }, [&] { used_ = before_node_; });
    work_.nodes++;
  }
  if (used_ == first) return kNoPage;
  for (size_t i = first; i < used_; ++i) frames_[i]->last = i + 1 == used_;
  return static_cast<uint32_t>(first) + kFirstFrame;
}

void BatchNearest::LoadPage(PageReader& reader, const NodeView& page, Lsn lsn) {
  Frame* frame = TakeFrame(reader);
  frame->lsn = lsn;
  frame->entries = static_cast<uint16_t>(page.entries());
  frame->level = static_cast<uint16_t>(page.level());
  frame->killed = options_.ignore_killed && page.leaf() && page.AnyKilled();
  page.CopyTo(frame->page);
  // The copy does not have them.
  for (int i = 0; frame->killed && i < frame->entries; ++i) frame->killed_rows()[i] = page.Killed(i);
  if (!page.leaf()) {
    std::fill_n(frame->child, frame->entries, kNotRead);
  } else if (options_.look != nullptr && frame->entries > 0) {
    LookAtRows(reader, page, frame);
  }
}

BatchNearest::Frame* BatchNearest::TakeFrame(PageReader& reader) {
  if (used_ == frames_.size()) {
    size_t entries = 1;
    for (const BlockLayout& block : layout_->block) entries = std::max<size_t>(entries, block.max_entries);
    static_assert(sizeof(Frame) % alignof(uint32_t) == 0);
    auto* memory = static_cast<uint8_t*>(reader.Reallocate(nullptr, sizeof(Frame) + kPageSize + entries * sizeof(uint32_t)));
    auto* frame = reinterpret_cast<Frame*>(memory);
    frame->page = memory + sizeof(Frame);
    frame->child = reinterpret_cast<uint32_t*>(frame->page + kPageSize);
    frames_.Append(reader, frame);
  }
  return frames_[used_++];
}

// While the leaf has them.
void BatchNearest::LookAtRows(PageReader& reader, const NodeView& leaf, Frame* frame) {
  tuples_.Clear();
  tuples_.Reserve(reader, frame->entries);
  for (int i = 0; i < frame->entries; ++i) tuples_.AppendReserved(leaf.Tuple(i));
  options_.look(options_.context, tuples_.data(), frame->entries, frame->known_rows());
}

void BatchNearest::LookAtNode(PageReader& reader, uint32_t first) {
  for (uint32_t i = first;; ++i) {
    LookAtPage(reader, i);
    if (frames_[i]->last) return;
  }
}

// Takes what a page has below the limit.
void BatchNearest::LookAtPage(PageReader& reader, uint32_t number) {
  const Frame& frame = *frames_[number];
  const NodeView node(*layout_, frame.page);
  work_.looked_at++;
  int count = frame.entries;
  if (count == 0) return;
  if (filtered_) count = filter_.Run(node, slots_);
  all_slots_ = !filtered_ && !frame.killed;
  const bool near = key_.query != nullptr && !node.has_marks();
  if (!filtered_ && !(all_slots_ && near)) std::iota(slots_, slots_ + count, uint16_t{0});
  if (frame.killed)
    count =
        static_cast<int>(std::remove_if(slots_, slots_ + count, [&](uint16_t slot) { return frame.killed_rows()[slot] != 0; }) - slots_);
  if (near) return LookAtNear(reader, number, node, count);
  LookAtAny(reader, number, node, count);
}

// No entry with a larger square has a bound below the limit. (RankFromSquare turned round; it is the one that counts.)
double BatchNearest::LargestSquare() const {
  constexpr double kMargin = 1 + 1e-12;  // what BoundFromSquare takes off, and rounding
  constexpr double kImprecise = 1e-280;  // below, squares say nothing
  if (limit_ >= RankFromDistance(1e150)) return std::numeric_limits<double>::infinity();
  const double distance = (std::max(DistanceFromRank(limit_), 0.0) + key_.slack) / (1 - key_.rounding);
  return distance * distance * kMargin + kImprecise;
}

// Those of the slots whose squares are at most this.
int BatchNearest::PickSquares(int count, double most) {
  if (all_slots_) return ActiveKernels().at_most(squares_, count, most, picked_);
  int picked = 0;
  for (int i = 0; i < count; ++i) {
    picked_[picked] = slots_[i];
    picked += squares_[slots_[i]] <= most;
  }
  return picked;
}

// Takes those of the least squares among the picked, as many as are wanted; returns the largest of their squares, and leaves rows with that to the
// caller. REQUIRES: there are more, and wanted_ <= kMostSorted.
double BatchNearest::TakeLeast(PageReader& reader, uint32_t number, const NodeView& node, int picked) {
  double least[kMostSorted] = {};
  uint16_t slot[kMostSorted] = {};
  const int wanted = static_cast<int>(wanted_);
  int taken = 0;
  for (int i = 0; i < picked; ++i) {
    const double square = squares_[picked_[i]];
    if (taken == wanted && !(square < least[wanted - 1])) continue;
    int at = taken < wanted ? taken++ : wanted - 1;
    for (; at > 0 && square < least[at - 1]; --at) least[at] = least[at - 1], slot[at] = slot[at - 1];
    least[at] = square;
    slot[at] = picked_[i];
  }
  const double largest = least[wanted - 1];
  for (int i = 0; i < wanted; ++i)
    if (least[i] < largest) Take(reader, number, node, slot[i], RankFromSquare(least[i], key_));
  return largest;
}

// By squares alone most entries are out. Of a leaf where many are not, those come first that bring the limit down the most.
void BatchNearest::LookAtNear(PageReader& reader, uint32_t number, const NodeView& node, int count) {
  ActiveKernels().squared_distance(node, key_.first, key_.dimensions, key_.query, squares_);
  double most = LargestSquare(), from = -1;
  const int picked = PickSquares(count, most);
  if (node.leaf() && wanted_ <= kMostSorted && picked > 2 * static_cast<int>(wanted_)) from = TakeLeast(reader, number, node, picked);
  for (int i = 0; i < picked; ++i) {
    const double square = squares_[picked_[i]];
    if (!((square >= from) & (square <= most))) continue;
    Take(reader, number, node, picked_[i], RankFromSquare(square, key_));
    most = std::min(LargestSquare(), most);
  }
}

// Rows without a value among them, or without a kernel for their distances.
void BatchNearest::LookAtAny(PageReader& reader, uint32_t number, const NodeView& node, int count) {
  if (key_.query != nullptr) ActiveKernels().squared_distance(node, key_.first, key_.dimensions, key_.query, squares_);
  for (int i = 0; i < count; ++i) {
    const int slot = slots_[i];
    DistanceRank bound;
    if (node.has_marks() && IsNull(node, slot, key_)) {
      bound = kNullDistance;
    } else if (key_.query != nullptr) {
      bound = RankFromSquare(squares_[slot], key_);
    } else {
      node.LoadEdges(slot, key_.first, key_.dimensions, lo_, hi_);
      bound = RankFromBound(key_.lower_bound(key_.context, lo_, hi_));
    }
    Take(reader, number, node, slot, bound);
  }
}

// `bound`: on the distance of the entry, or of all that is below it.
void BatchNearest::Take(PageReader& reader, uint32_t number, const NodeView& node, int slot, DistanceRank bound) {
  if (bound >= limit_) return;
  if (node.leaf()) return AddRow(reader, *frames_[number], node, slot);
  queue_.Append(reader, {bound, number, static_cast<uint32_t>(slot)});
  std::push_heap(queue_.data(), queue_.data() + queue_.size(), [](const Item& a, const Item& b) { return a.rank > b.rank; });
}

void BatchNearest::AddRow(PageReader& reader, const Frame& frame, const NodeView& leaf, int slot) {
  DistanceRank rank = kNullDistance;
  if (!leaf.has_marks() || !IsNull(leaf, slot, key_)) {
    leaf.LoadEdges(slot, key_.first, key_.dimensions, lo_, hi_);
    rank = RankFromDistance(key_.distance(key_.context, lo_, hi_));
  }
  if (rank >= limit_) return;
  if (found_.size() == wanted_) {
    std::pop_heap(found_.data(), found_.data() + wanted_, ByRank);
    found_.PopBack();
  }
  const bool known = options_.look != nullptr && frame.known_rows()[slot] != 0;
  found_.Append(reader, {rank, leaf.Tuple(slot), frame.page, static_cast<uint16_t>(slot), filter_.MustRecheck(leaf, slot), known});
  std::push_heap(found_.data(), found_.data() + found_.size(), ByRank);
  if (found_.size() == wanted_) limit_ = found_[0].rank;
}

}  // namespace xtree
