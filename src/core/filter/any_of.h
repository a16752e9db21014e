// AnyOf: one condition of a scan of which an entry must satisfy at least one of several alternatives: `column op ANY (array)`, or an
// operator that is several boxes.
//
// Part of a Constraint, which also gets the hull of the alternatives, so that the kernels sort out most entries before each remaining
// one is tested here. A row comes once however many alternatives it satisfies, and ordered scans work as with any condition.
// Plain data; the arrays are the scan's.
#pragma once

#include "page/node.h"

namespace xtree {

struct Interval;
enum class MarkRule : uint8_t;

struct AnyOf {
  int column;
  int count;     // of alternatives; none: nothing matches
  Interval* lo;  // per alternative, one for each of the column's dimensions
  Interval* hi;
  MarkRule* rule;           // per alternative: kValue, kValueOrEmpty or kEmpty
  bool sorted;              // set by Prepare: disjoint and ascending, to be searched by halving
  bool* recheck = nullptr;  // per alternative: is it only bounded by its intervals? nullptr: none is

  // Many alternatives of other columns, where given: their numbers by where they begin in the column's first dimension, and how far those up
  // to each reach there. Room for `count`; `ordered` is set by Prepare.
  int* order = nullptr;
  Ordinal* reach = nullptr;
  bool ordered = false;

  // Sorts and merges the alternatives of a column of one point-like dimension, and puts many others in order. REQUIRES: count > 0.
  void Prepare(const KeyLayout& layout);

  // Drops the alternatives that no value within the bounds satisfies.
  void DropOutside(const KeyLayout& layout, const Box& bounds);

  // Is any of the alternatives that are left only bounded by its intervals? Are all?
  bool Recheck() const;
  bool RecheckAll() const;

  // Can the entry satisfy an alternative? On a directory page: can some row below?
  bool Passes(const NodeView& node, int entry) const;

  // Does this row of a leaf satisfy one that says all?
  bool Certain(const NodeView& leaf, int entry) const;

 private:
  void Order(const KeyLayout& layout);
  Interval First(int alternative, int dimensions) const;
  bool PassesOrdered(const NodeView& node, int entry, uint8_t marks, bool certain) const;
  uint8_t Marks(const NodeView& node, int entry) const;
  bool PassesSorted(const NodeView& node, int entry) const;
  bool PassesOne(const NodeView& node, int entry, int alternative, uint8_t marks) const;
};

}  // namespace xtree
