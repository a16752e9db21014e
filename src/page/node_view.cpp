// NodeView: reads a node page. For anybody who holds the page, or has it mapped; locks nothing, changes nothing.
//
// validate.h has looked at the page, so counts and offsets of the header are right; entries are untrusted, and nothing
// here follows an offset that is stored in one without a look at its range.
#include "page/node.h"

#include <algorithm>

namespace xtree {

uint64_t LoadMarks(const uint8_t* at, int width) {
  const auto load = [at](auto value) -> uint64_t {
    memcpy(&value, at, sizeof(value));
    return value;
  };
  switch (width) {
    case 1:
      return *at;
    case 2:
      return load(uint16_t{});
    case 4:
      return load(uint32_t{});
    default:
      return load(uint64_t{});
  }
}

namespace {

bool Marked(uint64_t marks, int column) { return (marks >> (2 * column)) & 3; }

// Extends [*min, *max] by an array of one dimension, block by block.
template <typename T>
void ExtendByArrays(const NodeView& node, const DimensionLayout& d, Ordinal* min, Ordinal* max) {
  const BlockLayout& block = node.block();
  const uint8_t* at = node.first_block();
  T lo_min = std::numeric_limits<T>::max();
  T hi_max = std::numeric_limits<T>::min();
  for (int left = node.entries(); left > 0; left -= block.capacity, at += block.bytes) {
    const T* lo = reinterpret_cast<const T*>(at + d.lo[!node.leaf()]);
    const T* hi = reinterpret_cast<const T*>(at + d.hi[!node.leaf()]);
    const int n = std::min<int>(left, block.capacity);
    for (int i = 0; i < n; ++i) {
      lo_min = std::min(lo_min, lo[i]);
      hi_max = std::max(hi_max, hi[i]);
    }
  }
  *min = lo_min;
  *max = hi_max;
}

// The same for a leaf's point-like column of a page with marks: the single stored ordinal of a marked entry must not
// count.
void ExtendByUnmarked(const NodeView& node, int dimension, Ordinal* min, Ordinal* max) {
  const int column = node.layout().dimension[dimension].column;
  for (int e = 0; e < node.entries(); ++e) {
    if (Marked(node.layout().Absent(node.Marks(e)), column)) continue;
    *min = std::min(*min, node.Lo(e, dimension));
    *max = std::max(*max, node.Hi(e, dimension));
  }
}

}  // namespace

uint64_t NodeView::Marks(int entry) const {
  if (!has_marks()) return 0;
  const int width = layout_->marks_width;
  return LoadMarks(At(entry, block().marks, width), width);
}

void NodeView::GetBox(int entry, Box* box) const {
  LoadEdges(entry, 0, layout_->dimensions, box->lo, box->hi);
  box->marks = Marks(entry);
  const uint64_t absent = layout_->Absent(box->marks);
  if (absent == 0 || !leaf()) return;
  for (int d = 0; d < layout_->dimensions; ++d) {
    const DimensionLayout& dimension = layout_->dimension[d];
    if (!Marked(absent, dimension.column)) continue;
    box->lo[d] = InvertedLo(dimension.width);
    box->hi[d] = InvertedHi(dimension.width);
  }
}

SplitHistory NodeView::History(int entry) const {
  SplitHistory history;
  const int width = layout_->history_width;
  const uint8_t* at = At(entry, block().history, width);
  history.bits[0] = LoadMarks(at, std::min(width, 8));
  if (width == 16) memcpy(&history.bits[1], at + 8, 8);
  return history;
}

void NodeView::Bounds(Box* box) const {
  MakeEmpty(*layout_, box);
  const bool skip_marked = leaf() && has_marks();
  for (int d = 0; d < layout_->dimensions; ++d) {
    const DimensionLayout& dimension = layout_->dimension[d];
    if (skip_marked && !dimension.extended) {
      ExtendByUnmarked(*this, d, &box->lo[d], &box->hi[d]);
    } else if (dimension.width == 8) {
      ExtendByArrays<int64_t>(*this, dimension, &box->lo[d], &box->hi[d]);
    } else {
      ExtendByArrays<int32_t>(*this, dimension, &box->lo[d], &box->hi[d]);
    }
  }
  if (!has_marks()) return;
  for (int e = 0; e < entries(); ++e) box->marks |= Marks(e);
}

BlockNumber NodeView::Follower(int i) const {
  BlockNumber block;
  memcpy(&block, page_ + header().upper + i * sizeof(block), sizeof(block));
  return block;
}

// Header, payload or list of pages, and special space.
void NodeView::CopyEnds(uint8_t* to) const {
  memcpy(to, header_, sizeof(*header_));
  memcpy(to + header_->upper, page_ + header_->upper, kSpecialOffset - header_->upper);
  memcpy(to + kSpecialOffset, opaque_, sizeof(*opaque_));
}

void NodeView::CopyTo(uint8_t* to) const {
  memcpy(to + kPageHeaderSize, first_block(), header_->lower - kPageHeaderSize);
  CopyEnds(to);
}

void NodeView::CopyTo(uint8_t* to, const uint16_t* slots, int count) const {
  const BlockLayout& b = block();
  int copied = -1;
  for (int i = 0; i < count; ++i) {
    const int wanted = slots[i] / b.capacity;
    if (wanted == copied) continue;
    copied = wanted;
    const size_t offset = kPageHeaderSize + static_cast<size_t>(wanted) * b.bytes;
    memcpy(to + offset, page_ + offset, b.bytes);
  }
  CopyEnds(to);
}

bool NodeView::HasRoom(bool marks, uint16_t payload) const {
  if (deleted()) return false;
  const BlockLayout& b = layout_->Block(leaf(), marks || has_marks());
  if (entries() >= b.max_entries) return false;
  uint32_t end = kPageHeaderSize + (entries() / b.capacity + 1u) * b.bytes;
  if (leaf()) end += KillBytes(b.max_entries);
  if (leaf() && layout_->include) end += PayloadBytes(payload);
  return end <= header().upper;
}

const uint8_t* NodeView::KillByte(int entry) const {
  const int start = header().upper - KillBytes(block().max_entries);
  return start < header().lower ? nullptr : page_ + start + entry / 8;
}

bool NodeView::Killed(int entry) const {
  const uint8_t* byte = KillByte(entry);
  return byte != nullptr && (*byte >> (entry % 8) & 1);
}

bool NodeView::AnyKilled() const {
  const uint8_t* const end = page_ + header().upper;
  const uint8_t* const begin = std::max(end - KillBytes(block().max_entries), page_ + header().lower);
  return std::any_of(begin, end, [](uint8_t byte) { return byte != 0; });
}

}  // namespace xtree
