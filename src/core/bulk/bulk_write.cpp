// Pages of a bulk load.
#include "core/bulk/bulk_write.h"

#include <algorithm>

#include "core/bulk/bulk_partition.h"
#include "core/estimate/crowding.h"

namespace xtree {

namespace {

constexpr size_t kPageRoom = kSpecialOffset - kPageHeaderSize;
constexpr size_t kOverlapPairs = 16;  // looked at per node

size_t Filled(size_t entries, int fillfactor) { return entries * static_cast<size_t>(fillfactor) / 100; }

// One array of every block, from the field at `offset` of each row.
template <typename T>
void FillArray(std::span<const uint8_t* const> rows, uint32_t offset, const BlockLayout& block, uint16_t array, uint8_t* first) {
  for (size_t begin = 0; begin < rows.size(); begin += block.capacity, first += block.bytes) {
    const size_t count = std::min<size_t>(block.capacity, rows.size() - begin);
    T* to = reinterpret_cast<T*>(first + array);
    for (size_t i = 0; i < count; i++) to[i] = RecordFormat::Load<T>(rows[begin + i] + offset);
  }
}

}  // namespace

NodeWriter::NodeWriter(const KeyLayout& layout, const BulkOptions& options, PageSink& sink, BulkEnvironment& environment)
    : layout_(&layout), options_(options), sink_(&sink), environment_(&environment), leaf_sample_(layout) {}

size_t NodeWriter::LeafCapacity(double payload) const {
  const BlockLayout& block = layout_->Block(true, marks_);
  size_t most = block.max_entries;
  if (payload > 0) {
    const double room = static_cast<double>(kPageRoom - KillBytes(block.max_entries));
    const auto bytes = [&](size_t n) {
      return static_cast<double>((n + block.capacity - 1) / block.capacity * block.bytes) + static_cast<double>(n) * payload;
    };
    while (most > 1 && bytes(most) > room) most--;
  }
  const size_t unmarked = layout_->Block(true, false).max_entries;
  const size_t planned = payload > 0 ? Filled(most, options_.fillfactor) : std::min(Filled(unmarked, options_.fillfactor), most);
  return std::max<size_t>(planned, 1);
}

size_t NodeWriter::DirectoryCapacity() const {
  return std::max<size_t>(std::min(Filled(PageLimit(false), options_.fillfactor), PageLimit(marks_)), 2);
}

// Every page of a supernode carries marks, so that none lacks room for them later.
size_t NodeWriter::FollowerCapacity() const { return std::min(DirectoryCapacity(), PageLimit(true)); }

// Entries beside the list of followers on the first page of a supernode.
size_t NodeWriter::HeadRoom(int pages) const {
  const BlockLayout& block = layout_->Block(false, true);
  const size_t room = kPageRoom - (pages - 1) * sizeof(BlockNumber);
  return std::min(room / block.bytes * block.capacity, FollowerCapacity());
}

int NodeWriter::SupernodePages(size_t entries) const {
  const size_t capacity = FollowerCapacity();
  if (entries > capacity * kMaxSupernodePages) return kMaxSupernodePages + 1;
  int pages = static_cast<int>((entries + capacity - 1) / capacity);
  while (pages <= kMaxSupernodePages && HeadRoom(pages) + (pages - 1) * capacity < entries) pages++;
  return pages;
}

bool NodeWriter::WriteLeaf(const Records& rows, size_t begin, size_t end, const uint8_t* payloads, BlockNumber block, WrittenNode* node) {
  NodeEditor page(*layout_, image_.bytes);
  page.Initialize(0, kNodeLeaf);
  if (!(rows.marks() || rows.format().payload() ? AppendRows(rows, begin, end, payloads, &page) : FillRows(rows, begin, end, &page)))
    return false;
  page.view().Bounds(&node->bounds);
  node->block = block == kInvalidBlock ? sink_->Reserve(1) : block;
  Emit(node->block);
  CountNode(0, end - begin, 1);
  if (end > begin) leaf_sample_.Offer(page.view());
  return true;
}

bool NodeWriter::AppendRows(const Records& rows, size_t begin, size_t end, const uint8_t* payloads, NodeEditor* page) {
  const RecordFormat& format = rows.format();
  Box box;
  for (size_t i = begin; i < end; i++) {
    const uint8_t* record = rows[i];
    const uint8_t* payload = format.payload() ? payloads + format.Payload(record) : nullptr;
    const uint16_t length = payload != nullptr ? RecordFormat::Load<uint16_t>(payload) : 0;
    format.GetBox(record, &box);
    if (!page->view().HasRoom(box.marks != 0, length)) return false;
    page->AppendTuple(box, format.Tuple(record), payload != nullptr ? payload + sizeof length : nullptr, length);
  }
  return true;
}

// The same for rows without marks and payload, array by array.
bool NodeWriter::FillRows(const Records& rows, size_t begin, size_t end, NodeEditor* page) {
  const RecordFormat& format = rows.format();
  const BlockLayout& block = layout_->Block(true, false);
  if (end - begin > block.max_entries) return false;
  const uint8_t* row[kMaxEntriesPerPage];
  for (size_t i = begin; i < end; i++) row[i - begin] = rows[i];
  const std::span<const uint8_t* const> all(row, end - begin);
  uint8_t* first = image_.bytes + kPageHeaderSize;
  for (int d = 0; d < format.dimensions(); d++) {
    const RecordAxis& from = format.axis(d);
    const DimensionLayout& to = layout_->dimension[d];
    const auto fill = to.width == 8 ? FillArray<int64_t> : FillArray<int32_t>;
    fill(all, from.lo, block, to.lo[0], first);
    if (to.extended) fill(all, from.hi, block, to.hi[0], first);
  }
  FillArray<TupleId>(all, format.tuple_offset(), block, block.reference, first);
  const size_t blocks = (all.size() + block.capacity - 1) / block.capacity;
  reinterpret_cast<PageHeader*>(image_.bytes)->lower = static_cast<uint16_t>(kPageHeaderSize + blocks * block.bytes);
  page->opaque().entries = static_cast<uint16_t>(all.size());
  return true;
}

void NodeWriter::WriteDirectory(const RecordFormat& format, const uint8_t* entries, size_t count, int level, BlockNumber block,
                                WrittenNode* node) {
  bool marks = false;
  for (size_t i = 0; i < count; i++) marks |= format.Marks(entries + i * format.stride()) != 0;
  SampleOverlap(format, entries, count, level - 1);
  MeasureCrowding(format, entries, count, level);
  MakeEmpty(*layout_, &node->bounds);
  node->block = block;
  if (count > PageLimit(marks)) return WriteSupernode(format, entries, count, level, node);
  NodeEditor page(*layout_, image_.bytes);
  page.Initialize(level, 0);
  Append(format, entries, count, &page, &node->bounds);
  if (block == kInvalidBlock) node->block = sink_->Reserve(1);
  Emit(node->block);
  CountNode(level, count, 1);
}

// Followers of the root get blocks of their own like any other's, and are written before it.
void NodeWriter::WriteSupernode(const RecordFormat& format, const uint8_t* entries, size_t count, int level, WrittenNode* node) {
  const int pages = SupernodePages(count);
  const bool root = node->block == kRootBlock;
  BlockNumber follower[kMaxSupernodePages];
  const BlockNumber first = sink_->Reserve(root ? pages - 1 : pages);
  if (!root) node->block = first;
  for (int p = 1; p < pages; p++) follower[p - 1] = first + static_cast<BlockNumber>(root ? p - 1 : p);

  const size_t in_head = std::min(HeadRoom(pages), (count + pages - 1) / pages);
  PageImage head;
  NodeEditor head_page(*layout_, head.bytes);
  head_page.Initialize(level, kNodeHasMarks);
  head_page.SetFollowers(follower, pages - 1);
  Append(format, entries, in_head, &head_page, &node->bounds);
  if (!root) sink_->Write(node->block, head);

  size_t done = in_head;
  for (int p = 1; p < pages; p++) {
    const size_t share = (count - done) / (pages - p) + ((count - done) % (pages - p) != 0);
    NodeEditor page(*layout_, image_.bytes);
    page.Initialize(level, kNodeSupernodeFollower | kNodeHasMarks);
    page.opaque().link = node->block;
    Append(format, entries + done * format.stride(), share, &page, &node->bounds);
    Emit(follower[p - 1]);
    done += share;
  }
  if (root) sink_->Write(node->block, head);
  CountNode(level, count, pages);
}

void NodeWriter::Append(const RecordFormat& format, const uint8_t* entries, size_t count, NodeEditor* page, Box* bounds) {
  Box box;
  for (size_t i = 0; i < count; i++) {
    const uint8_t* entry = entries + i * format.stride();
    format.GetBox(entry, &box);
    page->AppendChild(box, format.Child(entry), format.History(entry));
    Extend(*layout_, box, bounds);
  }
}

void NodeWriter::Emit(BlockNumber block) {
  environment_->CheckInterrupts();
  sink_->Write(block, image_);
}

void NodeWriter::CountNode(int level, size_t entries, int pages) {
  LevelStatistics& statistics = level_[level];
  statistics.entries += entries;
  statistics.nodes++;
  statistics.pages += pages;
  if (level == 0) environment_->Progress(BulkPhase::kBuild, statistics.entries, rows_);
  statistics.supernodes += pages > 1;
}

void NodeWriter::MeasureCrowding(const RecordFormat& format, const uint8_t* entries, size_t count, int level) {
  crowding_[level] += CrowdingOfNode(*layout_, count, [&](auto&& visit) {
    Box box;
    for (size_t i = 0; i < count; i++) {
      format.GetBox(entries + i * format.stride(), &box);
      visit(i, box);
    }
  });
}

// All pairs of a small node, random ones of a large node.
void NodeWriter::SampleOverlap(const RecordFormat& format, const uint8_t* entries, size_t count, int level) {
  if (count < 2) return;
  const bool all = count * (count - 1) / 2 <= kOverlapPairs;
  Box a, b;
  const auto look = [&](size_t i, size_t j) {
    format.GetBox(entries + i * format.stride(), &a);
    format.GetBox(entries + j * format.stride(), &b);
    overlap_[level] += OverlapRatio(*layout_, a, b);
    pairs_[level]++;
  };
  if (all) {
    for (size_t i = 0; i < count; i++)
      for (size_t j = i + 1; j < count; j++) look(i, j);
    return;
  }
  for (size_t pair = 0; pair < kOverlapPairs; pair++) {
    const size_t i = random_.Below(count);
    const size_t j = random_.Below(count - 1);
    look(i, j + (j >= i));
  }
}

BulkStatistics NodeWriter::Statistics() const {
  BulkStatistics statistics{};
  for (int l = 0; l < kMaxLevel; l++) {
    statistics.level[l] = level_[l];
    if (pairs_[l] > 0) statistics.level[l].overlap = static_cast<float>(overlap_[l] / static_cast<double>(pairs_[l]));
    if (level_[l].nodes > 0) statistics.crowding[l] = static_cast<float>(crowding_[l] / level_[l].nodes);
    if (level_[l].nodes > 0) statistics.levels = l + 1;
  }
  return statistics;
}

}  // namespace xtree
