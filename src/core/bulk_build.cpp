// Top-down construction of a tree over records in memory.
#include "core/bulk_build.h"

#include <algorithm>

namespace xtree {

namespace {

// Dimensions tried for halves of little overlap before a directory range is given up as one supernode.
constexpr size_t kMaxDimensionsTried = 8;

}  // namespace

TreeBuilder::TreeBuilder(const KeyLayout& layout, const BulkOptions& options, int max_supernode_pages, int base_level,
                         NodeWriter& writer, MemoryBudget& budget)
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
  const double payload = record_.payload() ? static_cast<double>(memory.payload_bytes()) / rows + 0.5 : 0;  // padded to 2 bytes
  base_capacity_ = base_level_ == 0 ? writer_->LeafCapacity(payload) : writer_->DirectoryCapacity();
  stack_size_ = 0;
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

void TreeBuilder::BuildNodes(RecordMemory& memory, const ColumnScales& scales, const SplitHistory& history, RecordStore* output) {
  Records records = memory.Order();
  Start(memory, &records);
  output_ = output;
  scales_ = scales;
  const uint64_t units = Units(records.size());
  Nodes({0, records.size(), units}, units, 0, history, true);
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
  while (height > 0) {
    const uint64_t nodes = NodesFor(all.units, height - 1);
    if (!MayRefuse(all, height - 1) || Divide(all, Halve(all, nodes), height - 1, true) != kRefused) break;
    height--;
  }
  return height;
}

TreeBuilder::Halves TreeBuilder::Halve(const Range& range, uint64_t nodes) const {
  Halves halves;
  halves.first_nodes = nodes / 2;
  const uint64_t units = (range.units * halves.first_nodes + nodes / 2) / nodes;
  const size_t middle = range.begin + static_cast<size_t>((static_cast<unsigned __int128>(range.size()) * units + range.units / 2) /
                                                          range.units);
  halves.first = {range.begin, middle, units};
  halves.second = {middle, range.end, range.units - units};
  return halves;
}

// Can the X-tree's rule apply: directory nodes whose boxes may overlap, and few enough of them?
bool TreeBuilder::MayRefuse(const Range& range, int height) const {
  if (base_level_ + height == 0 || record_.point_like()) return false;
  return writer_->SupernodePages(Children(range, height)) <= max_supernode_pages_;
}

double TreeBuilder::OverlapOf(const Halves& halves, int dimension) {
  records_->Select(halves.first.begin, halves.first.end, halves.second.end, dimension);
  Box first, second;
  BoundsOf(*records_, halves.first.begin, halves.first.end, &first);
  BoundsOf(*records_, halves.second.begin, halves.second.end, &second);
  return OverlapRatio(*layout_, first, second);
}

// Orders the records of the range into its halves. The dimension along which that was done, or kRefused.
int TreeBuilder::Divide(const Range& range, const Halves& halves, int height, bool may_refuse) {
  const std::vector<int>& ranked = partitioner_.Rank(*records_, range.begin, range.end, scales_);
  int best = ranked[0];
  if (base_level_ + height > 0 && !record_.point_like()) {
    double least = 2;
    for (size_t i = 0; i < std::min(ranked.size(), kMaxDimensionsTried); i++) {
      const double overlap = OverlapOf(halves, ranked[i]);
      if (overlap <= options_.tree.max_overlap) return ranked[i];
      if (overlap < least) {
        least = overlap;
        best = ranked[i];
      }
    }
    if (may_refuse && MayRefuse(range, height)) return kRefused;
  }
  records_->Select(range.begin, halves.first.end, range.end, best);
  return best;
}

// Divides the range into `nodes` nodes, or fewer where they become a supernode.
void TreeBuilder::Nodes(const Range& range, uint64_t nodes, int height, const SplitHistory& history, bool may_refuse) {
  if (nodes <= 1) return Node(range, height, history, kInvalidBlock, false);
  const Halves halves = Halve(range, nodes);
  const int dimension = Divide(range, halves, height, may_refuse);
  if (dimension == kRefused) return Node(range, height, history, kInvalidBlock, true);
  SplitHistory divided = history;
  divided.Add(dimension);
  Nodes(halves.first, halves.first_nodes, height, divided, true);
  Nodes(halves.second, nodes - halves.first_nodes, height, divided, true);
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
  if (writer_->WriteLeaf(*records_, range.begin, range.end, payloads_, kInvalidBlock, &node)) return PushNode(node, history);
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
  if (block != kRootBlock) PushNode(node, history);
}

// The same where leaves were divided once more (see Leaf), so that there are too many entries for a page: several nodes.
void TreeBuilder::Pieces(size_t first, int level, const SplitHistory& history, BlockNumber block, size_t limit) {
  const size_t count = stack_size_ - first;
  const size_t pieces = (count + limit - 1) / limit;
  WrittenNode node;
  for (size_t p = 0; p < pieces; p++) {
    const size_t begin = first + count * p / pieces, end = first + count * (p + 1) / pieces;
    SplitHistory common = entry_.History(Entry(begin));
    for (size_t i = begin; i < end; i++) common = common & entry_.History(Entry(i));
    writer_->WriteDirectory(entry_, Entry(begin), end - begin, level, kInvalidBlock, &node);
    SetEntry(node, history | common, stack_.data() + (first + p) * entry_.stride());  // never beyond what has been written
  }
  stack_size_ = first + pieces;
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
void TreeBuilder::PushNode(const WrittenNode& node, const SplitHistory& history) {
  uint8_t* entry = Push();
  SetEntry(node, history, entry);
  if (output_ == nullptr) return;
  stack_size_--;
  output_->Append(entry, nullptr, 0);
}

}  // namespace xtree
