// Random layouts, boxes and entries for the tests of the page codec and of the filter.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "page/node.h"

namespace xtree {

// Not on the stack, so that the sanitizers see the first byte that lies beyond.
struct alignas(8) TestPage {
  uint8_t bytes[kPageSize];
};

// An entry as a test remembers it.
struct ModelEntry {
  Box box;
  TupleId tuple;  // of a leaf
  std::vector<uint8_t> payload;
  BlockNumber child;  // of a directory node
  SplitHistory history;
};

class RandomNodes {
 public:
  explicit RandomNodes(uint64_t seed) : random_(seed) {}

  int64_t Between(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random_); }
  bool OneIn(int n) { return Between(1, n) == 1; }

  ColumnShape Column(int most_dimensions) {
    const uint8_t width = OneIn(2) ? 4 : 8;
    return {static_cast<uint16_t>(Between(1, most_dimensions)), width, OneIn(2), Scalar::kInteger};
  }

  // Mostly few dimensions, so that pages hold many entries; now and then one entry a block, or many columns.
  KeyLayout Layout(bool include) {
    ColumnShape columns[kMaxColumns];
    const int kind = static_cast<int>(Between(0, 9));
    const int count = static_cast<int>(kind == 0 ? 2 : kind == 1 ? Between(5, kMaxColumns) : Between(1, 6));
    for (int c = 0; c < count; ++c) columns[c] = Column(kind == 0 ? kMaxDimensions / 2 : kind == 1 ? kMaxDimensions / count : 3);
    KeyLayout layout;
    if (KeyLayout::Make(columns, count, include, &layout) != nullptr) abort();
    return layout;
  }

  // Few different values, and the extremes of the width, so that bounds meet.
  Ordinal Value(uint8_t width) {
    if (OneIn(20)) return InvertedLo(width);
    if (OneIn(20)) return InvertedHi(width);
    return OneIn(4) && width == 8 ? Between(-9, 9) * 10000000000 : Between(-9, 9);
  }

  // One row, or with `directory` what bounds some rows. `marks`: may a column be NULL or empty?
  Box RandomBox(const KeyLayout& layout, bool directory, bool marks) {
    Box box;
    MakeEmpty(layout, &box);
    for (int c = 0; c < layout.columns; ++c) {
      const uint8_t mark = marks && OneIn(3) ? static_cast<uint8_t>(Between(1, directory ? 3 : 2)) : 0;
      box.marks |= ColumnMarks(c, mark);
      if (mark != 0 && (!directory || OneIn(2))) continue;  // nothing but such rows
      for (int d = layout.first_dimension[c]; d < layout.first_dimension[c + 1]; ++d) SetInterval(layout, directory, d, &box);
    }
    return box;
  }

  ModelEntry Entry(const KeyLayout& layout, bool directory, bool marks) {
    ModelEntry entry;
    entry.box = RandomBox(layout, directory, marks);
    const uint32_t id = next_id_++;
    entry.tuple = {static_cast<uint16_t>(id >> 16), static_cast<uint16_t>(id), static_cast<uint16_t>(Between(1, 300))};
    entry.child = id;
    for (int i = 0; i < 3; ++i) entry.history.Add(static_cast<int>(Between(0, layout.dimensions - 1)));
    if (layout.include && !directory) {
      entry.payload.resize(Between(0, OneIn(20) ? 2000 : 40));
      for (uint8_t& byte : entry.payload) byte = static_cast<uint8_t>(Between(1, 255));
    }
    return entry;
  }

 private:
  void SetInterval(const KeyLayout& layout, bool directory, int d, Box* box) {
    const DimensionLayout& dimension = layout.dimension[d];
    box->lo[d] = Value(dimension.width);
    box->hi[d] = directory || dimension.extended ? Value(dimension.width) : box->lo[d];
    if (box->lo[d] > box->hi[d]) std::swap(box->lo[d], box->hi[d]);
  }

  std::mt19937_64 random_;
  uint32_t next_id_ = 1;
};

inline bool HasRoom(const NodeView& node, const ModelEntry& entry) {
  return node.HasRoom(entry.box.marks != 0, static_cast<uint16_t>(entry.payload.size()));
}

inline void Append(NodeEditor editor, const ModelEntry& entry) {
  if (editor.view().leaf()) {
    editor.AppendTuple(entry.box, entry.tuple, entry.payload.data(), static_cast<uint16_t>(entry.payload.size()));
  } else {
    editor.AppendChild(entry.box, entry.child, entry.history);
  }
}

}  // namespace xtree
