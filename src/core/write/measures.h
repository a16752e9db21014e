// Area, margin and overlap of boxes as the R*-tree uses them, on coordinates normalised within one node.
//
// For areas every dimension counts in units of the node's own extent in it: products of a hundred dimensions of unlike
// spread stay within the range of a double. For margins the dimensions of one column share a unit (the column's widest
// extent in the node), and columns of different units weigh the same; of words (ColumnShape) only the first with an extent counts. A
// dimension in which the node has no extent is left out. Pure functions: no locks, no WAL.
#pragma once

#include <vector>

#include "core/write/entry_set.h"

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

  void Add(const Box& box);  // decoded, not yet normalised; integers counted from the first box
  void Normalize();          // REQUIRES: all added

  int size() const { return size_; }
  int dimensions() const { return dimensions_; }
  const Extent* row(int i) const { return &extents_[static_cast<size_t>(i) * dimensions_]; }
  // Has the node any extent along the dimension?
  bool spread(int dimension) const { return spread_[dimension]; }

  double Area(const Extent* box) const;
  double Margin(const Extent* box) const;
  double OverlapArea(const Extent* a, const Extent* b) const;
  // Intersection over union, 0..1; 0 where the intersection has no volume.
  double OverlapRatio(const Extent* a, const Extent* b) const;
  void Clear(Extent* box) const;
  void Unite(const Extent* by, Extent* box) const;

 private:
  const KeyLayout* layout_;
  int dimensions_;
  int size_ = 0;
  std::vector<Ordinal> origin_;
  std::vector<Extent> extents_;
  std::vector<char> spread_;
  std::vector<double> weight_;  // of a normalised length in a margin
};

// The volume of a box in its own units, for comparisons: no product of a hundred lengths leaves its range. Flat in more
// dimensions is smaller.
class Volume {
 public:
  void Multiply(double length) {
    if (!(length > 0)) {
      flat_++;
      return;
    }
    constexpr int kMantissa = 52;
    constexpr int kBias = 1023;
    constexpr uint64_t kOne = uint64_t{kBias} << kMantissa;
    const uint64_t bits = std::bit_cast<uint64_t>(length);
    exponent_ += static_cast<int>(bits >> kMantissa) - kBias;
    mantissa_ *= std::bit_cast<double>((bits & ((uint64_t{1} << kMantissa) - 1)) | kOne);  // 1 .. 2
    if (mantissa_ < 2) return;
    mantissa_ /= 2;
    exponent_++;
  }
  int flat() const { return flat_; }  // dimensions
  bool operator<(const Volume& o) const {
    if (flat_ != o.flat_) return flat_ > o.flat_;
    if (exponent_ != o.exponent_) return exponent_ < o.exponent_;
    return mantissa_ < o.mantissa_;
  }

 private:
  int flat_ = 0;
  int exponent_ = 0;
  double mantissa_ = 1;
};

}  // namespace xtree
