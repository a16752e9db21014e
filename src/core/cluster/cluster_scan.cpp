// See cluster_scan.h. Takes no locks and writes nothing; frames hold plain data only.
#include "core/cluster/cluster_scan.h"

#include <algorithm>

#include "core/scan/distance_rank.h"

namespace xtree {

namespace {

// std::push_heap and the like put the greatest on top.
constexpr auto kLater = [](const auto& a, const auto& b) { return b < a; };
constexpr auto kFurther = [](const auto& a, const auto& b) { return b.rank < a.rank; };

// A node over more clusters than these is not asked for its bound, but visited.
constexpr int kManyClusters = 16;

constexpr uint64_t kRecheckBit = 1;

}  // namespace

void ClusterScan::Begin(const KeyLayout& layout, const Constraint& constraint, int column, const VectorModel& model,
                        const VectorQuery* query, Options options) {
  layout_ = &layout;
  model_ = &model;
  query_ = query;
  options_ = options;
  column_ = column;
  started_ = all_ = false;
  limit_ = std::isnan(options.limit) ? kNoDistance : RankFromDistance(options.limit);
  Constraint with_vector = constraint;
  with_vector.Require(column, MarkRule::kNotNull);
  filter_.Compile(layout, with_vector);
  without_vector_ = constraint;
  if (query != nullptr) without_vector_.Require(column, MarkRule::kNull);
  null_rows_begun_ = false;
  null_batch_.count = null_next_ = 0;
  over_ = query == nullptr || with_vector.Never(layout);
  nodes_.Clear();
  rows_.Clear();
  looked_at_ = 0;
  floor_ = kNone;
  cut_ = kAll;
}

bool ClusterScan::Next(PageReader& reader, ClusterRow* row) {
  if (!started_ && !over_) {
    started_ = true;
    over_ = !ChooseClusters(reader);
    if (!over_) StartPass(reader);
  }
  while (!over_) {
    if (RowIsNext()) {
      std::pop_heap(rows_.data(), rows_.data() + rows_.size(), kLater);
      const Waiting next = rows_.back();
      rows_.PopBack();
      *row = {TupleId::FromPacked(next.tuple >> 1), DistanceFromRank(next.rank), false, (next.tuple & kRecheckBit) != 0};
      return true;
    }
    if (!nodes_.empty() && !PassIsOver()) {
      VisitNext(reader);
    } else if (cut_ < kAll) {
      floor_ = cut_;  // for those that were dropped
      StartPass(reader);
    } else if (ChooseClusters(reader)) {
      floor_ = kNone;
      StartPass(reader);
    } else {
      over_ = true;
    }
  }
  return NextWithoutVector(reader, row);
}

bool ClusterScan::NextWithoutVector(PageReader& reader, ClusterRow* row) {
  if (limit_ != kNoDistance) return false;
  if (!null_rows_begun_) null_rows_.Begin(*layout_, without_vector_, {.ignore_killed = options_.ignore_killed});
  null_rows_begun_ = true;
  if (null_next_ >= null_batch_.count) {
    null_next_ = 0;
    if (!null_rows_.Step(reader, &null_batch_)) return false;
  }
  const int i = null_next_++;
  *row = {null_batch_.tuples[i], 0, true, null_batch_.MustRecheck(i)};
  return true;
}

// Exact: nothing that waits to be visited can hold a row before the first one. Approximate: nothing waits.
bool ClusterScan::RowIsNext() const {
  if (rows_.empty()) return false;
  return nodes_.empty() || (!approximate() && rows_[0].rank < nodes_[0].rank);
}

// Below all nodes that wait are only rows that this pass would drop.
bool ClusterScan::PassIsOver() const { return !approximate() && nodes_[0].rank > cut_.rank; }

void ClusterScan::StartPass(PageReader& reader) {
  cut_ = kAll;
  nodes_.Clear();
  rows_.Clear();
  cluster_work_.passes++;
  nodes_.Append(reader, Node{INT64_MIN, kRootPointer});
}

// Which clusters are looked at next. False: there are none left.
bool ClusterScan::ChooseClusters(PageReader& reader) {
  const size_t all = static_cast<size_t>(model_->clusters());
  if (clusters_.empty()) {
    clusters_.Reserve(reader, all);
    selected_.Reserve(reader, all + 1);
    for (size_t c = 0; c < all; ++c) clusters_.AppendReserved(static_cast<uint32_t>(c));
    for (size_t c = 0; c <= all; ++c) selected_.AppendReserved(0);
  }
  if (looked_at_ == all) return false;
  const auto rank = [this](uint32_t c) { return RankFromBound(query_->ClusterRank(static_cast<int>(c))); };
  const auto nearer = [&](uint32_t a, uint32_t b) { return rank(a) != rank(b) ? rank(a) < rank(b) : a < b; };
  size_t end = all;
  if (approximate()) {
    if (looked_at_ == 0) std::sort(clusters_.data(), clusters_.data() + all, nearer);
    end = std::min(all, looked_at_ + std::max<size_t>({options_.probes, looked_at_, 1}));
    const double nearest = query_->ClusterRank(static_cast<int>(clusters_[0]));
    while (looked_at_ == 0 && options_.epsilon >= 0 && end < all &&
           query_->ClusterRank(static_cast<int>(clusters_[end])) <= nearest + options_.epsilon * std::fabs(nearest))
      ++end;
  }
  all_ = end - looked_at_ == all;
  Select(looked_at_, end);
  cluster_work_.clusters += end - looked_at_;
  looked_at_ = end;
  return true;
}

void ClusterScan::Select(size_t first, size_t end) {
  std::fill_n(selected_.data(), selected_.size(), 0);
  for (size_t i = first; i < end; ++i) selected_[clusters_[i] + 1] = 1;
  for (size_t c = 1; c < selected_.size(); ++c) selected_[c] += selected_[c - 1];
}

void ClusterScan::PushNode(PageReader& reader, const Node& node) {
  nodes_.Append(reader, node);
  if (!approximate()) std::push_heap(nodes_.data(), nodes_.data() + nodes_.size(), kFurther);
}

// Of a leaf most is read, codes and all.
void ClusterScan::Approach(PageReader& reader, const NodePointer& next) {
  if (next.level == 0)
    reader.ApproachWhole(next.block);
  else
    reader.Approach(next.block);
}

void ClusterScan::VisitNext(PageReader& reader) {
  if (!approximate()) std::pop_heap(nodes_.data(), nodes_.data() + nodes_.size(), kFurther);
  const Node node = nodes_.back();
  nodes_.PopBack();
  if (!nodes_.empty()) Approach(reader, nodes_[approximate() ? nodes_.size() - 1 : 0].pointer);
  DropVisited();
  visiting_ = node.pointer.block;
  const BlockNumber right = VisitNode(
      reader, node.pointer, [&](const NodeView& page, Lsn lsn) { VisitPage(reader, page, lsn); }, [&] { DropVisited(); });
  visit_.AddTo(&work_, node.pointer.level);
  work_.siblings += right != kInvalidBlock;
  cluster_work_.codes += codes_;
  if (right != kInvalidBlock) PushNode(reader, Node{node.rank, {node.pointer.parent_lsn, right, node.pointer.level}});
  TakeVisited(reader);
}

// What the visits of a node leave behind.
void ClusterScan::DropVisited() {
  children_.Clear();
  found_.Clear();
  visit_ = {};
  codes_ = 0;
}

void ClusterScan::TakeVisited(PageReader& reader) {
  for (size_t i = children_.size(); i > 0; --i) PushNode(reader, children_[i - 1]);
  Announce(reader);
  work_.matches += found_.size();
  for (size_t i = 0; i < found_.size(); ++i) {
    if (!(found_[i] < cut_)) continue;  // may have been lowered by one before
    rows_.Append(reader, found_[i]);
    std::push_heap(rows_.data(), rows_.data() + rows_.size(), kLater);
    work_.rechecks += found_[i].tuple & kRecheckBit;
    if (rows_.size() >= options_.most_waiting) DropFarthest();
  }
}

void ClusterScan::DropFarthest() {
  Waiting* const first = rows_.data();
  const size_t kept = std::max<size_t>(options_.most_waiting / 2, 1);
  if (kept >= rows_.size()) return;
  std::nth_element(first, first + kept, first + rows_.size());
  cut_ = first[kept];
  while (rows_.size() > kept) rows_.PopBack();
  std::make_heap(first, first + rows_.size(), kLater);
}

void ClusterScan::Announce(PageReader& reader) {
  if (children_.empty() || !reader.ReadsAhead()) return;
  blocks_.Clear();
  blocks_.Reserve(reader, children_.size());
  for (size_t i = 0; i < children_.size(); ++i) blocks_.AppendReserved(children_[i].pointer.block);
  const bool next = approximate() && children_[0].pointer.level == 0;
  reader.WillRead(blocks_.data(), static_cast<int>(blocks_.size()), next ? PageReader::ReadOrder::kNext : PageReader::ReadOrder::kAny);
}

void ClusterScan::VisitPage(PageReader& reader, const NodeView& node, Lsn lsn) {
  visit_.Add(node);
  if (node.leaf())
    CollectRows(reader, node);
  else
    CollectChildren(reader, node, lsn);
}

void ClusterScan::CollectChildren(PageReader& reader, const NodeView& node, Lsn lsn) {
  const int count = KeepSelected(node, filter_.Run(node, slots_));
  children_.Reserve(reader, children_.size() + static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    const DistanceRank rank = RankFromBound(BoundOfNode(ClustersOf(node, slots_[i])));
    if (rank > limit_) continue;
    children_.AppendReserved(Node{rank, {lsn, node.Child(slots_[i]), node.level() - 1}});
  }
}

// Those whose clusters are looked at. The numbers may be anything.
int ClusterScan::KeepSelected(const NodeView& node, int count) {
  if (all_) return count;
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    const Clusters of = ClustersOf(node, slots_[i]);
    slots_[kept] = slots_[i];
    kept += of.first <= of.last && selected_[static_cast<size_t>(of.last) + 1] > selected_[static_cast<size_t>(of.first)];
  }
  return kept;
}

// The clusters of an entry, whatever its bytes are.
ClusterScan::Clusters ClusterScan::ClustersOf(const NodeView& node, int slot) const {
  Ordinal lo[kVectorDimensionsInTree], hi[kVectorDimensionsInTree];
  node.LoadEdges(slot, layout_->first_dimension[column_], kVectorDimensionsInTree, lo, hi);
  const Ordinal last = model_->clusters() - 1;
  const auto number = [last](Ordinal ordinal) { return static_cast<int>(std::clamp<Ordinal>(ordinal, 0, last)); };
  const auto distance = [](Ordinal ordinal) { return double{FloatFromOrdinal(static_cast<int32_t>(ordinal))}; };
  return {number(lo[kClusterDimension]), number(hi[kClusterDimension]), distance(lo[kCentroidDistanceDimension]),
          distance(hi[kCentroidDistanceDimension])};
}

// Below what it is for each entry of the node, however that is rounded: so rows come in order, and a later pass finds what an earlier one dropped.
double ClusterScan::BoundOfNode(const Clusters& of) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kMargin = 1e-12;
  if (of.last < of.first || of.last - of.first >= kManyClusters) return -kInfinity;
  double bound = kInfinity;
  for (int c = of.first; c <= of.last; ++c) {
    const double one = query_->ClusterBound(c, of.near, of.far);
    bound = std::isnan(one) ? -kInfinity : std::min(bound, one);
  }
  if (std::isinf(bound)) return bound;
  return bound - kMargin * (query_->metric() == VectorMetric::kCosine ? 1 : std::fabs(bound));
}

double ClusterScan::BoundOfRow(const Clusters& of, double by_code) const {
  const double by_centroid = query_->ClusterBound(of.first, of.near, of.near);
  return by_centroid > by_code ? by_centroid : by_code;
}

void ClusterScan::CollectRows(PageReader& reader, const NodeView& leaf) {
  const int count = KeepSelected(leaf, filter_.Run(leaf, slots_));
  const size_t bytes = VectorCodeBytes(model_->dimensions());
  int codes = 0;
  for (int i = 0; i < count; ++i) {
    if (options_.ignore_killed && leaf.Killed(slots_[i])) continue;
    uint16_t length;
    const uint8_t* code = leaf.Payload(slots_[i], &length);
    if (code == nullptr || length < bytes) {
      if (!reader.Doubtful()) reader.Corrupt(visiting_, "an entry has no code of its vector");
      continue;
    }
    code_slot_[codes] = slots_[i];
    code_[codes++] = code;
  }
  query_->LowerBounds(code_, codes, bound_);
  codes_ += static_cast<uint64_t>(codes);
  found_.Reserve(reader, found_.size() + static_cast<size_t>(codes));
  for (int i = 0; i < codes; ++i) {
    const bool recheck = filter_.recheck() || (filter_.recheck_some() && filter_.MustRecheck(leaf, code_slot_[i]));
    const DistanceRank rank = RankFromBound(BoundOfRow(ClustersOf(leaf, code_slot_[i]), bound_[i]));
    const Waiting row{rank, leaf.Tuple(code_slot_[i]).Packed() << 1 | (recheck ? kRecheckBit : 0)};
    if (!(row < floor_) && row < cut_ && row.rank <= limit_) found_.AppendReserved(row);
  }
}

}  // namespace xtree
