// See join_cost.h.
//
// Pages: the left tree's leaves once, those of the right one as often as left leaves have them in their lists: in two dimensions, of n left and m
// right leaves of like shapes, n + m + 2 sqrt(nm) pairs touch. CPU: each entry is copied and put in order, which takes several comparisons' time.
// Rows of the tables are fetched in batches that are in the heap's order, those that pairs are of, whatever pages they are on.
#include "join/join_cost.h"

#include <cmath>

#include "pg/compat_planner.h"
#include "planner/scan_estimate.h"

extern "C" {
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/spccache.h"
}

namespace xtree {

namespace {

// In units of cpu_operator_cost, which stands for some 10 ns: filtering a page, copying and sorting an entry, sorting a pair.
constexpr double kPageOperators = 40;
constexpr double kEntryOperators = 4;
constexpr double kPairOperators = 4;

struct SideWork {
  double leaves;   // that are read at least once
  double entries;  // on them, within the windows
  double share;    // of all entries
};

SideWork WorkOf(PlannerInfo* root, const JoinCostSide& side) {
  IndexOptInfo* info = side.index->info;
  const double leaves = LeavesOf(info, side.index->state);
  double share = 1, share_of_leaves = 1;
  if (side.windows > 0) {
    const ScanEstimate estimate = EstimateScan(root, info, side.window, side.windows);
    if (estimate.known) share = estimate.share, share_of_leaves = estimate.leaves;
  }
  return {std::max(leaves * share_of_leaves, 1.0), std::max(info->tuples * share, 1.0), share};
}

// In two dimensions; of one there are fewer, of more of them the later ones hardly divide.
double NodePairs(const SideWork& left, const SideWork& right) {
  return left.leaves + right.leaves + 2 * std::sqrt(left.leaves * right.leaves);
}

Cost CostOfIndexPages(const IndexOptInfo* info, double leaves) {
  double random;
  get_tablespace_page_costs(info->reltablespace, &random, nullptr);
  return leaves * random;
}

double ShareFetched(const JoinCostSide& side) { return side.keys_suffice ? 1 - side.index->info->rel->allvisfrac : 1; }

Cost CostOfRows(const RelOptInfo* table, double rows) { return rows * (cpu_tuple_cost + table->baserestrictcost.per_tuple); }

}  // namespace

Cost CostOfTablePages(PlannerInfo* root, const IndexOptInfo* info, double rows) {
  double random, sequential;
  get_tablespace_page_costs(info->rel->reltablespace, &random, &sequential);
  const double pages = std::min<double>(index_pages_fetched(rows, info->rel->pages, info->pages, root), info->rel->pages);
  // As the server has it of a bitmap: the more of the table, the more in sequence.
  return pages < 2 ? pages * random : pages * (random - (random - sequential) * std::sqrt(pages / info->rel->pages));
}

JoinCost CostOfJoin(PlannerInfo* root, const RelOptInfo* join, SpecialJoinInfo* special, const JoinCostSide& left,
                    const JoinCostSide& right, List* matched, List* clauses) {
  const SideWork l = WorkOf(root, left), r = WorkOf(root, right);
  const Selectivity share = clauselist_selectivity(root, matched, 0, JOIN_INNER, special);
  const double pairs = std::max(clamp_row_est(l.entries * r.entries * share), join->rows);
  const double node_pairs = NodePairs(l, r);
  // A right entry is looked at for each left leaf that it meets.
  const double gathered = r.entries * (1 + std::sqrt(l.leaves / std::max(r.leaves, l.leaves)));
  const double left_rows = std::min(l.entries, pairs) * ShareFetched(left), right_rows = std::min(r.entries, pairs) * ShareFetched(right);

  JoinCost cost = {};
  cost.pages = CostOfIndexPages(left.index->info, l.leaves) + CostOfIndexPages(right.index->info, r.leaves) +
               CostOfTablePages(root, left.index->info, left_rows) + CostOfTablePages(root, right.index->info, right_rows);
  QualCost quals;
  cost_qual_eval(&quals, clauses, root);
  cost.cpu = (l.leaves + node_pairs) * kPageOperators * cpu_operator_cost + (l.entries + gathered) * kEntryOperators * cpu_operator_cost +
             CostOfRows(left.index->info->rel, left_rows) + CostOfRows(right.index->info->rel, right_rows) +
             pairs * (kPairOperators * cpu_operator_cost + quals.per_tuple) +
             join->rows * (cpu_tuple_cost + join->reltarget->cost.per_tuple);
  // A leaf of each, and what is fetched for it, comes before the first row.
  cost.startup = quals.startup + join->reltarget->cost.startup + (cost.pages + cost.cpu) / l.leaves;
  return cost;
}

}  // namespace xtree
