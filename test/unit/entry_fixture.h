// What the tests of measures, splits and choose subtree share: boxes by their numbers, and entries of pages made of
// them.
#pragma once

#include <vector>

#include "core/write/entry_set.h"
#include "scan_fixture.h"

namespace xtree::test {

struct Interval1 {
  double lo;
  double hi;
};

// One interval a dimension; float columns only.
inline Box MakeBox(const std::vector<Interval1>& sides) {
  Box box;
  box.marks = 0;
  for (size_t d = 0; d < sides.size(); ++d) {
    box.lo[d] = OrdinalFromDouble(sides[d].lo);
    box.hi[d] = OrdinalFromDouble(sides[d].hi);
  }
  return box;
}

inline Box MakePoint(const std::vector<double>& point) {
  std::vector<Interval1> sides;
  for (const double x : point) sides.push_back({x, x});
  return MakeBox(sides);
}

inline SplitHistory HistoryOf(const std::vector<int>& dimensions) {
  SplitHistory history;
  for (const int d : dimensions) history.Add(d);
  return history;
}

// Over as many pages as they need. Entry i has tuple id TupleOf(i) or child block 100 + i.
inline EntrySet EntriesOf(const KeyLayout& layout, bool leaf, const std::vector<Box>& boxes,
                          const std::vector<SplitHistory>& histories = {}) {
  EntrySet entries(layout, leaf);
  PageImage image;
  NodeEditor page(layout, image.bytes);
  page.Initialize(leaf ? 0 : 1, 0);
  for (size_t i = 0; i < boxes.size(); ++i) {
    if (!page.view().HasRoom(boxes[i].marks != 0, 0)) {
      entries.Add(page.view());
      page.Initialize(leaf ? 0 : 1, 0);
    }
    if (leaf) {
      page.AppendTuple(boxes[i], TupleOf(i), nullptr, 0);
    } else {
      page.AppendChild(boxes[i], static_cast<BlockNumber>(100 + i), histories.empty() ? HistoryOf({0}) : histories[i]);
    }
  }
  entries.Add(page.view());
  return entries;
}

}  // namespace xtree::test
