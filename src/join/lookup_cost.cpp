// See lookup_cost.h.
//
// Pages: of the tree as a nested loop's, since what a batch does not read again is in memory by then anyway; of the table those that rows are on,
// batch by batch in the order of the heap. CPU: what a nested loop does for each row outside, starting a scan and going down from the root, is done
// for all of a batch at once; there remain making the constraint, and testing it on each node.
#include "join/lookup_cost.h"

#include <cmath>

#include "join/join_cost.h"
#include "planner/limit_paths.h"
#include "planner/scan_estimate.h"

extern "C" {
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/spccache.h"
}

namespace xtree {

namespace {

// In units of cpu_operator_cost, which stands for some 10 ns.
constexpr double kStartOperators = 400;  // of the join: no use for a few rows
constexpr double kLookupOperators = 60;  // keeping an outer row, making its constraint
constexpr double kVisitOperators = 15;   // testing it on a node
constexpr double kPairOperators = 2;     // a pair is gathered and put in order
constexpr double kFewRows = 100;         // whose lookups share too little to gain anything beside a nested loop
constexpr double kFirstRows = 32;        // that are looked up before the first row leaves

// Leaves that one lookup visits: by the tree, or of windows of the entries' own shape in two dimensions.
double LeavesVisited(PlannerInfo* root, const LookupCostInput& input, double leaves, double matches) {
  IndexCondition condition[INDEX_MAX_KEYS];
  int count = 0;
  bool known = true;
  ListCell *cell, *qual;
  foreach (cell, input.path->indexclauses) {
    const auto* clause = lfirst_node(IndexClause, cell);
    known &= !IsLimitClause(clause);
    foreach (qual, clause->indexquals)
      if (count < INDEX_MAX_KEYS) condition[count++] = {clause->indexcol, lfirst_node(RestrictInfo, qual)->clause};
  }
  const ScanEstimate estimate = known ? EstimateScan(root, input.path->indexinfo, condition, count) : ScanEstimate{};
  if (estimate.known) return std::max(estimate.leaves * leaves, 1.0);
  const double entries = std::max<double>(input.path->indexinfo->tuples / leaves, 1);
  const double side = 1 + std::sqrt(matches / entries);
  return std::min(side * side, leaves);
}

double Height(const IndexState& state, double leaves) {
  const double fanout = std::max<double>(state.layout.Block(false, false).max_entries * 0.7, 2);
  return std::ceil(std::log(std::max(leaves, 1.0)) / std::log(fanout));
}

Cost CostOfTreePages(PlannerInfo* root, const IndexOptInfo* info, double visits) {
  double random;
  get_tablespace_page_costs(info->reltablespace, &random, nullptr);
  return index_pages_fetched(visits, info->pages, info->pages, root) * random;
}

}  // namespace

LookupCost CostOfLookups(PlannerInfo* root, const LookupCostInput& input, const Path* outer) {
  const IndexOptInfo* info = input.path->indexinfo;
  const double lookups = std::max(outer->rows, 1.0);
  const double matches = std::max<double>(input.path->indexselectivity * info->rel->tuples, 0);
  const double leaves = LeavesOf(info, input.index->state);
  const double visits = lookups * LeavesVisited(root, input, leaves, matches);
  const double pairs = lookups * matches;
  // Of a semi or an anti join no more are looked at once there is one.
  const double tested = input.type == JOIN_SEMI || input.type == JOIN_ANTI ? std::min(pairs, 2 * lookups) : pairs;
  const double fetched = tested * (input.keys_suffice ? 1 - info->rel->allvisfrac : 1);

  LookupCost cost = {};
  cost.rows = input.outer->rows > 0 ? clamp_row_est(input.join->rows * std::min(outer->rows / input.outer->rows, 1.0)) : input.join->rows;
  QualCost quals;
  cost_qual_eval(&quals, input.tested, root);
  const Cost pages = CostOfTreePages(root, info, visits) + CostOfTablePages(root, info, fetched);
  const double operators = lookups * (kLookupOperators + Height(*input.index->state, leaves) * kVisitOperators) + visits * kVisitOperators +
                           pairs * kPairOperators;
  const Cost run = pages + operators * cpu_operator_cost + tested * (quals.per_tuple + info->rel->baserestrictcost.per_tuple) +
                   fetched * cpu_tuple_cost + cost.rows * (cpu_tuple_cost + input.join->reltarget->cost.per_tuple) + outer->total_cost -
                   outer->startup_cost;
  cost.startup = outer->startup_cost + kStartOperators * cpu_operator_cost + quals.startup + input.join->reltarget->cost.startup +
                 run * std::min(kFirstRows / lookups, 1.0);
  cost.total = std::max(
      cost.startup, outer->startup_cost + kStartOperators * cpu_operator_cost + quals.startup + input.join->reltarget->cost.startup + run);
  // A little more, since costs that are nearly the same are taken for the same.
  if (lookups < kFewRows) cost.total = std::max(cost.total, 1.1 * (outer->total_cost + lookups * input.path->path.total_cost));
  return cost;
}

}  // namespace xtree
