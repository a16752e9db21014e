// What a join of two trees takes.
//
// In the planner; may read pages of the indexes (planner/scan_estimate.h).
#pragma once

#include "join/join_clauses.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// A side, with those of its table's conditions that its index can answer.
struct JoinCostSide {
  const JoinIndex* index;
  struct IndexCondition* window;
  int windows;
  bool keys_suffice;  // rows that all can see need not be fetched
};

struct JoinCost {
  Cost startup;
  Cost pages;
  Cost cpu;  // that several processes share
};

// `matched`: the RestrictInfos that the trees answer; `tested`: those that pairs are tested by all the same.
JoinCost CostOfJoin(PlannerInfo* root, const RelOptInfo* join, JoinType type, JoinPathExtraData* extra, const JoinCostSide& left,
                    const JoinCostSide& right, List* matched, List* tested);

// So many rows of the index's table, in the order of the heap, batch by batch.
Cost CostOfTablePages(PlannerInfo* root, const IndexOptInfo* info, double rows);

}  // namespace xtree
