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

// A heap page that is visited once more by the next leaf's rows: to find it in the buffers and to lock it. Measured 0.16 us of a table of 3 MB,
// twice that where the processor's cache does not hold it, beside 0.03 us that a sequential scan takes for a tuple and the server counts
// 0.02 for: 0.1.
constexpr double kVisitOperators = 40;
// A page of a bitmap: it is entered in a table, sorted, and its bits are read. Measured 0.08 us beside a visit by a plain scan.
constexpr double kBitmapOperators = 20;

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

Cost CostOfBitmapPages(const RelOptInfo* table, double rows) {
  return table->pages == 0 ? 0 : std::min(PagesWithRows(table->pages, rows), rows) * kBitmapOperators * cpu_operator_cost;
}

// A plain scan of a window visits each leaf's rows in the order of the heap (core/scan/spatial_order.h). So each leaf reads a page once, and
// in order; a page with rows of several leaves is found in memory again.
HeapReads HeapReadsOf(PlannerInfo* root, const IndexPath* path, const IndexState* state, double loop_count, double selectivity,
                      double leaves) {
  const RelOptInfo* table = path->indexinfo->rel;
  if (table->pages == 0) return {0, 0, 0};
  const double together = Togetherness(state, table), rows = clamp_row_est(selectivity * table->tuples);
  // Each leaf's rows are visited in order. Who goes once to each page of a scan takes no longer than the server thinks.
  const double visits = std::min(leaves * PagesWithRows(PagesOfLeaf(state, table), rows / leaves), rows);
  const double once = std::min(PagesWithRows(table->pages, rows), visits);
  HeapReads reads = {std::sqrt(together), 0, once * kBitmapOperators * cpu_operator_cost};
  if (path->path.pathtype != T_IndexScan || path->indexorderbys != NIL) return reads;

  double random, sequential;
  get_tablespace_page_costs(table->reltablespace, &random, &sequential);
  const double pages = std::ceil(selectivity * table->pages);
  const auto fetched = [&](double count) {
    return index_pages_fetched(count * loop_count, table->pages, path->indexinfo->pages, root) / loop_count;
  };
  const double distinct = fetched(rows);
  const Cost most = distinct * random;
  const Cost least = loop_count > 1 ? fetched(pages) * random : random + std::max(pages - 1, 0.0) * sequential;
  const Cost in_order = CostInOrder(table, std::min(visits, distinct), random, sequential);
  const Cost apart = most - together * std::max(most - least, 0.0);
  const Cost cost = std::min(in_order, apart) + (visits - once) * kVisitOperators * cpu_operator_cost;
  reads.beyond = std::max(cost - most, 0.0);
  if (most > least) reads.correlation = std::sqrt(std::clamp((most - cost) / (most - least), 0.0, 1.0));
  return reads;
}

}  // namespace xtree
