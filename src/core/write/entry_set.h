// EntrySet: all entries of a node taken off their pages, for a split. Cold path: owns memory, may throw std::bad_alloc.
#pragma once

#include <vector>

#include "page/node.h"

namespace xtree {

class EntrySet {
 public:
  EntrySet(const KeyLayout& layout, bool leaf) : layout_(&layout), leaf_(leaf) {}

  void Add(const NodeView& page);  // appends every entry of the page

  int size() const { return static_cast<int>(reference_.size()); }
  bool leaf() const { return leaf_; }
  const KeyLayout& layout() const { return *layout_; }
  int dimensions() const { return layout_->dimensions; }

  Ordinal lo(int entry, int dimension) const { return lo_[entry * dimensions() + dimension]; }
  Ordinal hi(int entry, int dimension) const { return hi_[entry * dimensions() + dimension]; }
  uint64_t marks(int entry) const { return marks_[entry]; }
  const SplitHistory& history(int entry) const { return history_[entry]; }
  void GetBox(int entry, Box* box) const;

  // Appends `entry` to a page image that has room for it.
  void AppendTo(NodeEditor* page, int entry) const;
  bool FitsOn(const NodeView& page, int entry) const;

 private:
  struct Reference {
    TupleId tuple;
    BlockNumber child;
    uint32_t payload;  // offset in payload_
    uint16_t payload_length;
  };
  void AddBox(const NodeView& page, int entry, size_t at);

  const KeyLayout* layout_;
  bool leaf_;
  std::vector<Ordinal> lo_;
  std::vector<Ordinal> hi_;
  std::vector<uint64_t> marks_;
  std::vector<SplitHistory> history_;
  std::vector<Reference> reference_;
  std::vector<uint8_t> payload_;
};

}  // namespace xtree
