// See join_cost.h.
//
// Pages: the left tree's leaves once, those of the right one as often as left leaves have them in their lists: in two dimensions, of n left and m
// right leaves of like shapes, n + m + 2 sqrt(nm) pairs touch; and no smaller share of all pairs of leaves than of entries, which is more where the
// trees hardly divide by the columns of the clauses. CPU: each entry is copied and put in order, which takes several comparisons' time. Rows of the
// tables are fetched in batches that are in the heap's order, those that pairs are of, whatever pages they are on. Left and anti joins fetch all
// left rows. Semi and anti joins look at pairs of a row as long as it has no partner: at about one of a row that has any.
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

// `share`: of the pairs of entries, that are found.
double NodePairs(const SideWork& left, const SideWork& right, double share) {
  const double touching = left.leaves + right.leaves + 2 * std::sqrt(left.leaves * right.leaves);
  return std::max(touching, left.leaves * right.leaves * share);
}

Cost CostOfIndexPages(const IndexOptInfo* info, double leaves) {
  double random;
  get_tablespace_page_costs(info->reltablespace, &random, nullptr);
  return leaves * random;
}

double ShareFetched(const JoinCostSide& side) { return side.keys_suffice ? 1 - side.index->info->rel->allvisfrac : 1; }

Cost CostOfRows(const RelOptInfo* table, double rows) { return rows * (cpu_tuple_cost + table->baserestrictcost.per_tuple); }

struct Pairs {
  double found;      // by the keys
  double looked_at;  // of them, with their rows
};

Pairs PairsOf(PlannerInfo* root, const RelOptInfo* join, JoinType type, const JoinPathExtraData* extra, double left, double right,
              List* matched) {
  // As of an inner join: an operator's estimator may ask which it is.
  SpecialJoinInfo special = *extra->sjinfo;
  special.jointype = JOIN_INNER;
  const double found = clamp_row_est(left * right * clauselist_selectivity(root, matched, 0, JOIN_INNER, &special));
  if (type == JOIN_INNER) return {std::max(found, join->rows), std::max(found, join->rows)};
  if (type == JOIN_LEFT) return {found, found};
  const SemiAntiJoinFactors& factors = extra->semifactors;
  const double with_partner = left * factors.outer_match_frac;
  const double in_vain = std::max(found - with_partner * factors.match_count, 0.0);  // of keys alone
  return {found, std::min(found, with_partner + in_vain)};
}

}  // namespace

Cost CostOfTablePages(PlannerInfo* root, const IndexOptInfo* info, double rows) {
  double random, sequential;
  get_tablespace_page_costs(info->rel->reltablespace, &random, &sequential);
  const double pages = std::min<double>(index_pages_fetched(rows, info->rel->pages, info->pages, root), info->rel->pages);
  // As the server has it of a bitmap: the more of the table, the more in sequence.
  return pages < 2 ? pages * random : pages * (random - (random - sequential) * std::sqrt(pages / info->rel->pages));
}

JoinCost CostOfJoin(PlannerInfo* root, const RelOptInfo* join, JoinType type, JoinPathExtraData* extra, const JoinCostSide& left,
                    const JoinCostSide& right, List* matched, List* tested) {
  const SideWork l = WorkOf(root, left), r = WorkOf(root, right);
  const Pairs pairs = PairsOf(root, join, type, extra, l.entries, r.entries, matched);
  const double share = std::min(pairs.found / (l.entries * r.entries), 1.0);
  const double node_pairs = NodePairs(l, r, share);
  // A right entry is looked at for each left leaf that it meets.
  const double gathered = r.entries * std::max(1 + std::sqrt(l.leaves / std::max(r.leaves, l.leaves)), l.leaves * share);
  const double left_rows = (IS_OUTER_JOIN(type) ? l.entries : std::min(l.entries, pairs.found)) * ShareFetched(left);
  const double right_rows = std::min(r.entries, pairs.looked_at) * ShareFetched(right);

  JoinCost cost = {};
  cost.pages = CostOfIndexPages(left.index->info, l.leaves) + CostOfIndexPages(right.index->info, r.leaves) +
               CostOfTablePages(root, left.index->info, left_rows) + CostOfTablePages(root, right.index->info, right_rows);
  QualCost quals;
  cost_qual_eval(&quals, tested, root);
  cost.cpu = (l.leaves + node_pairs) * kPageOperators * cpu_operator_cost + (l.entries + gathered) * kEntryOperators * cpu_operator_cost +
             CostOfRows(left.index->info->rel, left_rows) + CostOfRows(right.index->info->rel, right_rows) +
             pairs.found * kPairOperators * cpu_operator_cost + pairs.looked_at * quals.per_tuple +
             join->rows * (cpu_tuple_cost + join->reltarget->cost.per_tuple);
  // A leaf of each, and what is fetched for it, comes before the first row.
  cost.startup = quals.startup + join->reltarget->cost.startup + (cost.pages + cost.cpu) / l.leaves;
  return cost;
}

}  // namespace xtree
