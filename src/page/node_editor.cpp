// NodeEditor: changes a private image of a node page. For writers, whose store locks the page and logs the image
// (PageStore::Commit).
//
// The log gets the bytes that changed outside of the hole, so a change touches as few as it can: entries stay where
// they are, gaps are filled from the end. Slots and payload bytes that are given up are zeroed, so equal contents make
// equal pages. Kill bits lie in the hole, which every logged change zeroes, so they are cleared here as well.
#include "page/node.h"

#include <algorithm>
#include <atomic>

namespace xtree {
namespace {

void StoreOrdinal(uint8_t* at, int width, Ordinal value) {
  if (width == 8) {
    memcpy(at, &value, sizeof(value));
  } else {
    const int32_t narrow = static_cast<int32_t>(value);
    memcpy(at, &narrow, sizeof(narrow));
  }
}

void StoreUnsigned(uint8_t* at, int width, uint64_t value) {
  const auto store = [at](auto narrow) { memcpy(at, &narrow, sizeof(narrow)); };
  switch (width) {
    case 1:
      return store(static_cast<uint8_t>(value));
    case 2:
      return store(static_cast<uint16_t>(value));
    case 4:
      return store(static_cast<uint32_t>(value));
    default:
      return store(value);
  }
}

// Calls f(offset of the array in a block, width of an element) for every array of the node's layout.
template <typename F>
void ForEachArray(const NodeView& node, F f) {
  const KeyLayout& layout = node.layout();
  const BlockLayout& block = node.block();
  const bool leaf = node.leaf();
  for (int d = 0; d < layout.dimensions; ++d) {
    const DimensionLayout& dimension = layout.dimension[d];
    f(dimension.lo[!leaf], dimension.width);
    if (dimension.hi[!leaf] != dimension.lo[!leaf]) f(dimension.hi[!leaf], dimension.width);
  }
  f(block.reference, static_cast<int>(leaf ? sizeof(TupleId) : sizeof(BlockNumber)));
  if (!leaf) f(block.history, layout.history_width);
  if (leaf && layout.include) f(block.payload, static_cast<int>(sizeof(uint16_t)));
  if (node.has_marks()) f(block.marks, layout.marks_width);
}

uint32_t BlocksFor(int entries, int capacity) { return static_cast<uint32_t>((entries + capacity - 1) / capacity); }

}  // namespace

void NodeEditor::Initialize(int level, uint8_t flags) {
  memset(page_ + offsetof(PageHeader, checksum), 0, kPageSize - offsetof(PageHeader, checksum));
  header().lower = kPageHeaderSize;
  header().upper = kSpecialOffset;
  header().special = kSpecialOffset;
  header().size_version = kPageSizeVersion;
  opaque().link = kInvalidBlock;
  opaque().level = static_cast<uint8_t>(level);
  opaque().flags = static_cast<uint8_t>(flags | (level == 0 ? kNodeLeaf : 0));
  opaque().dimensions = layout_->dimensions;
  opaque().block_bytes = view().block().bytes;
  opaque().block_capacity = view().block().capacity;
  opaque().page_id = kNodePageId;
}

// The slot of one more entry, all zero as the hole is.
int NodeEditor::AppendSlot(bool marks) {
  ClearKillBits();
  if (marks) AddMarks();
  const BlockLayout& block = view().block();
  const int entry = opaque().entries++;
  if (entry % block.capacity == 0) header().lower = static_cast<uint16_t>(header().lower + block.bytes);
  return entry;
}

void NodeEditor::AppendTuple(const Box& box, TupleId tuple, const uint8_t* payload, uint16_t payload_length) {
  const int entry = AppendSlot(box.marks != 0);
  StoreBox(entry, box);
  memcpy(At(entry, view().block().reference, sizeof(tuple)), &tuple, sizeof(tuple));
  if (!layout_->include) return;
  header().upper = static_cast<uint16_t>(header().upper - PayloadBytes(payload_length));
  const uint16_t offset = header().upper;
  memcpy(page_ + offset, &payload_length, sizeof(payload_length));
  if (payload_length > 0) memcpy(page_ + offset + sizeof(payload_length), payload, payload_length);
  memcpy(At(entry, view().block().payload, sizeof(offset)), &offset, sizeof(offset));
}

void NodeEditor::AppendChild(const Box& box, BlockNumber child, const SplitHistory& history) {
  const int entry = AppendSlot(box.marks != 0);
  StoreBox(entry, box);
  memcpy(At(entry, view().block().reference, sizeof(child)), &child, sizeof(child));
  SetHistory(entry, history);
}

int NodeEditor::SlotRanges(int first, int end, ByteRange* ranges) const {
  struct Array {
    uint16_t offset;
    uint16_t width;
  } array[kMaxSlotRanges];
  int arrays = 0;
  const NodeView node(*layout_, page_);
  ForEachArray(node, [&](uint16_t offset, int width) {
    int at = arrays++;
    for (; at > 0 && array[at - 1].offset > offset; --at) array[at] = array[at - 1];
    array[at] = {offset, static_cast<uint16_t>(width)};
  });
  const BlockLayout& block = node.block();
  const int first_block = first / block.capacity, last_block = (end - 1) / block.capacity;
  if ((last_block - first_block + 1) * arrays > kMaxSlotRanges) return -1;
  int count = 0;
  for (int b = first_block; b <= last_block; ++b) {
    const int begin_slot = b == first_block ? first % block.capacity : 0;
    const int end_slot = b == last_block ? (end - 1) % block.capacity + 1 : block.capacity;
    for (int i = 0; i < arrays; ++i) {
      const int base = static_cast<int>(kPageHeaderSize) + b * block.bytes + array[i].offset;
      ranges[count++] = {static_cast<uint16_t>(base + begin_slot * array[i].width),
                         static_cast<uint16_t>(base + end_slot * array[i].width)};
    }
  }
  return count;
}

void NodeEditor::SetBox(int entry, const Box& box) {
  ClearKillBits();
  if (box.marks != 0) AddMarks();
  StoreBox(entry, box);
}

// An inverted interval is stored as the extreme ordinals of its width, whatever it was in memory.
void NodeEditor::StoreBox(int entry, const Box& box) {
  const bool directory = !view().leaf();
  for (int d = 0; d < layout_->dimensions; ++d) {
    const DimensionLayout& dimension = layout_->dimension[d];
    const int width = dimension.width;
    const bool inverted = box.lo[d] > box.hi[d];
    const Ordinal lo = inverted ? InvertedLo(dimension.width) : box.lo[d];
    StoreOrdinal(At(entry, dimension.lo[directory], width), width, lo);
    if (!directory && !dimension.extended) continue;
    const Ordinal hi = inverted ? InvertedHi(dimension.width) : box.hi[d];
    StoreOrdinal(At(entry, dimension.hi[directory], width), width, hi);
  }
  if (view().has_marks()) SetMarks(entry, box.marks);
}

void NodeEditor::SetMarks(int entry, uint64_t marks) {
  const int width = layout_->marks_width;
  StoreUnsigned(At(entry, view().block().marks, width), width, marks);
}

void NodeEditor::SetHistory(int entry, const SplitHistory& history) {
  const int width = layout_->history_width;
  uint8_t* at = At(entry, view().block().history, width);
  StoreUnsigned(at, std::min(width, 8), history.bits[0]);
  if (width == 16) memcpy(at + 8, &history.bits[1], 8);
}

bool NodeEditor::HasRoomForMarks() const {
  const NodeView node = view();
  if (node.has_marks()) return true;
  const BlockLayout& marked = layout_->Block(node.leaf(), true);
  uint32_t end = kPageHeaderSize + BlocksFor(node.entries(), marked.capacity) * marked.bytes;
  if (node.leaf()) end += KillBytes(marked.max_entries);
  return node.entries() <= marked.max_entries && end <= node.header().upper;
}

// Spreads the blocks, from the last to the first, so that each has room for its marks at the end.
void NodeEditor::AddMarks() {
  if (view().has_marks()) return;
  const BlockLayout& plain = layout_->Block(view().leaf(), false);
  const BlockLayout& marked = layout_->Block(view().leaf(), true);
  const uint32_t blocks = BlocksFor(opaque().entries, plain.capacity);
  uint8_t* first = page_ + kPageHeaderSize;
  for (uint32_t i = blocks; i-- > 0;) {
    uint8_t* to = first + i * marked.bytes;
    memmove(to, first + i * plain.bytes, std::min(plain.bytes, marked.marks));
    memset(to + marked.marks, 0, marked.bytes - marked.marks);
  }
  header().lower = static_cast<uint16_t>(kPageHeaderSize + blocks * marked.bytes);
  opaque().flags |= kNodeHasMarks;
  opaque().block_bytes = marked.bytes;
}

void NodeEditor::MoveEntry(int from, int to) {
  ForEachArray(view(), [&](uint16_t array, int width) { memcpy(At(to, array, width), At(from, array, width), width); });
}

void NodeEditor::ClearEntry(int entry) {
  ForEachArray(view(), [&](uint16_t array, int width) { memset(At(entry, array, width), 0, width); });
}

void NodeEditor::Remove(const bool* drop) {
  ClearKillBits();
  const int before = opaque().entries;
  int kept = 0;
  int last = before;  // entries from here on are dropped or have moved
  for (; kept < last; ++kept) {
    if (!drop[kept]) continue;
    do {
      --last;
    } while (last > kept && drop[last]);
    if (last == kept) break;
    MoveEntry(last, kept);
  }
  if (kept == before) return;
  const BlockLayout& block = view().block();
  const uint32_t blocks = BlocksFor(kept, block.capacity);
  const uint16_t lower = static_cast<uint16_t>(kPageHeaderSize + blocks * block.bytes);
  for (int e = kept; e < std::min<int>(before, blocks * block.capacity); ++e) ClearEntry(e);
  memset(page_ + lower, 0, header().lower - lower);
  header().lower = lower;
  opaque().entries = static_cast<uint16_t>(kept);
  if (view().leaf() && layout_->include) CompactPayload();
}

// Pushes the payloads of all entries together at the end of the page, in the order in which they lie.
void NodeEditor::CompactPayload() {
  struct Piece {
    uint16_t offset;
    uint16_t length;
    uint16_t entry;
  };
  Piece piece[kMaxEntriesPerPage];
  int pieces = 0;
  uint16_t length;
  for (int e = 0; e < opaque().entries; ++e) {
    const uint8_t* bytes = view().Payload(e, &length);
    if (bytes == nullptr) continue;
    piece[pieces++] = {static_cast<uint16_t>(bytes - page_ - sizeof(length)), length, static_cast<uint16_t>(e)};
  }
  std::sort(piece, piece + pieces, [](const Piece& a, const Piece& b) { return a.offset > b.offset; });
  uint32_t end = kSpecialOffset;
  for (int i = 0; i < pieces; ++i) {
    const uint32_t bytes = PayloadBytes(piece[i].length);
    // Never below its old place: only on a damaged page do payloads overlap, and there nothing may leave the area.
    if (end < piece[i].offset + bytes) end = std::min(piece[i].offset + bytes, kSpecialOffset);
    end -= bytes;
    memmove(page_ + end, page_ + piece[i].offset, sizeof(length) + piece[i].length);
    const uint16_t offset = static_cast<uint16_t>(end);
    memcpy(At(piece[i].entry, view().block().payload, sizeof(offset)), &offset, sizeof(offset));
  }
  memset(page_ + header().upper, 0, end - header().upper);
  header().upper = static_cast<uint16_t>(end);
}

void NodeEditor::SetFollowers(const BlockNumber* blocks, int count) {
  memset(page_ + header().upper, 0, kSpecialOffset - header().upper);
  header().upper = static_cast<uint16_t>(kSpecialOffset - count * sizeof(BlockNumber));
  if (count > 0) memcpy(page_ + header().upper, blocks, count * sizeof(BlockNumber));
  opaque().flags = static_cast<uint8_t>(count > 0 ? opaque().flags | kNodeSupernodeHead : opaque().flags & ~kNodeSupernodeHead);
}

void NodeEditor::MarkDeleted(uint64_t delete_xid) {
  const DeletedContent content = {delete_xid};
  memset(page_ + kPageHeaderSize, 0, kSpecialOffset - kPageHeaderSize);
  memcpy(page_ + kPageHeaderSize, &content, sizeof(content));
  header().lower = kPageHeaderSize + sizeof(content);
  header().upper = kSpecialOffset;
  opaque().entries = 0;
  opaque().flags = static_cast<uint8_t>((opaque().flags & (kNodeLeaf | kNodeSupernodeFollower)) | kNodeDeleted);
  opaque().block_bytes = view().block().bytes;
}

void NodeEditor::ClearKillBits() {
  if (!view().leaf()) return;
  const uint16_t bytes = KillBytes(view().block().max_entries);
  const int start = std::max<int>(header().upper - bytes, header().lower);
  memset(page_ + start, 0, header().upper - start);
}

// Under a share lock others may set bits of the same byte.
void NodeEditor::Kill(int entry) {
  uint8_t* byte = const_cast<uint8_t*>(view().KillByte(entry));
  if (byte != nullptr) std::atomic_ref<uint8_t>(*byte).fetch_or(static_cast<uint8_t>(1 << (entry % 8)), std::memory_order_relaxed);
}

}  // namespace xtree
