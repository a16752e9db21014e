// BoxShare: which part of the entries below a directory entry may satisfy a constraint, from its box alone.
//
// A model, for estimates: entries lie evenly within the box, and are as long as those of a leaf that somebody looked at. In a column of many
// dimensions, of which data really have fewer (ColumnStatistics.dimension), a window that covers half of each of eight sides holds more than
// 1/256: the product of the sides is raised to the power of real dimensions by sides that are cut. Nothing is locked; plain data.
#pragma once

#include "core/filter/constraint.h"

namespace xtree {

// Mean length of a leaf's entries in each dimension, decoded. Zero in point-like ones.
struct MeanExtents {
  double length[kMaxDimensions];
};

void ForgetExtents(const KeyLayout& layout, MeanExtents* out);
// Those of a leaf's entries that have a value.
void MeasureExtents(const NodeView& leaf, MeanExtents* out);

class BoxShare {
 public:
  // `statistics`: of each column, dimension 0 where nothing is known. All must outlive it.
  void Begin(const KeyLayout& layout, const Constraint& constraint, const ColumnStatistics* statistics, const MeanExtents* extents);

  // 0 .. 1 of an entry of a directory page that passes the constraint's filter. 1: all of them.
  double Of(const NodeView& node, int entry) const;

  // Are there dimensions with conditions in which entries have a length?
  bool NeedsExtents() const;

 private:
  struct Side {
    Ordinal low, high;  // of the box
    double length;      // decoded
  };
  Side SideOf(const NodeView& node, int entry, int dimension) const;
  double OfSide(const Side& side, int dimension, Interval lo, Interval hi) const;
  double OfMarks(const NodeView& node, int entry, int column, MarkRule rule) const;
  double OfColumn(const NodeView& node, int entry, int column, const Interval* lo, const Interval* hi) const;
  double OfAnyOf(const NodeView& node, int entry, const AnyOf& group) const;
  double OfSphere(const NodeView& node, int entry, const DistanceLimit& limit) const;
  double OfLimit(const NodeView& node, int entry, const DistanceLimit& limit) const;

  const KeyLayout* layout_;
  const Constraint* constraint_;
  const ColumnStatistics* statistics_;
  const MeanExtents* extents_;
  int columns_;  // with conditions
  uint8_t column_[kMaxColumns];
  MarkRule rule_[kMaxColumns];  // of each of them
};

}  // namespace xtree
