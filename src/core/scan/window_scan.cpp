// See window_scan.h. Takes no locks and writes nothing; frames hold plain data only.
#include "core/scan/window_scan.h"

#include <boost/sort/pdqsort/pdqsort.hpp>

namespace xtree {

void WindowScan::Begin(const KeyLayout& layout, const Constraint& constraint, Options options) {
  layout_ = &layout;
  options_ = options;
  filter_.Compile(layout, constraint);
  started_ = constraint.Never(layout);  // then there is nothing to visit
  stack_.Clear();
  if (options.order == WindowOrder::kSpatial) space_.Begin(layout);
}

bool WindowScan::Step(PageReader& reader, LeafBatch* batch) {
  if (!started_) {
    started_ = true;
    visiting_ = options_.team != nullptr && options_.team->Begin();
    if (options_.team == nullptr || visiting_) stack_.Append(reader, kRootPointer);
  }
  batch->count = 0;
  if (options_.keep_pages && copy_ == nullptr) copy_ = static_cast<uint8_t*>(reader.Reallocate(nullptr, kPageSize));
  NodePointer node;
  while (batch->count == 0 && TakeNext(&node)) {
    if (!stack_.empty()) reader.Approach(stack_.back().block);
    DropVisited(batch);
    batch->block = node.block;
    const BlockNumber right = VisitNode(
        reader, node, [&](const NodeView& page, Lsn lsn) { VisitPage(reader, page, lsn, batch); }, [&] { DropVisited(batch); });
    CountVisited(node, right, *batch);
    if (right != kInvalidBlock) stack_.Append(reader, NodePointer{node.parent_lsn, right, node.level});
    if (!children_.empty()) PushChildren(reader);
    if (options_.team != nullptr) EndVisit();
  }
  if (options_.order == WindowOrder::kHeap) SortByTuple(batch);
  if (options_.order == WindowOrder::kSpatial && batch->count > 0) SortInSpace(reader, batch);
  return batch->count > 0;
}

bool WindowScan::TakeNext(NodePointer* node) {
  if (stack_.empty()) return options_.team != nullptr && (visiting_ = options_.team->Take(node));
  *node = stack_.back();
  stack_.PopBack();
  return true;
}

// What is left to do is for everybody, as far as there is room.
void WindowScan::EndVisit() {
  stack_.Truncate(PutNodes(options_.team, stack_.data(), stack_.size()));
  if (visiting_) options_.team->EndVisit();
  visiting_ = false;
}

void WindowScan::SortByTuple(LeafBatch* batch) {
  uint64_t match[kMaxEntriesPerPage];  // tuple id, then slot
  static_assert(sizeof(TupleId) + sizeof(*batch->slots) == sizeof(*match));
  for (int i = 0; i < batch->count; ++i) match[i] = batch->tuples[i].Packed() << 16 | batch->slots[i];
  boost::sort::pdqsort_branchless(match, match + batch->count);
  for (int i = 0; i < batch->count; ++i) {
    batch->slots[i] = static_cast<uint16_t>(match[i]);
    batch->tuples[i] = TupleId::FromPacked(match[i] >> 16);
  }
}

void WindowScan::SortInSpace(PageReader& reader, LeafBatch* batch) {
  const uint32_t* order = space_.Arrange(reader);
  space_.StayAtLast();
  uint16_t slots[kMaxEntriesPerPage];
  TupleId tuples[kMaxEntriesPerPage];
  for (int i = 0; i < batch->count; ++i) {
    slots[i] = batch->slots[order[i]];
    tuples[i] = batch->tuples[order[i]];
  }
  std::copy_n(slots, batch->count, batch->slots);
  std::copy_n(tuples, batch->count, batch->tuples);
}

// From where the scan is; it stays there until it comes to a leaf.
void WindowScan::SortChildrenInSpace(PageReader& reader) {
  const uint32_t* order = space_.Arrange(reader);
  sorted_.Clear();
  sorted_.Reserve(reader, children_.size());
  for (size_t i = 0; i < children_.size(); ++i) sorted_.AppendReserved(children_[order[i]]);
  std::swap(sorted_, children_);
}

// What the visits of a node leave behind.
void WindowScan::DropVisited(LeafBatch* batch) {
  children_.Clear();
  space_.Clear();
  visit_ = {};
  batch->count = batch->rechecks = 0;
}

void WindowScan::CountVisited(const NodePointer& node, BlockNumber right, const LeafBatch& batch) {
  visit_.AddTo(&work_, node.level);
  work_.siblings += right != kInvalidBlock;
  work_.matches += static_cast<uint64_t>(batch.count);
  work_.rechecks += static_cast<uint64_t>(batch.rechecks);
}

void WindowScan::VisitPage(PageReader& reader, const NodeView& node, Lsn lsn, LeafBatch* batch) {
  visit_.Add(node);
  if (node.leaf()) {
    CollectMatches(node, lsn, batch);
    if (options_.order == WindowOrder::kSpatial) AddToSpace(reader, node, batch->slots, batch->count);
  } else {
    CollectChildren(reader, node, lsn);
  }
}

void WindowScan::CollectChildren(PageReader& reader, const NodeView& node, Lsn lsn) {
  const int count = filter_.Run(node, slots_);
  children_.Reserve(reader, children_.size() + count);
  for (int i = 0; i < count; ++i) {
    children_.Append(reader, NodePointer{lsn, node.Child(slots_[i]), node.level() - 1});
  }
  if (options_.order == WindowOrder::kSpatial) AddToSpace(reader, node, slots_, count);
}

void WindowScan::AddToSpace(PageReader& reader, const NodeView& node, const uint16_t* slots, int count) {
  for (int i = 0; i < count; ++i) space_.Add(reader, node, slots[i]);
}

void WindowScan::MarkDoubtful(const NodeView& leaf, LeafBatch* batch) {
  batch->recheck = filter_.recheck();
  batch->recheck_some = !batch->recheck && filter_.recheck_some();
  batch->rechecks = batch->recheck ? batch->count : 0;
  if (!batch->recheck_some) return;
  for (int i = 0; i < batch->count; ++i) {
    const bool doubtful = filter_.MustRecheck(leaf, batch->slots[i]);
    batch->doubtful[batch->slots[i]] = doubtful;
    batch->rechecks += doubtful;
  }
}

// Next on top, so in reverse order.
void WindowScan::PushChildren(PageReader& reader) {
  if (options_.order == WindowOrder::kSpatial) SortChildrenInSpace(reader);
  const size_t count = children_.size();
  stack_.Reserve(reader, stack_.size() + count);
  for (size_t i = 0; i < count; ++i) stack_.AppendReserved(children_[count - 1 - i]);
  if (!reader.ReadsAhead()) return;
  blocks_.Clear();
  blocks_.Reserve(reader, count);
  for (size_t i = 0; i < count; ++i) blocks_.AppendReserved(children_[i].block);
  const bool leaves = children_[0].level == 0;  // other nodes' children come between
  reader.WillRead(blocks_.data(), static_cast<int>(count), leaves ? PageReader::ReadOrder::kNext : PageReader::ReadOrder::kAny);
}

void WindowScan::CollectMatches(const NodeView& leaf, Lsn lsn, LeafBatch* batch) {
  int count = filter_.Run(leaf, batch->slots);
  if (options_.ignore_killed) {
    int kept = 0;
    for (int i = 0; i < count; ++i) {
      const uint16_t slot = batch->slots[i];
      batch->slots[kept] = slot;
      kept += !leaf.Killed(slot);
    }
    count = kept;
  }
  batch->count = count;
  if (count == 0) return;
  for (int i = 0; i < count; ++i) batch->tuples[i] = leaf.Tuple(batch->slots[i]);
  batch->lsn = lsn;
  MarkDoubtful(leaf, batch);
  batch->page = options_.keep_pages ? copy_ : nullptr;
  if (options_.keep_pages) leaf.CopyTo(copy_, batch->slots, count);  // far less than the page where few match
}

}  // namespace xtree
