// See nearest_scan.h. Takes no locks and writes nothing; frames of functions hold plain data only.
#include "core/scan/nearest_scan.h"

#include <atomic>

#include "core/filter/kernels.h"

namespace xtree {
namespace {

bool Same(const Ordinal* a, const Ordinal* b, int dimensions) { return std::memcmp(a, b, dimensions * sizeof(Ordinal)) == 0; }

}  // namespace

void NearestScan::Begin(const KeyLayout& layout, const Constraint& constraint, const DistanceKey* keys, int key_count, Options options) {
  layout_ = &layout;
  options_ = options;
  started_ = constraint.Never(layout);  // then there is nothing to visit
  filtered_ = !MatchesAll(layout, constraint);
  squared_ = key_count == 1 && keys[0].query != nullptr;
  key_count_ = key_count;
  std::copy(keys, keys + key_count, keys_);
  filter_.Compile(layout, constraint);
  bounds_.Clear();
  settled_.Clear();
  rows_settled_ = 0;
  last_.known = false;
  free_.Clear();  // has room for all frames: TakeFrame sees to it
  for (uint32_t i = 0; i < frames_.size(); ++i) free_.AppendReserved(i);
}

bool NearestScan::Next(PageReader& reader, NearestRow* row) {
  if (!started_) {
    started_ = true;
    VisitRoot(reader);
  }
  for (;;) {
    NodePointer nearer;
    if (options_.team != nullptr && options_.team->TakeNearest(LeastOwn(), &nearer)) {
      Visit(reader, nearer);
    } else if (!SettledIsNext()) {
      if (bounds_.empty()) return false;
      const Item item = PopBound();
      // As long as there is no row, nothing can go before a child, whatever its bound is exactly.
      if (item.level > 0 && rows_settled_ == 0) {
        VisitChild(reader, item);
      } else {
        Settle(reader, item);
      }
    } else if (settled_[0].level > 0) {
      const Item item = settled_[0];
      RemoveTop(&settled_);
      VisitChild(reader, item);
    } else {
      PopRow(row);
      return true;
    }
  }
}

// With a team the first one puts in the children of the root, for everybody.
void NearestScan::VisitRoot(PageReader& reader) {
  if (options_.team == nullptr) {
    Visit(reader, kRootPointer);
  } else if (options_.team->Begin()) {
    sharing_ = true;
    Visit(reader, kRootPointer);
    sharing_ = false;
    options_.team->EndVisit();
  }
}

// Of a page of the root. False: they are rows, or there is no room for all of them.
bool NearestScan::ShareEntries(const NearestFrame& frame) {
  if (frame.level == 0) return false;
  TeamNode nodes[kMaxEntriesPerPage];
  const NodeView node = frame.view(*layout_);
  for (uint16_t i = 0; i < frame.entries; ++i) {
    const Item item{frame.Rank(0, i), 0, i, frame.level};
    nodes[i] = {NodePointer{frame.lsn, node.Child(frame.Slot(i)), frame.level - 1}, BoundOf(item)};
  }
  return options_.team->Put(nodes, frame.entries) == 0;
}

// What comes next of that which this scan has taken is not nearer.
DistanceRank NearestScan::LeastOwn() const {
  DistanceRank least = settled_.empty() ? kNoDistance : settled_[0].rank;
  if (!bounds_.empty()) least = std::min(least, BoundOf(bounds_[0]));
  return least;
}

void NearestScan::VisitChild(PageReader& reader, const Item& item) {
  const NearestFrame& frame = *frames_[item.frame];
  const NodePointer child{frame.lsn, frame.view(*layout_).Child(frame.Slot(item.entry)), item.level - 1};
  Release(item.frame);
  Visit(reader, child);
}

// The node, and what splits have moved to its right since its downlink was read.
void NearestScan::Visit(PageReader& reader, NodePointer node) {
  while (node.block != kInvalidBlock) {
    visited_.Clear();
    visit_ = {};
    const BlockNumber right = VisitNode(
        reader, node, [&](const NodeView& page, Lsn lsn) { FillFrame(reader, page, node.block, lsn); }, [&] { DropVisited(); });
    CountVisited(node, right);
    node.block = right;
    QueueVisited(reader);
  }
}

// One page of the node that is being visited.
void NearestScan::FillFrame(PageReader& reader, const NodeView& node, BlockNumber block, Lsn lsn) {
  visited_.Reserve(reader, visited_.size() + 1);
  const uint32_t index = TakeFrame(reader);
  visited_.AppendReserved(index);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // DropVisited finds it whatever the page does
  NearestFrame* frame = frames_[index];
  frame->lsn = lsn;
  frame->block = block;
  frame->level = static_cast<uint16_t>(node.level());
  visit_.Add(node);
  SelectEntries(node, frame);
  if (frame->entries == 0) return;
  for (int key = 0; key < key_count_; ++key) SetBounds(node, key, frame);
  node.CopyTo(frame->page);
  frame->StartTournament();
}

void NearestScan::QueueVisited(PageReader& reader) {
  for (size_t i = 0; i < visited_.size(); ++i) {
    const uint32_t index = visited_[i];
    NearestFrame* frame = frames_[index];
    frame->in_use = frame->entries;
    if (frame->entries == 0 || (sharing_ && ShareEntries(*frame))) {
      free_.AppendReserved(index);
    } else {
      Push(reader, &bounds_, Item{frame->BestRank(), index, frame->best, frame->level});
      if (frame->level > 0 && reader.ReadsAhead()) Announce(reader, *frame);
    }
  }
}

// Which children are visited depends on what the nearest of them hold; the best few are likely.
void NearestScan::Announce(PageReader& reader, const NearestFrame& frame) {
  constexpr int kAnnounced = 8;
  uint16_t best[kAnnounced];
  const auto nearer = [&](uint16_t a, uint16_t b) { return frame.ranks[a] < frame.ranks[b]; };
  int count = 0;
  for (uint16_t entry = 0; entry < frame.entries; ++entry) {
    if (count < kAnnounced) {
      best[count++] = entry;
    } else if (nearer(entry, best[kAnnounced - 1])) {
      best[kAnnounced - 1] = entry;
    } else {
      continue;
    }
    for (int i = count - 1; i > 0 && nearer(best[i], best[i - 1]); --i) std::swap(best[i], best[i - 1]);
  }
  BlockNumber blocks[kAnnounced];
  const NodeView node = frame.view(*layout_);
  for (int i = 0; i < count; ++i) blocks[i] = node.Child(frame.Slot(best[i]));
  reader.WillRead(blocks, count, PageReader::ReadOrder::kAny);
}

void NearestScan::DropVisited() {
  for (size_t i = 0; i < visited_.size(); ++i) free_.AppendReserved(visited_[i]);
  visited_.Clear();
  visit_ = {};
}

void NearestScan::CountVisited(const NodePointer& node, BlockNumber right) {
  visit_.AddTo(&work_, node.level);
  work_.siblings += right != kInvalidBlock;
  for (size_t i = 0; i < visited_.size(); ++i) {
    const NearestFrame& frame = *frames_[visited_[i]];
    if (frame.level == 0) work_.matches += frame.entries;
  }
}

uint32_t NearestScan::TakeFrame(PageReader& reader) {
  if (free_.empty()) {
    free_.Reserve(reader, frames_.size() + 1);
    frames_.Reserve(reader, frames_.size() + 1);
    frames_.AppendReserved(NearestFrame::Allocate(reader, *layout_, key_count_));
    return static_cast<uint32_t>(frames_.size() - 1);
  }
  const uint32_t index = free_.back();
  free_.PopBack();
  return index;
}

// One entry of the frame has been dealt with.
void NearestScan::Release(uint32_t frame) {
  if (--frames_[frame]->in_use == 0) free_.AppendReserved(frame);
}

void NearestScan::SelectEntries(const NodeView& node, NearestFrame* frame) {
  const bool killed = options_.ignore_killed && node.leaf() && node.AnyKilled();
  frame->all = !filtered_ && !killed;
  if (frame->all) {
    frame->entries = static_cast<uint16_t>(node.entries());
    return;
  }
  const int count = filter_.Run(node, slots_);
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    if (!killed || !node.Killed(slots_[i])) frame->slots[kept++] = slots_[i];
  }
  frame->entries = static_cast<uint16_t>(kept);
}

void NearestScan::SetBounds(const NodeView& node, int index, NearestFrame* frame) {
  const DistanceKey& key = keys_[index];
  DistanceRank* ranks = frame->ranks + index * frame->stride;
  const int entries = frame->entries;
  if (key.query != nullptr) {
    ActiveKernels().squared_distance(node, key.first, key.dimensions, key.query, squares_);
    SetSquares(*frame, key, ranks);
    if (!node.has_marks()) return;
  }
  for (int i = 0; i < entries; ++i) {
    const int slot = frame->Slot(i);
    if (node.has_marks() && IsNull(node, slot, key)) {
      ranks[i] = kNullDistance;
    } else if (key.query == nullptr) {
      LoadBox(node, slot, key);
      ranks[i] = RankFromBound(key.lower_bound(key.context, lo_, hi_));
    }
  }
}

// A square is not negative, so its bits sort as it does.
void NearestScan::SetSquares(const NearestFrame& frame, const DistanceKey& key, DistanceRank* ranks) const {
  if (squared_ && frame.all) {
    std::memcpy(ranks, squares_, frame.entries * sizeof(DistanceRank));
    return;
  }
  for (int i = 0; i < frame.entries; ++i) {
    const double square = squares_[frame.Slot(i)];
    ranks[i] = squared_ ? std::bit_cast<DistanceRank>(square) : RankFromSquare(square, key);
  }
}

void NearestScan::LoadBox(const NodeView& node, int slot, const DistanceKey& key) {
  node.LoadEdges(slot, key.first, key.dimensions, lo_, hi_);
}

// The second and further keys.
int NearestScan::CompareFurther(const Item& a, const Item& b) const {
  for (int key = 1; key < key_count_; ++key) {
    const DistanceRank rank_a = frames_[a.frame]->Rank(key, a.entry);
    const DistanceRank rank_b = frames_[b.frame]->Rank(key, b.entry);
    if (rank_a != rank_b) return rank_a < rank_b ? -1 : 1;
  }
  return 0;
}

// Lower levels first among equals, so that the first rows come soon where many bounds are 0.
bool NearestScan::Before(const Item& a, const Item& b) const {
  if (a.rank != b.rank) return a.rank < b.rank;
  const int further = CompareFurther(a, b);
  return further != 0 ? further < 0 : a.level < b.level;
}

void NearestScan::Push(PageReader& reader, Scratch<Item>* queue, const Item& item) {
  queue->Append(reader, item);
  size_t at = queue->size() - 1;
  while (at > 0 && Before(item, (*queue)[(at - 1) / 2])) {
    (*queue)[at] = (*queue)[(at - 1) / 2];
    at = (at - 1) / 2;
  }
  (*queue)[at] = item;
}

// Puts `item` in the place of the first.
void NearestScan::ReplaceTop(Scratch<Item>* queue, const Item& item) {
  size_t at = 0;
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= queue->size()) break;
    if (child + 1 < queue->size() && Before((*queue)[child + 1], (*queue)[child])) ++child;
    if (!Before((*queue)[child], item)) break;
    (*queue)[at] = (*queue)[child];
    at = child;
  }
  (*queue)[at] = item;
}

void NearestScan::RemoveTop(Scratch<Item>* queue) {
  const Item last = queue->back();
  queue->PopBack();
  if (!queue->empty()) ReplaceTop(queue, last);
}

// The entry with the least bound; its frame's next one takes its place.
NearestScan::Item NearestScan::PopBound() {
  const Item item = bounds_[0];
  NearestFrame* frame = frames_[item.frame];
  frame->GiveOutBest();
  if (frame->BestRank() != kNoDistance) {
    ReplaceTop(&bounds_, Item{frame->BestRank(), item.frame, frame->best, item.level});
  } else {
    RemoveTop(&bounds_);
  }
  return item;
}

void NearestScan::Settle(PageReader& reader, const Item& item) {
  NearestFrame* frame = frames_[item.frame];
  const NodeView node = frame->view(*layout_);
  Item settled = item;
  settled.rank = SettledRank(item, node, 0);
  // The first key's rank in the frame says that the entry is given out; the others are free to take the settled ones.
  for (int key = 1; key < key_count_; ++key) frame->ranks[key * frame->stride + item.entry] = SettledRank(item, node, key);
  Push(reader, &settled_, settled);
  if (item.level == 0) ++rows_settled_;
}

DistanceRank NearestScan::SettledRank(const Item& item, const NodeView& node, int index) {
  const DistanceKey& key = keys_[index];
  const NearestFrame& frame = *frames_[item.frame];
  const int slot = frame.Slot(item.entry);
  if (IsNull(node, slot, key)) return kNullDistance;
  LoadBox(node, slot, key);
  // All that lies within a box without extent has the same box.
  if (item.level == 0 || Same(lo_, hi_, key.dimensions)) return ExactRank(index);
  const DistanceRank bound = index == 0 ? BoundOf(item) : frame.Rank(index, item.entry);
  if (key.best_bound == nullptr) return bound;
  return std::max(bound, RankFromBound(key.best_bound(key.context, lo_, hi_)));
}

// Of the box that is loaded.
DistanceRank NearestScan::ExactRank(int index) {
  const DistanceKey& key = keys_[index];
  const auto compute = [&] { return RankFromDistance(key.distance(key.context, lo_, hi_)); };
  if (index > 0) return compute();
  if (!last_.known || !Same(lo_, last_.lo, key.dimensions) || !Same(hi_, last_.hi, key.dimensions)) {
    last_.known = false;  // should computing leave by an ERROR
    std::copy_n(lo_, key.dimensions, last_.lo);
    std::copy_n(hi_, key.dimensions, last_.hi);
    last_.rank = compute();
    last_.known = true;
  }
  return last_.rank;
}

// What an item of `bounds_` says, as a rank of distances.
DistanceRank NearestScan::BoundOf(const Item& item) const {
  if (!squared_ || item.rank >= kNanDistance) return item.rank;
  return RankFromSquare(std::bit_cast<double>(item.rank), keys_[0]);
}

// Is the first settled entry no further away than any that may still come? Of equals rows come first, then what leads to
// rows in fewer steps.
bool NearestScan::SettledIsNext() const {
  if (settled_.empty() || bounds_.empty()) return !settled_.empty();
  const Item& settled = settled_[0];
  const Item& other = bounds_[0];
  const DistanceRank bound = BoundOf(other);
  if (settled.rank != bound) return settled.rank < bound;
  const int further = CompareFurther(settled, other);
  return further != 0 ? further < 0 : settled.level <= other.level;
}

void NearestScan::PopRow(NearestRow* row) {
  const Item item = settled_[0];
  RemoveTop(&settled_);
  --rows_settled_;
  const NearestFrame& frame = *frames_[item.frame];
  row->block = frame.block;
  row->lsn = frame.lsn;
  row->slot = frame.Slot(item.entry);
  row->page = frame.page;
  const NodeView leaf = frame.view(*layout_);
  row->recheck = filter_.MustRecheck(leaf, row->slot);
  row->tuple = leaf.Tuple(row->slot);
  work_.rechecks += row->recheck;
  for (int key = 0; key < key_count_; ++key) {
    const DistanceRank rank = key == 0 ? item.rank : frame.Rank(key, item.entry);
    row->null[key] = rank == kNullDistance;
    row->distance[key] = DistanceFromRank(rank);
  }
  Release(item.frame);  // not taken again before the next call, so row->page stays until then
}

}  // namespace xtree
