// Area, margin and overlap of boxes as the R*-tree uses them, on coordinates normalised within one node.
//
// Dimensions of one column share a unit and so one scale (the column's widest extent in the node); columns of different units
// weigh the same. A dimension in which the node has no extent is left out of products.
#pragma once

#include <vector>

#include "core/entry_set.h"

namespace xtree {

// A box in normalised coordinates, with storage elsewhere. Inverted (lo > hi) where there is no value.
struct Extent {
  double lo;
  double hi;
  double Length() const { return hi > lo ? hi - lo : 0; }
};

// Normalised boxes, row-major: row i holds `dimensions` extents.
class NormalizedBoxes {
 public:
  NormalizedBoxes(const KeyLayout& layout, int reserve);

  void Add(const Box& box);       // decoded, not yet normalised
  void Normalize();               // REQUIRES: all added

  int size() const { return size_; }
  int dimensions() const { return dimensions_; }
  const Extent* row(int i) const { return &extents_[static_cast<size_t>(i) * dimensions_]; }
  // Has the node any extent along the dimension?
  bool spread(int dimension) const { return spread_[dimension]; }

  double Area(const Extent* box) const;
  double Margin(const Extent* box) const;
  double OverlapArea(const Extent* a, const Extent* b) const;
  // Intersection over union of two groups' boxes, 0..1; where the union has no volume, of their margins' overlap: 0.
  double OverlapRatio(const Extent* a, const Extent* b) const;
  void Clear(Extent* box) const;
  void Unite(const Extent* by, Extent* box) const;

 private:
  const KeyLayout* layout_;
  int dimensions_;
  int size_ = 0;
  std::vector<Extent> extents_;
  std::vector<char> spread_;
};

}  // namespace xtree
