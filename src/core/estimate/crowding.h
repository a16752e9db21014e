// How many children of a directory node lie over one place: 1 where their boxes are apart, and as many nodes as a query of a point must visit where
// they overlap. Of builds, and of a tree as it is now, so that they can be compared.
//
// Places are the middles of some of the boxes, in ordinals: so units, spread and the number of dimensions do not matter. Nothing is locked; no WAL.
#pragma once

#include <vector>

#include "core/page_store.h"
#include "page/key_layout.h"

namespace xtree {

// Of one node. First the places, then all boxes.
class Crowding {
 public:
  static constexpr int kPlaces = 16;

  explicit Crowding(const KeyLayout& layout) : dimensions_(layout.dimensions) {}

  // Is the child one of those whose middles are taken?
  static bool IsPlace(size_t child, size_t children) { return child % ((children + kPlaces - 1) / kPlaces) == 0; }
  void AddPlace(const Box& box);
  void AddBox(const Box& box);

  double Mean() const;  // 0: there is no place

 private:
  int dimensions_;
  int places_ = 0;
  uint64_t met_ = 0;
  std::vector<Ordinal> middle_;
};

// Of a node with so many children, whose boxes each(visit) hands out in order, twice: visit(child, box).
template <class Each>
double CrowdingOfNode(const KeyLayout& layout, size_t children, Each&& each) {
  Crowding crowding(layout);
  each([&](size_t child, const Box& box) {
    if (Crowding::IsPlace(child, children)) crowding.AddPlace(box);
  });
  each([&](size_t, const Box& box) { crowding.AddBox(box); });
  return crowding.Mean();
}

// Of the two uppermost levels of directory nodes, multiplied: what a query of a point visits of the second and third level from above. 0: the root is
// a leaf. Reads the root and at most eight of its children.
double CrowdingOfTop(PageStore& store, const KeyLayout& layout);

// The same from what the root has, and from some of its children; a node without places says nothing.
class TopCrowding {
 public:
  explicit TopCrowding(double root) : root_(root) {}
  void AddChild(double mean) {
    sum_ += mean;
    nodes_ += mean > 0;
  }
  double Value() const { return nodes_ == 0 ? root_ : root_ * sum_ / nodes_; }

 private:
  double root_;
  double sum_ = 0;
  int nodes_ = 0;
};

// The same from the means of a build's levels.
template <class Levels>
double CrowdingOfTop(const Levels& crowding, int levels) {
  if (levels < 2) return 0;
  TopCrowding top(crowding[levels - 1]);
  if (levels > 2) top.AddChild(crowding[levels - 2]);
  return top.Value();
}

}  // namespace xtree
