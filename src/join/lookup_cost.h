// What a lookup join takes.
//
// In the planner; may read pages of the index (planner/scan_estimate.h).
#pragma once

#include "join/join_clauses.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

struct LookupCostInput {
  const RelOptInfo* join;
  const RelOptInfo* outer;
  JoinType type;
  const IndexPath* path;  // of one lookup, as the server's nested loop has it
  const JoinIndex* index;
  List* tested;       // clauses that the keys do not answer for certain
  bool keys_suffice;  // rows that all can see need not be fetched
};

struct LookupCost {
  double rows;
  Cost startup;
  Cost total;
};

// `outer`: of the rows that one process has.
LookupCost CostOfLookups(PlannerInfo* root, const LookupCostInput& input, const Path* outer);

}  // namespace xtree
