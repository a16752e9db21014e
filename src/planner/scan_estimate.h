// What a scan of an index would find and visit, by a look at the tree (core/estimate/row_estimate.h), for the planner.
//
// Conditions that are not constants are asked for values that stand for them (planner/argument_sample.h). Each question is answered once per
// planning. A damaged page, one that cannot be read, an argument that the operator refuses: nothing is known then, and nothing is raised.
#pragma once

#include "index/index_state.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// A condition that an index can use, with its column on the left.
struct IndexCondition {
  int column;
  Expr* expression;
};

struct ScanEstimate {
  bool known;
  double share;    // of the index's entries that the conditions let through
  double leaves;   // share of its leaves that are visited
  double matched;  // where values stand for an argument: share of those that find something
  bool exact;      // no row is to be rechecked, or hardly one
};

// Of all the conditions together. Of an index that is not built, or does not exist, nothing is known.
ScanEstimate EstimateScan(PlannerInfo* root, IndexOptInfo* info, const IndexCondition* condition, int count);

// Leaves of the tree, by the size that the planner knows of the index and what was counted last. `state` nullptr: the index does not exist, or
// nothing is known but its size.
double LeavesOf(const IndexOptInfo* info, const IndexState* state);

// Of the table's rows, those that the index's scan returns: of an index that has not all of them the share of those that it has.
Selectivity ShareOfTable(const IndexOptInfo* info, double share);

// The share of the table's rows, as far as some index with all of them has been asked for these conditions; negative: none has.
double RememberedShare(PlannerInfo* root, const IndexCondition* condition, int count);

// Is the planner to be told what the trees know?
bool MayEstimate(const PlannerInfo* root);

}  // namespace xtree
