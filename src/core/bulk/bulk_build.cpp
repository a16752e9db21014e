// Top-down construction of a tree over records in memory.
#include "core/bulk/bulk_build.h"

#include <algorithm>

namespace xtree {

namespace {

// Dimensions tried for halves of little overlap before a directory range is given up as one supernode.
constexpr size_t kMaxDimensionsTried = 8;

// A cut is moved out of equal keys where this many nodes of the base level remain on each side: then they can be filled
// well.
constexpr size_t kUnitsBesideTies = 8;

}  // namespace

TreeBuilder::TreeBuilder(const KeyLayout& layout, const BulkOptions& options, int max_supernode_pages, int base_level, NodeWriter& writer,
                         MemoryBudget& budget)
    : layout_(&layout),
      options_(options),
      max_supernode_pages_(max_supernode_pages),
      base_level_(base_level),
      writer_(&writer),
      record_(layout, base_level == 0),
      entry_(layout, false),
      stack_(budget),
      partitioner_(record_) {}

void TreeBuilder::Start(RecordMemory& memory, Records* records) {
  records_ = records;
  payloads_ = memory.payloads();
  const double rows = static_cast<double>(std::max<size_t>(memory.size(), 1));
  base_capacity_ = BaseCapacity(static_cast<double>(memory.payload_bytes()) / rows);
  base_limit_ = record_.payload() ? base_capacity_ : layout_->Block(base_level_ == 0, records->marks()).max_entries;
  stack_size_ = 0;
}

size_t TreeBuilder::BaseCapacity(double payload) const {
  if (base_level_ > 0) return writer_->DirectoryCapacity();
  return writer_->LeafCapacity(record_.payload() ? payload + 0.5 : 0);  // padded to 2 bytes
}

void TreeBuilder::BuildRoot(RecordMemory& memory) {
  Records records = memory.Order();
  Start(memory, &records);
  output_ = nullptr;
  Range all{0, records.size(), Units(records.size())};
  if (base_level_ == 0 && all.units <= 1) {
    WrittenNode root;
    if (writer_->WriteLeaf(records, 0, records.size(), payloads_, kRootBlock, &root)) return;
    all.units = 2;
  }
  scales_ = partitioner_.MeasureScales(records);
  const int height = RootHeight(all);
  Node(all, height, SplitHistory{}, kRootBlock, NodesFor(all.units, height) > 1);
}

int TreeBuilder::SubtreeHeight(double records, double fewest_records, double payload) const {
  constexpr double kNodes = 2;  // rounding up costs the third part of the fill at most
  const auto capacity = static_cast<double>(BaseCapacity(payload));
  int height = 0;
  while (records / capacity >= kNodes * static_cast<double>(UnitsPerNode(height + 1)) &&
         fewest_records / capacity > static_cast<double>(UnitsPerNode(height)))
    height++;
  return height;
}

void TreeBuilder::BuildSubtrees(RecordMemory& memory, int height, const ColumnScales& scales, const SplitHistory& history,
                                RecordStore* output) {
  Records records = memory.Order();
  Start(memory, &records);
  output_ = output;
  output_level_ = base_level_ + height;
  scales_ = scales;
  const uint64_t units = Units(records.size());
  Nodes({0, records.size(), units}, NodesFor(units, height), height, history, true);
}

// Base nodes below one node `height` levels above the base.
uint64_t TreeBuilder::UnitsPerNode(int height) const {
  uint64_t units = 1;
  for (int h = 0; h < height && units < UINT32_MAX; h++) units *= writer_->DirectoryCapacity();
  return units;
}

uint64_t TreeBuilder::NodesFor(uint64_t units, int height) const {
  const uint64_t capacity = UnitsPerNode(height);
  return (units + capacity - 1) / capacity;
}

// Entries of one directory node over the whole range.
uint64_t TreeBuilder::Children(const Range& range, int height) const {
  return height == 0 ? range.size() : NodesFor(range.units, height - 1);
}

// The least height that holds everything, less where the whole range is one supernode.
int TreeBuilder::RootHeight(const Range& all) {
  int height = 0;
  while (NodesFor(all.units, height) > 1) height++;
  while (height > 0 && MayRefuse(all, height - 1) && !Divide(all, NodesFor(all.units, height - 1), height - 1, true)) height--;
  return height;
}

// Divides the units, and so the records, as evenly as whole nodes allow.
TreeBuilder::Division TreeBuilder::Halve(const Range& range, uint64_t nodes) const {
  Division division{};
  division.first_nodes = nodes / 2;
  division.second_nodes = nodes - division.first_nodes;
  const uint64_t units = (range.units * division.first_nodes + nodes / 2) / nodes;
  const auto records = static_cast<unsigned __int128>(range.size()) * units + range.units / 2;
  const size_t middle = range.begin + static_cast<size_t>(records / range.units);
  division.first = {range.begin, middle, units};
  division.second = {middle, range.end, range.units - units};
  return division;
}

// Moves the cut to another record. Nodes and leaves may then be somewhat fuller or emptier than planned.
void TreeBuilder::MoveCut(const Range& range, size_t middle, int height, Division* division) const {
  const uint64_t nodes = division->first_nodes + division->second_nodes;
  const auto share = static_cast<double>(middle - range.begin) / static_cast<double>(range.size());
  const auto wanted = [](uint64_t of, double part) { return static_cast<uint64_t>(std::llround(static_cast<double>(of) * part)); };
  const auto fewest = [](uint64_t what, uint64_t per) { return std::max<uint64_t>((what + per - 1) / per, 1); };
  division->first = {range.begin, middle, 0};
  division->second = {middle, range.end, 0};
  Range& first = division->first;
  Range& second = division->second;
  first.units = std::max(wanted(range.units, share), fewest(first.size(), base_limit_));
  second.units = std::max(range.units - std::min(range.units, first.units), fewest(second.size(), base_limit_));
  const uint64_t limit = height == 0 ? 1 : UnitsPerNode(height - 1) * writer_->PageLimit(records_->marks());
  division->first_nodes = std::max(wanted(nodes, share), fewest(first.units, limit));
  division->second_nodes = std::max(nodes - std::min(nodes, division->first_nodes), fewest(second.units, limit));
}

// Orders the records of the range into two halves along an axis. A cut among equal keys moves to their first or last
// where the smaller half stays large enough; else `in_ties` is set.
TreeBuilder::Division TreeBuilder::Cut(const Range& range, uint64_t nodes, int height, int axis) {
  Division division = Halve(range, nodes);
  division.dimension = record_.axis(axis).dimension;
  const size_t middle = division.first.end;
  records_->Select(range.begin, middle, range.end, axis);
  if (range.units < 2 * kUnitsBesideTies || middle == range.end) return division;
  const Ties ties = FindTies(range, middle, axis);
  if (ties.begin == middle) return division;
  size_t nearest = 0;
  for (const size_t at : {ties.begin, ties.end})
    if (MayCutAt(range, at, height) && (nearest == 0 || at - middle < middle - nearest)) nearest = at;
  division.in_ties = nearest == 0;
  if (division.in_ties) return division;
  records_->Select(range.begin, nearest, range.end, axis);
  MoveCut(range, nearest, height, &division);
  return division;
}

bool TreeBuilder::MayCutAt(const Range& range, size_t at, int height) const {
  const size_t smaller = std::min(at - range.begin, range.end - at);
  const double share = base_level_ + height > 0 ? options_.tree.min_fanout : 0;
  return smaller >= kUnitsBesideTies * base_capacity_ && static_cast<double>(smaller) >= share * static_cast<double>(range.size());
}

// Where the records with the key of `at` would lie if the range were in order. Looks at all of them only when a sample
// has some.
TreeBuilder::Ties TreeBuilder::FindTies(const Range& range, size_t at, int axis) {
  constexpr int kSample = 64;
  const int64_t key = record_.Key((*records_)[at], axis);
  int seen = 0;
  for (int i = 0; i < kSample; i++) seen += record_.Key((*records_)[range.begin + random_.Below(range.size())], axis) == key;
  if (seen < 2) return {at, at};
  Ties ties{range.begin, range.begin};
  for (size_t i = range.begin; i < range.end; i++) {
    const int64_t other = record_.Key((*records_)[i], axis);
    ties.begin += other < key;
    ties.end += other <= key;
  }
  return ties;
}

// Can the X-tree's rule apply: directory nodes whose boxes may overlap, and few enough of them?
bool TreeBuilder::MayRefuse(const Range& range, int height) const {
  if (base_level_ + height == 0 || record_.point_like()) return false;
  return writer_->SupernodePages(Children(range, height)) <= max_supernode_pages_;
}

double TreeBuilder::OverlapOf(const Division& division) const {
  if (AreApart(*records_, division.first.begin, division.second.begin, division.second.end, division.dimension)) return 0;
  Box first, second;
  BoundsOf(*records_, division.first.begin, division.first.end, &first);
  BoundsOf(*records_, division.second.begin, division.second.end, &second);
  return OverlapRatio(*layout_, first, second);
}

// Orders the records of the range into two halves. Nothing when they are to be one supernode.
std::optional<TreeBuilder::Division> TreeBuilder::Divide(const Range& range, uint64_t nodes, int height, bool may_refuse) {
  const bool leaves = base_level_ + height == 0;
  const std::vector<int>& ranked = partitioner_.Rank(*records_, range.begin, range.end, scales_, leaves);
  if (!leaves && !record_.point_like()) return DivideDirectory(range, nodes, height, ranked, may_refuse);
  const Division first = Cut(range, nodes, height, ranked[0]);
  if (!first.in_ties) return first;
  for (size_t i = 1; i < ranked.size(); i++) {
    if (partitioner_.spread(ranked[i]) < partitioner_.spread(first.dimension) / 4) continue;
    const Division other = Cut(range, nodes, height, ranked[i]);
    if (!other.in_ties) return other;
  }
  return Cut(range, nodes, height, ranked[0]);
}

// The X-tree's rule. A supernode is formed only while the division would save less than a page of it: a query that
// meets the range at a point reads all of its pages, or (1 + overlap) / 2 of them when divided.
std::optional<TreeBuilder::Division> TreeBuilder::DivideDirectory(const Range& range, uint64_t nodes, int height,
                                                                  const std::vector<int>& ranked, bool may_refuse) {
  double least = 2;
  int best = ranked[0];
  for (size_t i = 0; i < std::min(ranked.size(), kMaxDimensionsTried); i++) {
    const Division division = Cut(range, nodes, height, ranked[i]);
    const double overlap = OverlapOf(division);
    if (overlap <= options_.tree.max_overlap) return division;
    if (overlap >= least) continue;
    least = overlap;
    best = ranked[i];
  }
  const double saved = static_cast<double>(writer_->SupernodePages(Children(range, height))) * (1 - least) / 2;
  if (may_refuse && saved <= 1 && MayRefuse(range, height)) return std::nullopt;
  return Cut(range, nodes, height, best);
}

// Divides the range into `nodes` nodes, or fewer where they become a supernode.
void TreeBuilder::Nodes(const Range& range, uint64_t nodes, int height, const SplitHistory& history, bool may_refuse) {
  if (nodes <= 1) return Node(range, height, history, kInvalidBlock, false);
  const std::optional<Division> division = Divide(range, nodes, height, may_refuse);
  if (!division) return Node(range, height, history, kInvalidBlock, true);
  SplitHistory divided = history;
  divided.Add(division->dimension);
  Nodes(division->first, division->first_nodes, height, divided, true);
  Nodes(division->second, division->second_nodes, height, divided, true);
}

// One node over the whole range.
void TreeBuilder::Node(const Range& range, int height, const SplitHistory& history, BlockNumber block, bool supernode) {
  if (base_level_ + height == 0) return Leaf(range, history);
  const size_t first = stack_size_;
  if (height == 0) {
    for (size_t i = range.begin; i < range.end; i++) memcpy(Push(), (*records_)[i], entry_.stride());
  } else {  // a node with one child would be of no use, so the range is divided at least once
    Nodes(range, NodesFor(range.units, height - 1), height - 1, SplitHistory{}, false);
  }
  Directory(first, base_level_ + height, history, block, supernode);
}

// Rows whose payloads do not fit one page, the larger ones having come together, are divided once more.
void TreeBuilder::Leaf(const Range& range, const SplitHistory& history) {
  WrittenNode node;
  if (writer_->WriteLeaf(*records_, range.begin, range.end, payloads_, kInvalidBlock, &node)) return PushNode(node, 0, history);
  Nodes({range.begin, range.end, 2}, 2, 0, history, false);
}

// Makes a node of the entries on the stack from `first` on, and puts its downlink in their place.
void TreeBuilder::Directory(size_t first, int level, const SplitHistory& history, BlockNumber block, bool supernode) {
  const size_t count = stack_size_ - first;
  bool marks = false;
  for (size_t i = first; i < stack_size_; i++) marks |= entry_.Marks(Entry(i)) != 0;
  const size_t limit = writer_->PageLimit(marks);
  if (count > limit && !(supernode && writer_->SupernodePages(count) <= max_supernode_pages_))
    return Pieces(first, level, history, block, limit);
  WrittenNode node;
  writer_->WriteDirectory(entry_, Entry(first), count, level, block, &node);
  stack_size_ = first;
  if (block != kRootBlock) PushNode(node, level, history);
}

// The same where leaves were divided once more (see Leaf), so that there are too many entries for a page: several
// nodes.
void TreeBuilder::Pieces(size_t first, int level, const SplitHistory& history, BlockNumber block, size_t limit) {
  const size_t count = stack_size_ - first;
  const size_t pieces = (count + limit - 1) / limit;
  WrittenNode node;
  size_t kept = 0;
  for (size_t p = 0; p < pieces; p++) {
    const size_t begin = first + count * p / pieces, end = first + count * (p + 1) / pieces;
    SplitHistory common = entry_.History(Entry(begin));
    for (size_t i = begin; i < end; i++) common = common & entry_.History(Entry(i));
    writer_->WriteDirectory(entry_, Entry(begin), end - begin, level, kInvalidBlock, &node);
    const size_t rest = stack_size_;
    stack_size_ = first + kept;  // never beyond what has been written
    PushNode(node, level, history | common);
    kept = stack_size_ - first;
    stack_size_ = rest;
  }
  stack_size_ = first + kept;
  if (block == kRootBlock) Directory(first, level + 1, SplitHistory{}, block, false);
}

uint8_t* TreeBuilder::Push() {
  stack_.Grow((stack_size_ + 1) * entry_.stride(), SIZE_MAX / 2);
  return stack_.data() + stack_size_++ * entry_.stride();
}

void TreeBuilder::SetEntry(const WrittenNode& node, const SplitHistory& history, uint8_t* entry) const {
  memset(entry, 0, entry_.stride());
  entry_.SetBox(node.bounds, entry);
  entry_.SetChild(node.block, history, entry);
}

// A finished downlink: of a node under construction, or for the next level's build.
void TreeBuilder::PushNode(const WrittenNode& node, int level, const SplitHistory& history) {
  uint8_t* entry = Push();
  SetEntry(node, history, entry);
  if (output_ == nullptr || level != output_level_) return;
  stack_size_--;
  output_->Append(entry, nullptr, 0);
}

}  // namespace xtree
