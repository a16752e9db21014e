// NodeView reads a node page, NodeEditor changes a private image of one. Both trust the page: page/validate.h has looked at it.
//
// Neither locks anything nor knows about WAL: the caller holds the page, and a changed image goes through PageStore::Commit.
// A page that nobody holds (a mapping) may change while a NodeView reads it: then the view has a private copy of the header and
// of the special space, so that counts, flags and offsets stay as they were validated. Entries may be anything, and lead nowhere.
#pragma once

#include <bit>
#include <cstring>
#include <type_traits>

#include "page/key_layout.h"

namespace xtree {

class NodeView {
 public:
  NodeView() = default;  // of no page; may only be asked for valid()
  NodeView(const KeyLayout& layout, const uint8_t* page)
      : NodeView(layout, page, reinterpret_cast<const PageHeader*>(page), reinterpret_cast<const NodeOpaque*>(page + kSpecialOffset)) {}
  NodeView(const KeyLayout& layout, const uint8_t* page, const PageHeader* header, const NodeOpaque* opaque)
      : layout_(&layout), page_(page), header_(header), opaque_(opaque) {}

  bool valid() const { return page_ != nullptr; }
  const KeyLayout& layout() const { return *layout_; }
  const uint8_t* page() const { return page_; }
  const PageHeader& header() const { return *header_; }
  const NodeOpaque& opaque() const { return *opaque_; }

  int entries() const { return opaque().entries; }
  int level() const { return opaque().level; }
  bool leaf() const { return opaque().flags & kNodeLeaf; }
  bool deleted() const { return opaque().flags & kNodeDeleted; }
  bool has_marks() const { return opaque().flags & kNodeHasMarks; }
  bool supernode_head() const { return opaque().flags & kNodeSupernodeHead; }
  bool supernode_follower() const { return opaque().flags & kNodeSupernodeFollower; }

  const BlockLayout& block() const { return layout_->Block(leaf(), has_marks()); }
  const uint8_t* first_block() const { return page_ + kPageHeaderSize; }

  // As stored: of a marked column they mean nothing on leaves.
  Ordinal Lo(int entry, int dimension) const;
  Ordinal Hi(int entry, int dimension) const;
  uint64_t Marks(int entry) const;                                                       // 0 on a page without marks
  void LoadEdges(int entry, int first, int dimensions, Ordinal* lo, Ordinal* hi) const;  // likewise, of some dimensions
  void GetBox(int entry, Box* box) const;                                                // marked columns come back inverted
  BlockNumber Child(int entry) const;                                                    // directory pages
  TupleId Tuple(int entry) const;                                                        // leaves
  SplitHistory History(int entry) const;                                                 // directory pages

  // INCLUDE payload of a leaf entry: an opaque byte string at an even address, its uint16 length in front of it on the page.
  // nullptr, and length 0, where a damaged page names none: the only content of an entry that could lead out of the page.
  const uint8_t* Payload(int entry, uint16_t* length) const { return Payload(At(entry, block().payload, sizeof(uint16_t)), length); }
  const uint8_t* Payload(const uint8_t* offset_at, uint16_t* length) const;  // by an element of PayloadOffsets()

  // Union of all entries, as the parent's entry must contain it.
  void Bounds(Box* box) const;

  // Supernode head: its further pages, in order.
  int followers() const { return supernode_head() ? (header().special - header().upper) / 4 : 0; }
  BlockNumber Follower(int i) const;

  // Copies the page but for its hole, with this view's header and special space; of the blocks only those with one of the slots
  // (ascending). `to` is a page for NodeView, and for Payload and GetBox of these entries.
  void CopyTo(uint8_t* to) const;
  void CopyTo(uint8_t* to, const uint16_t* slots, int count) const;

  // May one more entry be appended in place? `marks`: it has marks; `payload`: bytes of its INCLUDE payload.
  bool HasRoom(bool marks, uint16_t payload) const;

  bool Killed(int entry) const;
  bool AnyKilled() const;  // of a leaf

  // One of the arrays, for a loop over many entries: what it takes to find an element is looked up once.
  class Array {
   public:
    const uint8_t* At(int entry) const {
      const unsigned e = static_cast<unsigned>(entry);
      return first_ + (e >> shift_) * bytes_ + (e & mask_) * width_;
    }

   private:
    friend class NodeView;
    Array(const NodeView& node, uint16_t array, unsigned width)
        : first_(node.first_block() + array),
          bytes_(node.block().bytes),
          mask_(node.block().capacity - 1u),
          shift_(static_cast<unsigned>(std::countr_zero(node.block().capacity))),
          width_(width) {}
    const uint8_t* first_;
    unsigned bytes_, mask_, shift_, width_;
  };
  Array LowerEdges(int dimension) const {
    const DimensionLayout& d = layout_->dimension[dimension];
    return {*this, d.lo[!leaf()], d.width};
  }
  Array PayloadOffsets() const { return {*this, block().payload, sizeof(uint16_t)}; }  // for Payload()

 private:
  // The element of an entry in the array at this offset of the blocks. The capacity is a power of two; with a division an access
  // takes twice as long.
  const uint8_t* At(int entry, uint16_t array, int width) const {
    const BlockLayout& b = block();
    const unsigned e = static_cast<unsigned>(entry);
    const unsigned slot = e & (b.capacity - 1u);
    return first_block() + (e >> std::countr_zero(b.capacity)) * b.bytes + array + slot * static_cast<unsigned>(width);
  }
  // The byte with an entry's kill bit; nullptr when the page leaves no room for kill bits.
  const uint8_t* KillByte(int entry) const;
  void CopyEnds(uint8_t* to) const;
  friend class NodeEditor;

  const KeyLayout* layout_ = nullptr;
  const uint8_t* page_ = nullptr;
  const PageHeader* header_ = nullptr;
  const NodeOpaque* opaque_ = nullptr;
};
static_assert(std::is_trivially_copyable_v<NodeView> && std::is_trivially_destructible_v<NodeView>);

class NodeEditor {
 public:
  NodeEditor(const KeyLayout& layout, uint8_t* page) : layout_(&layout), page_(page) {}

  // An empty node: header, special space, no entries. pd_lsn is left to the store.
  void Initialize(int level, uint8_t flags);

  NodeView view() const { return NodeView(*layout_, page_); }
  PageHeader& header() { return *reinterpret_cast<PageHeader*>(page_); }
  NodeOpaque& opaque() { return *reinterpret_cast<NodeOpaque*>(page_ + kSpecialOffset); }

  // Of the page's content these two look at nothing but what they write, unless an array of marks comes.
  // REQUIRES: view().HasRoom(box.marks != 0, payload_length). The page gains an array of marks when its first marked entry comes.
  void AppendTuple(const Box& box, TupleId tuple, const uint8_t* payload, uint16_t payload_length);
  void AppendChild(const Box& box, BlockNumber child, const SplitHistory& history);

  // Where the entries [first, end) lie, ascending, at most kMaxSlotRanges; -1: there are more. Room for one entry of any layout.
  static constexpr int kMaxSlotRanges = 240;
  int SlotRanges(int first, int end, ByteRange* ranges) const;

  void SetBox(int entry, const Box& box);  // may add the array of marks; REQUIRES room for it (HasRoomForMarks)
  void SetHistory(int entry, const SplitHistory& history);
  bool HasRoomForMarks() const;

  // Drops the entries whose flag is set; the last ones move into the gaps. The payload area is compacted.
  void Remove(const bool* drop);

  // Replaces the list of followers; the node is a supernode's head as long as it has some.
  // REQUIRES: 4 * count bytes between pd_lower and the special space.
  void SetFollowers(const BlockNumber* blocks, int count);

  void MarkDeleted(uint64_t delete_xid);  // keeps nsn and link, which scans on their way still follow

  // Kill bits live in the hole and go with any change of the page's used part; set directly on the shared page.
  void Kill(int entry);

 private:
  uint8_t* At(int entry, uint16_t array, int width) { return const_cast<uint8_t*>(view().At(entry, array, width)); }
  void StoreBox(int entry, const Box& box);
  int AppendSlot(bool marks);
  void AddMarks();
  void SetMarks(int entry, uint64_t marks);
  void ClearKillBits();
  void MoveEntry(int from, int to);
  void ClearEntry(int entry);
  void CompactPayload();

  const KeyLayout* layout_;
  uint8_t* page_;
};

// Has the processor fetch what a reader of a page looks at first, while it still does something else: a page of a large index is
// rarely in its caches.
inline void FetchEnds(const uint8_t* page) {
  for (int line = 0; line < 4; ++line) __builtin_prefetch(page + line * 64);
  __builtin_prefetch(page + kSpecialOffset);
}

// The same of all of it.
inline void FetchPage(const uint8_t* page) {
  for (uint32_t at = 0; at < kPageSize; at += 64) __builtin_prefetch(page + at);
}

// Elements of the arrays, by their width.
uint64_t LoadMarks(const uint8_t* at, int width);
inline Ordinal LoadOrdinal(const uint8_t* at, int width) {
  if (width == 8) {
    int64_t wide;
    memcpy(&wide, at, sizeof(wide));
    return wide;
  }
  int32_t narrow;
  memcpy(&narrow, at, sizeof(narrow));
  return narrow;
}

inline Ordinal NodeView::Lo(int entry, int dimension) const {
  const DimensionLayout& d = layout_->dimension[dimension];
  return LoadOrdinal(At(entry, d.lo[!leaf()], d.width), d.width);
}

inline Ordinal NodeView::Hi(int entry, int dimension) const {
  const DimensionLayout& d = layout_->dimension[dimension];
  return LoadOrdinal(At(entry, d.hi[!leaf()], d.width), d.width);
}

inline void NodeView::LoadEdges(int entry, int first, int dimensions, Ordinal* lo, Ordinal* hi) const {
  const BlockLayout& b = block();
  const bool directory = !leaf();
  const unsigned slot = static_cast<unsigned>(entry) & (b.capacity - 1u);
  const uint8_t* base = first_block() + (static_cast<unsigned>(entry) >> std::countr_zero(b.capacity)) * b.bytes;
  for (int i = 0; i < dimensions; ++i) {
    const DimensionLayout& d = layout_->dimension[first + i];
    lo[i] = LoadOrdinal(base + d.lo[directory] + slot * d.width, d.width);
    hi[i] = LoadOrdinal(base + d.hi[directory] + slot * d.width, d.width);
  }
}

inline const uint8_t* NodeView::Payload(const uint8_t* offset_at, uint16_t* length) const {
  *length = 0;
  uint16_t offset;
  memcpy(&offset, offset_at, sizeof(offset));
  if (offset < header().upper || offset + sizeof(uint16_t) > kSpecialOffset) return nullptr;
  uint16_t stored;
  memcpy(&stored, page_ + offset, sizeof(stored));
  if (offset + sizeof(uint16_t) + stored > kSpecialOffset) return nullptr;
  *length = stored;
  return page_ + offset + sizeof(uint16_t);
}

inline BlockNumber NodeView::Child(int entry) const {
  BlockNumber child;
  memcpy(&child, At(entry, block().reference, sizeof(child)), sizeof(child));
  return child;
}

inline TupleId NodeView::Tuple(int entry) const {
  TupleId tuple;
  memcpy(&tuple, At(entry, block().reference, sizeof(tuple)), sizeof(tuple));
  return tuple;
}

}  // namespace xtree
