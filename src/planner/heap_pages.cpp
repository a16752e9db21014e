// See heap_pages.h.
#include "planner/heap_pages.h"

#include <cmath>

extern "C" {
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/spccache.h"
}

namespace xtree {

namespace {

// A heap page that is visited once more by the next leaf's rows, in units of cpu_operator_cost: measured 0.15 us.
constexpr double kVisitOperators = 16;

// Of so many pages, those that hold one of so many rows that are anywhere.
double PagesWithRows(double pages, double rows) { return pages * (1 - std::pow(1 - 1 / pages, rows)); }

bool KnowsSpread(const IndexState* state) {
  return state != nullptr && state->heap_spread > 0 && state->levels > 0 && state->level[0].nodes > 0;
}

double RowsOfLeaf(const IndexState& state) { return std::max<double>(state.level[0].entries, 1) / state.level[0].nodes; }

// How far the rows of a leaf lie together in the table: 0, as if they were anywhere, up to 1, on as few pages as hold them.
double Togetherness(const IndexState* state, const RelOptInfo* table) {
  if (!KnowsSpread(state)) return 0;
  const double rows = RowsOfLeaf(*state), pages = table->pages;
  const double anywhere = PagesWithRows(pages, rows);
  const double together = std::max(1.0, rows * pages / std::max(table->tuples, 1.0));
  if (anywhere <= together) return 0;
  return std::clamp((anywhere - state->heap_spread * rows) / (anywhere - together), 0.0, 1.0);
}

// The pages that hold one leaf's rows.
double PagesOfLeaf(const IndexState* state, const RelOptInfo* table) {
  const double pages = table->pages;
  return KnowsSpread(state) ? std::clamp(state->heap_spread * RowsOfLeaf(*state), 1.0, pages) : pages;
}

// As the server has it of a bitmap: the more of the table, the more in sequence.
Cost CostInOrder(const RelOptInfo* table, double pages, double random, double sequential) {
  return pages < 2 ? pages * random : pages * (random - (random - sequential) * std::sqrt(pages / table->pages));
}

}  // namespace

// A plain scan of a window visits each leaf's rows in the order of the heap (core/scan/spatial_order.h). So each leaf reads a page once, and
// in order; a page with rows of several leaves is found in memory again.
double CorrelationWithTable(PlannerInfo* root, const IndexPath* path, const IndexState* state, double loop_count, double selectivity,
                            double leaves) {
  const RelOptInfo* table = path->indexinfo->rel;
  if (table->pages == 0) return 0;
  const double together = Togetherness(state, table);
  if (path->path.pathtype != T_IndexScan || path->indexorderbys != NIL) return std::sqrt(together);

  double random, sequential;
  get_tablespace_page_costs(table->reltablespace, &random, &sequential);
  const double rows = clamp_row_est(selectivity * table->tuples);
  const double pages = std::ceil(selectivity * table->pages);
  const auto fetched = [&](double count) {
    return index_pages_fetched(count * loop_count, table->pages, path->indexinfo->pages, root) / loop_count;
  };
  const double distinct = fetched(rows);
  const Cost most = distinct * random;
  const Cost least = loop_count > 1 ? fetched(pages) * random : random + std::max(pages - 1, 0.0) * sequential;
  if (most <= least) return std::sqrt(together);

  const double visits = leaves * PagesWithRows(PagesOfLeaf(state, table), rows / leaves);
  const double read = std::min(visits, distinct);
  const Cost in_order = CostInOrder(table, read, random, sequential) + (visits - read) * kVisitOperators * cpu_operator_cost;
  const Cost apart = most - together * (most - least);
  return std::sqrt(std::clamp((most - std::min(in_order, apart)) / (most - least), 0.0, 1.0));
}

}  // namespace xtree
