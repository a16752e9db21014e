// See row_estimate.h.
#include "core/estimate/row_estimate.h"

#include <algorithm>
#include <cmath>

namespace xtree {

namespace {

// A node that the filter lets through is expected to hold something, however small the part of it is that the model sees.
constexpr double kLeastShare = 1e-3;

// Pages of a level of which so many are left for all levels down to the leaves: each gets a fair part.
int PagesFor(int level, int left) { return std::max(1, left / (level + 1)); }

}  // namespace

// Nodes come constraint by constraint, so each is compiled once a level.
const RowEstimator::Filters& RowEstimator::FiltersOf(int constraint) {
  if (filters_.constraint != constraint) {
    filters_.constraint = constraint;
    filters_.filter.Compile(*layout_, constraint_[constraint]);
    filters_.share.Begin(*layout_, constraint_[constraint], tree_->column, &extents_);
  }
  return filters_;
}

// Each page of the node, up to what is left; each(view, times) is told for how many pages of the node this one stands.
template <class Each>
void RowEstimator::ReadNode(BlockNumber block, int level, Each&& each) {
  const NodeView head = reader_->Open(0, block, block == kRootBlock ? -1 : level);
  ++pages_;
  const bool counts =
      !head.deleted() && !head.supernode_follower() && head.level() == level;  // of a root that was split meanwhile nothing is known
  const int followers = counts ? head.followers() : 0;
  const int visited = std::min(followers, std::max(options_.most_pages - pages_, 0));
  const double times = static_cast<double>(1 + followers) / (1 + visited);
  if (counts) each(head, times);
  for (int i = 0; i < visited; ++i) {
    const BlockNumber follower_block = head.Follower(static_cast<int>(static_cast<int64_t>(i) * followers / visited));
    const NodeView follower = reader_->Open(1, follower_block, head.level());
    ++pages_;
    if (follower.valid() && follower.supernode_follower()) each(follower, times);
    (void)reader_->Close(1);
  }
  (void)reader_->Close(0);
}

// What a node of each level holds, from the root down: by the level's statistics, or else by equal parts.
void RowEstimator::LookAtRoot() {
  const NodeView root = reader_->Open(0, kRootBlock, -1);
  root_level_ = root.level();
  root_entries_ = root.entries();
  const int pages = 1 + root.followers();
  root_entries_ = static_cast<int>(static_cast<int64_t>(root_entries_) * pages);  // of a supernode: its pages are alike
  (void)reader_->Close(0);
  const int known = std::min(tree_->levels, root_level_);
  const int typical = std::max(1, layout_->Block(false, false).max_entries * 2 / 3);
  entries_below_[0] = std::max(1.0, layout_->Block(true, false).max_entries * 2.0 / 3);
  leaves_below_[0] = 1;
  for (int level = 0; level < root_level_; ++level) {
    const double nodes = level < known ? tree_->level[level].nodes : 0;
    const bool is_known = nodes > 0 && tree_->level[0].entries > 0;
    if (is_known) {
      entries_below_[level] = static_cast<double>(tree_->level[0].entries) / nodes;
      leaves_below_[level] = static_cast<double>(tree_->level[0].nodes) / nodes;
    } else if (level > 0) {
      entries_below_[level] = entries_below_[level - 1] * typical;
      leaves_below_[level] = leaves_below_[level - 1] * typical;
    }
  }
  const int below = root_level_ - 1;
  // What has come since the statistics were taken is below the root, too.
  if (below > 0 && tree_->leaves > 0 && root_entries_ > 0) {
    const double grown = tree_->leaves / (root_entries_ * leaves_below_[below]);
    if (below >= known || grown > 1.2) {
      entries_below_[below] *= grown;
      leaves_below_[below] *= grown;
    }
  }
  entries_below_[root_level_] = root_level_ == 0 ? root_entries_ : root_entries_ * entries_below_[below];
  leaves_below_[root_level_] = root_level_ == 0 ? 1 : root_entries_ * leaves_below_[below];
}

// Those of a leaf on the way that the first constraint shows, at this place among the nodes that pass. False: there is none.
bool RowEstimator::AddExtentsOf(double place) {
  MeanExtents of_leaf;
  BlockNumber block = kRootBlock;
  for (int level = root_level_; level >= 0; --level) {
    const NodeView node = reader_->Open(0, block, block == kRootBlock ? -1 : level);
    const int entries = node.level() == level ? node.entries() : 0, found = filters_.filter.Run(node, slots_);
    if (level == 0 && entries > 0) MeasureExtents(node, &of_leaf);
    if (level > 0 && entries > 0)
      block = node.Child(found > 0 ? slots_[static_cast<int>(place * found)] : static_cast<int>(place * entries));
    (void)reader_->Close(0);
    if (entries == 0) return false;
  }
  for (int d = 0; d < layout_->dimensions; ++d) extents_.length[d] += of_leaf.length[d];
  return true;
}

void RowEstimator::FindExtents() {
  ForgetExtents(*layout_, &extents_);
  if (root_level_ == 0 || !FiltersOf(0).share.NeedsExtents()) return;
  int leaves = 0;
  for (const double place : {1.0 / 6, 3.0 / 6, 5.0 / 6}) leaves += AddExtentsOf(place);
  for (int d = 0; d < layout_->dimensions; ++d) extents_.length[d] /= std::max(leaves, 1);
}

void RowEstimator::CountLeaf(const NodeView& leaf, const Item& item, double weight) {
  const int found = FiltersOf(item.constraint).filter.Run(leaf, slots_);
  found_ += found;
  leaf_rows_ += weight * found;
}

void RowEstimator::SortChildren(const NodeView& node, const Item& item, double weight) {
  const Filters& of = FiltersOf(item.constraint);
  const int children = of.filter.Run(node, slots_), below = node.level() - 1;
  next_.Reserve(*reader_, next_.size() + static_cast<size_t>(children));
  for (int i = 0; i < children; ++i) {
    const double share = of.share.Of(node, slots_[i]);
    if (share >= 1) {
      rows_ += weight * EntriesBelow(below);
      rows_of_[item.constraint] += count_ * weight * EntriesBelow(below);
      leaves_ += weight * LeavesBelow(below);
      continue;
    }
    next_.AppendReserved(Item{node.Child(slots_[i]), item.constraint, weight, share, true});
  }
}

void RowEstimator::Visit(const Item& item, int level) {
  ReadNode(item.block, level, [&](const NodeView& node, double times) {
    if (node.leaf())
      CountLeaf(node, item, item.weight * times);
    else
      SortChildren(node, item, item.weight * times);
  });
}

// Leaves in items_ at most so many, that stand for all: those with more than a drawn one would stand for, and of the others one a step.
void RowEstimator::Choose(int most) {
  const size_t count = items_.size();
  if (count <= static_cast<size_t>(most)) return;
  const auto size_of = [](const Item& item) { return item.weight * std::max(item.share, kLeastShare); };
  double left = 0;
  for (size_t i = 0; i < count; ++i) {
    items_[i].certain = false;
    left += size_of(items_[i]);
  }
  int drawn = most;
  for (bool found = true; found && drawn > 1;) {
    found = false;
    const double step = left / drawn;
    for (size_t i = 0; i < count && drawn > 1; ++i) {
      const double size = size_of(items_[i]);
      if (items_[i].certain || size < step) continue;
      items_[i].certain = found = true;
      left -= size;
      --drawn;
    }
  }
  const double step = left / drawn;
  double passed = step / 2;
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    Item item = items_[i];
    if (!item.certain) {
      passed += size_of(item);
      if (passed < step) continue;
      passed -= step;
      item.weight *= step / size_of(item);
    }
    items_[kept++] = item;
  }
  while (items_.size() > kept) items_.PopBack();
}

double RowEstimator::RowsByModel() {
  double all = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    const double rows = items_[i].weight * items_[i].share * EntriesBelow(0);
    rows_of_[items_[i].constraint] += count_ * rows;
    all += rows;
  }
  return all;
}

// Where so many rows are expected, there is one with this probability, if they are there independently of each other.
double RowEstimator::ShareOfMatched() const {
  double matched = 0;
  for (int i = 0; i < count_; ++i) matched += 1 - std::exp(-rows_of_[i]);
  return matched / count_;
}

// What the leaves say, and what the model said of them.
void RowEstimator::WeighByModel(double of_model) {
  const double trust = options_.trust_in_model > 0 ? options_.trust_in_model / (options_.trust_in_model + found_) : 0;
  rows_ += (1 - trust) * leaf_rows_ + trust * of_model;
}

RowEstimate RowEstimator::Run(PageReader& reader, const KeyLayout& layout, const TreeStatistics& tree, const Constraint* constraint,
                              int count, Options options) {
  reader_ = &reader;
  layout_ = &layout;
  tree_ = &tree;
  constraint_ = constraint;
  options_ = options;
  pages_ = 0;
  rows_ = leaves_ = leaf_rows_ = found_ = 0;
  items_ = next_ = {};
  LookAtRoot();
  filters_.constraint = -1;
  count_ = count;
  rows_of_ = static_cast<double*>(reader.Reallocate(nullptr, sizeof(double) * static_cast<size_t>(count)));
  std::fill_n(rows_of_, count, 0.0);
  for (int i = 0; i < count; ++i) {
    if (!constraint[i].Never(layout)) items_.Append(reader, Item{kRootBlock, i, 1.0 / count, 1, true});
  }
  FindExtents();
  for (int level = root_level_; level >= 0 && !items_.empty(); --level) {
    if (level == 0)
      for (size_t i = 0; i < items_.size(); ++i) leaves_ += items_[i].weight;
    const double of_model = level == 0 ? RowsByModel() : 0;
    if (level < root_level_) Choose(PagesFor(level, options_.most_pages - pages_));
    next_.Clear();
    for (size_t i = 0; i < items_.size(); ++i) Visit(items_[i], level);
    if (level == 0) WeighByModel(of_model);
    std::swap(items_, next_);
  }
  const double all_rows = std::max(entries_below_[root_level_], 1.0), all_leaves = std::max(leaves_below_[root_level_], 1.0);
  return {std::clamp(rows_ / all_rows, 0.0, 1.0), std::clamp(leaves_ / all_leaves, 0.0, 1.0), ShareOfMatched(), pages_};
}

namespace {

// Of `of` numbers, the i-th of `count` that lie evenly.
int Even(int i, int count, int of) { return static_cast<int>((int64_t{2} * i + 1) * of / (int64_t{2} * count)); }

// How many of its entries a node gives, where so many are wanted of so many nodes.
int FairPart(int wanted, int nodes, int entries) { return std::min({entries, wanted, std::max(1, wanted / nodes)}); }

}  // namespace

int SampleEntries(PageReader& reader, int leaves, int most, SampledEntry* out) {
  constexpr int kWidest = 64;
  BlockNumber nodes[kWidest] = {kRootBlock}, children[kWidest];
  int found = 0;
  for (int count = 1, level = -1; count > 0; --level) {
    int next = 0;
    for (int i = 0; i < count; ++i) {
      const NodeView node = reader.Open(0, nodes[i], level);
      level = node.level();
      const int entries = node.deleted() ? 0 : node.entries();
      const int part = FairPart(node.leaf() ? most - found : std::min(leaves, kWidest) - next, count - i, entries);
      for (int k = 0; k < part; ++k) {
        if (!node.leaf()) {
          children[next++] = node.Child(Even(k, part, entries));
          continue;
        }
        if (k == 0) node.Bounds(&out[found].leaf);
        if (k > 0) out[found].leaf = out[found - 1].leaf;
        node.GetBox(Even(k, part, entries), &out[found++].box);
      }
      (void)reader.Close(0);
    }
    if (level == 0) break;
    count = next;
    std::copy_n(children, count, nodes);
  }
  return found;
}

}  // namespace xtree
