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

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

void ClusterScan::Begin(const KeyLayout& layout, const Constraint& constraint, int column, const ClusterModels& models,
                        const VectorQuery* queries, Options options) {
  layout_ = &layout;
  models_ = &models;
  queries_ = queries;
  options_ = options;
  column_ = column;
  started_ = all_ = false;
  limit_ = std::isnan(options.limit) ? kNoDistance : RankFromDistance(options.limit);
  Constraint with_vector = constraint;
  with_vector.Require(column, MarkRule::kNotNull);
  filter_.Compile(layout, with_vector);
  without_vector_ = constraint;
  if (queries != nullptr) without_vector_.Require(column, MarkRule::kNull);
  null_rows_begun_ = false;
  null_batch_.count = null_next_ = 0;
  over_ = queries == nullptr || with_vector.Never(layout);
  nodes_.Clear();
  rows_.Clear();
  std::fill_n(looked_at_, kMaxGenerations, 0);
  choices_ = 0;
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

void ClusterScan::ListClusters(PageReader& reader) {
  const auto all = static_cast<size_t>(models_->clusters());
  clusters_.Clear();
  selected_.Clear();
  clusters_.Reserve(reader, all);
  selected_.Reserve(reader, all + 1);
  for (size_t c = 0; c < all; ++c) clusters_.AppendReserved(static_cast<uint32_t>(c));
  for (size_t c = 0; c <= all; ++c) selected_.AppendReserved(0);
  const auto rank = [this](uint32_t c) { return RankFromBound(RankOf(static_cast<int>(c))); };
  const auto nearer = [&](uint32_t a, uint32_t b) { return rank(a) != rank(b) ? rank(a) < rank(b) : a < b; };
  for (int g = 0; g < models_->count(); ++g)
    std::sort(clusters_.data() + models_->StartOf(g), clusters_.data() + models_->StartOf(g + 1), nearer);
}

double ClusterScan::RankOf(int place) const {
  const int g = models_->GenerationAt(place);
  return queries_[g].ClusterRank(place - models_->StartOf(g));
}

// How many of a generation's clusters will have been looked at after the next choice.
int ClusterScan::EndOfNext(int generation) const {
  const int all = models_->model(generation).clusters(), done = looked_at_[generation];
  const double newest = models_->model(models_->newest()).clusters();
  uint32_t probes = options_.probes_of[generation];
  if (probes == 0) probes = static_cast<uint32_t>(std::ceil(options_.probes * (all / newest)));
  int end = static_cast<int>(
      std::min<uint64_t>(static_cast<uint64_t>(all), static_cast<uint64_t>(done) + std::max({probes, static_cast<uint32_t>(done), 1u})));
  if (done > 0 || options_.epsilon < 0) return end;
  const uint32_t* in_order = clusters_.data() + models_->StartOf(generation);
  const double nearest = RankOf(static_cast<int>(in_order[0]));
  while (end < all && RankOf(static_cast<int>(in_order[end])) <= nearest + options_.epsilon * std::fabs(nearest)) ++end;
  return end;
}

// Which clusters are looked at next. False: there are none left.
bool ClusterScan::ChooseClusters(PageReader& reader) {
  if (choices_ == 0 && approximate()) ListClusters(reader);
  int end[kMaxGenerations];
  int chosen = 0;
  for (int g = 0; g < models_->count(); ++g) {
    end[g] = approximate() ? EndOfNext(g) : models_->model(g).clusters();
    chosen += end[g] - looked_at_[g];
  }
  if (chosen == 0) return false;
  ++choices_;
  all_ = chosen == models_->clusters();
  if (!all_) Select(end);
  std::copy_n(end, models_->count(), looked_at_);
  cluster_work_.clusters += static_cast<uint64_t>(chosen);
  return true;
}

void ClusterScan::Select(const int* end) {
  std::fill_n(selected_.data(), selected_.size(), 0);
  for (int g = 0; g < models_->count(); ++g)
    for (int i = looked_at_[g]; i < end[g]; ++i) selected_[clusters_[static_cast<size_t>(models_->StartOf(g) + i)] + 1] = 1;
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

// Those nodes whose clusters are looked at. The numbers may be anything.
int ClusterScan::KeepSelected(const NodeView& node, int count) {
  if (all_) return count;
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    const Clusters of = ClustersOf(node, slots_[i]);
    slots_[kept] = slots_[i];
    const bool selected = of.begin < of.end && selected_[static_cast<size_t>(of.end)] > selected_[static_cast<size_t>(of.begin)];
    kept += selected || (of.unknown && choices_ == 1);
  }
  return kept;
}

// The clusters of an entry, whatever its bytes are.
ClusterScan::Clusters ClusterScan::ClustersOf(const NodeView& node, int slot) const {
  Ordinal lo[kVectorDimensionsInTree], hi[kVectorDimensionsInTree];
  node.LoadEdges(slot, layout_->first_dimension[column_], kVectorDimensionsInTree, lo, hi);
  const Ordinal first = lo[kClusterDimension], last = hi[kClusterDimension];
  const int begin = models_->Before(first), end = last < first ? begin : models_->Before(last + 1);
  const auto distance = [](Ordinal ordinal) { return double{FloatFromOrdinal(static_cast<int32_t>(ordinal))}; };
  return {begin, end, last - first >= end - begin, distance(lo[kCentroidDistanceDimension]), distance(hi[kCentroidDistanceDimension])};
}

double ClusterScan::BoundOfCluster(int place, double near, double far) const {
  const int g = models_->GenerationAt(place);
  return queries_[g].ClusterBound(place - models_->StartOf(g), near, far);
}

// Below what it is for each entry of the node, however that is rounded: so rows come in order, and a later pass finds what an earlier one dropped.
double ClusterScan::BoundOfNode(const Clusters& of) const {
  constexpr double kMargin = 1e-12;
  if (of.unknown || of.end <= of.begin || of.end - of.begin > kManyClusters) return -kInfinity;
  double bound = kInfinity;
  for (int place = of.begin; place < of.end; ++place) {
    const double one = BoundOfCluster(place, of.near, of.far);
    bound = std::isnan(one) ? -kInfinity : std::min(bound, one);
  }
  if (std::isinf(bound)) return bound;
  return bound - kMargin * (queries_[0].metric() == VectorMetric::kCosine ? 1 : std::fabs(bound));
}

int ClusterScan::PlaceOfCluster(Ordinal cluster) const {
  const int g = models_->GenerationOf(cluster);
  return g < 0 ? kUnknown : models_->StartOf(g) + static_cast<int>(cluster - models_->first_cluster(g));
}

// Is the cluster at this place looked at? Those that are unknown belong to the first choice.
bool ClusterScan::IsSelected(int place) const {
  if (all_) return true;
  if (place == kUnknown) return choices_ == 1;
  return selected_[static_cast<size_t>(place) + 1] > selected_[static_cast<size_t>(place)];
}

// Of those entries whose clusters are looked at; into code_ and what is beside it. Returns how many there are. Neighbours mostly have one cluster.
int ClusterScan::CollectCodes(PageReader& reader, const NodeView& leaf, int count) {
  const size_t bytes = VectorCodeBytes(models_->model(0).dimensions());
  const int first = layout_->first_dimension[column_];
  const NodeView::Array clusters = leaf.LowerEdges(first + kClusterDimension),
                        distances = leaf.LowerEdges(first + kCentroidDistanceDimension);
  const NodeView::Array offsets = leaf.PayloadOffsets();
  const int cluster_width = layout_->dimension[first + kClusterDimension].width;
  const int distance_width = layout_->dimension[first + kCentroidDistanceDimension].width;
  const bool killed = options_.ignore_killed && leaf.AnyKilled();
  bool known = false, selected = false;
  Ordinal cluster = 0;
  int place = kUnknown;
  int codes = 0;
  for (int i = 0; i < count; ++i) {
    const int slot = slots_[i];
    const Ordinal of = LoadOrdinal(clusters.At(slot), cluster_width);
    if (!known || of != cluster) {
      known = true;
      cluster = of;
      place = PlaceOfCluster(of);
      selected = IsSelected(place);
    }
    if (!selected || (killed && leaf.Killed(slot))) continue;
    uint16_t length;
    const uint8_t* code = leaf.Payload(offsets.At(slot), &length);
    if (code == nullptr || length < bytes) {
      if (!reader.Doubtful()) reader.Corrupt(visiting_, "an entry has no code of its vector");
      continue;
    }
    code_slot_[codes] = static_cast<uint16_t>(slot);
    code_place_[codes] = place;
    code_distance_[codes] = FloatFromOrdinal(static_cast<int32_t>(LoadOrdinal(distances.At(slot), distance_width)));
    code_[codes++] = code;
  }
  return codes;
}

// The greater bound of two: by the code and by the distance from the centroid. Those of one generation at once. A code whose generation is not known
// says nothing.
void ClusterScan::BoundCodes(int count) {
  const auto generation = [this](int place) { return place == kUnknown ? -1 : models_->GenerationAt(place); };
  for (int from = 0, to; from < count; from = to) {
    const int g = generation(code_place_[from]);
    for (to = from + 1; to < count && (code_place_[to] == code_place_[from] || generation(code_place_[to]) == g);) ++to;
    if (g < 0) {
      std::fill(bound_ + from, bound_ + to, -kInfinity);
      continue;
    }
    const VectorQuery& query = queries_[g];
    const int start = models_->StartOf(g);
    query.LowerBounds(code_ + from, to - from, bound_ + from);
    for (int i = from; i < to; ++i) {
      const double distance = code_distance_[i];
      const double by_centroid = query.ClusterBound(code_place_[i] - start, distance, distance);
      if (by_centroid > bound_[i]) bound_[i] = by_centroid;
    }
  }
}

void ClusterScan::CollectRows(PageReader& reader, const NodeView& leaf) {
  const int codes = CollectCodes(reader, leaf, filter_.Run(leaf, slots_));
  BoundCodes(codes);
  codes_ += static_cast<uint64_t>(codes);
  found_.Reserve(reader, found_.size() + static_cast<size_t>(codes));
  const bool all = filter_.recheck(), some = !all && filter_.recheck_some();
  for (int i = 0; i < codes; ++i) {
    const DistanceRank rank = RankFromBound(bound_[i]);
    if (rank > limit_ || rank > cut_.rank) continue;
    const bool recheck = all || (some && filter_.MustRecheck(leaf, code_slot_[i]));
    const Waiting row{rank, leaf.Tuple(code_slot_[i]).Packed() << 1 | (recheck ? kRecheckBit : 0)};
    if (!(row < floor_) && row < cut_) found_.AppendReserved(row);
  }
}

}  // namespace xtree
