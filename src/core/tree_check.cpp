#include "core/tree_check.h"

#include <algorithm>

#include "core/write/measures.h"
#include "page/validate.h"

namespace xtree {

namespace {

constexpr Lsn kNoParentLsn = ~Lsn{0};
constexpr int kOverlapSample = 64;  // siblings of a node that are compared pair by pair

bool HistoryWithin(const SplitHistory& history, int dimensions) {
  for (int d = dimensions; d < 128; d++)
    if (history.Has(d)) return false;
  return true;
}

}  // namespace

void TreeCheck::Walk() {
  pending_.push_back({kRootBlock, kNoParentLsn, -1, kInvalidBlock});
  while (!pending_.empty()) {
    const Pending next = pending_.back();
    pending_.pop_back();
    Visit(next);
  }
  for (size_t i = 0; i < levels_.size(); i++)
    levels_[i].overlap = overlap_nodes_[i] > 0 ? static_cast<float>(overlap_sum_[i] / static_cast<double>(overlap_nodes_[i])) : 0;
}

void TreeCheck::Visit(const Pending& pending) {
  const OpenNode node(store_, layout_, pending.block, LockMode::kShare);
  if (pending.level >= 0 && node.level() != pending.level) throw CorruptPage(pending.block, "node is not one level below its parent");
  if (pending.parent_lsn != kNoParentLsn && node.nsn() >= pending.parent_lsn && node.view().opaque().link != kInvalidBlock)
    pending_.push_back({node.view().opaque().link, pending.parent_lsn, pending.level, pending.parent});
  if (node.view().deleted()) {
    if (pending.parent_lsn == kNoParentLsn) throw CorruptPage(pending.block, "the root is deleted");
    Reach(pending.block);
    return;  // unlinked since its downlink was read
  }
  if (node.leaf() && node.pages() > 1) throw CorruptPage(pending.block, "a leaf is a supernode");
  if (!node.leaf() && node.entries() == 0) throw CorruptPage(pending.block, "a directory node has no entries");
  for (int p = 0; p < node.pages(); p++) {
    Reach(node.ref(p).block);
    if (node.pages() > 1 && !node.page(p).has_marks()) throw CorruptPage(node.ref(p).block, "a page of a supernode carries no marks");
    CheckEntries(node, p);
    if (!node.leaf()) CheckChildren(node, p);
  }
  if (node.level() == 1) ExpectLeaves();
  Count(node);
  if (on_node_) on_node_(node, pending.parent);
}

void TreeCheck::Reach(BlockNumber block) {
  if (reached_.size() <= block) reached_.resize(block + size_t{1});
  if (reached_[block]) throw CorruptPage(block, "page is reached by two links");
  reached_[block] = true;
}

void TreeCheck::CheckEntries(const OpenNode& node, int p) {
  const NodeView page = node.page(p);
  const BlockNumber block = node.ref(p).block;
  Box box;
  for (int i = 0; i < page.entries(); i++) {
    page.GetBox(i, &box);
    if (layout_.columns < kMaxColumns && box.marks >> (2 * layout_.columns) != 0)
      throw CorruptPage(block, "an entry has marks of a column that the index has not");
    for (int d = 0; d < layout_.dimensions; d++) {
      const bool marked = (layout_.Absent(box.marks) >> (2 * layout_.dimension[d].column)) & 3;
      if (box.lo[d] > box.hi[d] && !marked) throw CorruptPage(block, "the box of an entry is inverted");
    }
    if (!page.leaf()) continue;
    if (page.Tuple(i).offset == 0) throw CorruptPage(block, "a tuple id is invalid");
    if (on_tuple_) on_tuple_(block, page, i);
  }
}

void TreeCheck::CheckChildren(const OpenNode& node, int p) {
  const NodeView page = node.page(p);
  const Lsn lsn = node.lsn(p);
  Box box;
  blocks_.clear();
  for (int i = 0; i < page.entries(); i++) blocks_.push_back(page.Child(i));
  store_.WillOpen(blocks_);
  for (int i = 0; i < page.entries(); i++) {
    const SplitHistory history = page.History(i);
    if (!HistoryWithin(history, layout_.dimensions))
      throw CorruptPage(node.ref(p).block, "a split history names no dimension of the index");
    if (history.Empty() && node.entries() > 1) throw CorruptPage(node.ref(p).block, "a node with siblings has an empty split history");
    page.GetBox(i, &box);
    CheckChild(node, lsn, box, page.Child(i));
    pending_.push_back({page.Child(i), lsn, page.level() - 1, node.block()});
  }
}

// The leaves that wait to be visited, the last first.
void TreeCheck::ExpectLeaves() {
  blocks_.clear();
  for (auto next = pending_.rbegin(); next != pending_.rend() && next->level == 0; ++next) blocks_.push_back(next->block);
  store_.WillOpen(blocks_);
}

// Under the parent's lock.
void TreeCheck::CheckChild(const OpenNode& parent, Lsn parent_lsn, const Box& box, BlockNumber block) {
  const OpenNode child(store_, layout_, block, LockMode::kShare, &parent);
  if (child.view().deleted()) throw CorruptPage(block, "a downlink leads to a deleted page");
  if (child.nsn() >= parent_lsn) throw CorruptPage(block, "a split is younger than the downlinks to its halves");
  if (child.level() != parent.level() - 1) throw CorruptPage(block, "node is not one level below its parent");
  Box bounds;
  for (int p = 0; p < child.pages(); p++) {
    child.page(p).Bounds(&bounds);
    if (!Contains(layout_, box, bounds)) throw CorruptPage(block, "an entry lies outside of the box that the parent has for the node");
  }
}

void TreeCheck::Count(const OpenNode& node) {
  const size_t level = node.level();
  if (levels_.size() <= level) {
    levels_.resize(level + 1);
    overlap_sum_.resize(level + 1);
    overlap_nodes_.resize(level + 1);
  }
  LevelStatistics& statistics = levels_[level];
  statistics.entries += node.entries();
  statistics.nodes++;
  statistics.pages += node.pages();
  statistics.supernodes += node.view().supernode_head();
  if (level == 0) return;
  overlap_sum_[level - 1] += SiblingOverlap(node);
  overlap_nodes_[level - 1]++;
}

double TreeCheck::SiblingOverlap(const OpenNode& node) const {
  NormalizedBoxes boxes(layout_, kOverlapSample);
  const int stride = std::max(1, node.entries() / kOverlapSample);
  Box box;
  for (int p = 0, n = 0; p < node.pages(); p++)
    for (int i = 0; i < node.page(p).entries(); i++, n++) {
      if (n % stride != 0) continue;
      node.page(p).GetBox(i, &box);
      boxes.Add(box);
    }
  boxes.Normalize();
  double sum = 0;
  for (int a = 0; a < boxes.size(); a++)
    for (int b = a + 1; b < boxes.size(); b++) sum += boxes.OverlapRatio(boxes.row(a), boxes.row(b));
  const double pairs = boxes.size() * (boxes.size() - 1) / 2.0;
  return pairs > 0 ? sum / pairs : 0;
}

void TreeCheck::CheckUnreached(BlockNumber pages) {
  reached_.resize(std::max<size_t>(reached_.size(), pages));
  for (BlockNumber block = kRootBlock; block < pages; block++) {
    if (reached_[block]) continue;
    const PageLock page(store_, store_.OpenUnchecked(block, LockMode::kShare));
    if (reinterpret_cast<const PageHeader*>(page.bytes())->upper == 0) {
      leaked_pages_++;
      continue;
    }
    if (IsModelPage(page.bytes())) continue;  // index/vector_models.h looks at those
    const char* problem = ValidateNode(layout_, page.bytes(), -1);
    if (problem != nullptr) throw CorruptPage(block, problem);
    const NodeView view(layout_, page.bytes());
    if (view.deleted()) continue;
    if (!view.supernode_follower()) throw CorruptPage(block, "node is reached by no link");
    leaked_pages_++;
  }
}

}  // namespace xtree
