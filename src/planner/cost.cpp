// amcostestimate: from the tree's shape, without a look at the index itself, but for the meta page.
// Of an index that is not built it notes that a query asked for it.
//
// Pages: L leaves cut D dimensions into about L^(1/D) slices each. A condition that covers the share s of a dimension meets s of it and one
// slice r, less what they have in common: s + r - sr. A dimension without a condition meets every slice. So conditions on two of four
// columns read many more leaves than their selectivity says, and a B-tree that leads with those columns wins on paper as it does in truth.
// How finely the leaves really cut each column, and of how many dimensions it is, the meta page knows (core/leaf_share.h).
// CPU: a page's entries are filtered by a vector kernel, so the price is per page visited, and cpu_index_tuple_cost per entry returned.
#include <cmath>

#include "deferred/build_state.h"
#include "planner/argument_sample.h"
#include "planner/blind_clauses.h"
#include "planner/clause_match.h"
#include "planner/cluster_cost.h"
#include "planner/heap_pages.h"
#include "planner/heap_work.h"
#include "am/entry_points.h"
#include "planner/limit_paths.h"
#include "planner/overflow.h"
#include "planner/planner_family.h"
#include "planner/row_counts.h"
#include "planner/scan_estimate.h"
#include "planner/unbuilt_indexes.h"
#include "index/index_state.h"
#include "core/leaf_share.h"
#include "core/scan/nearest_scan.h"
#include "pg/compat_am.h"
#include "pg/compat_planner.h"
#include "pg/settings.h"
#include "pg/subtransaction.h"
#include "registry/index_registry.h"
#include "shmem/build_demand.h"

extern "C" {
#include "access/genam.h"
#include "access/xact.h"
#include "access/table.h"
#include "catalog/index.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/tidbitmap.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/snapmgr.h"
}

namespace xtree {

namespace {

// Filtering a page in units of cpu_operator_cost: measured 0.1-0.2 us beside about 10 ns for an operator call.
constexpr double kFilterOperators = 15;

struct TreeShape {
  double leaves;
  double height;
};

// An index that does not exist (a planner's extension asks what it would be worth) has no state, and is taken for one of its size.
TreeShape ShapeOf(const IndexState* state, const IndexOptInfo* info) {
  TreeShape shape{LeavesOf(info, state), 1};
  constexpr double kTypicalFanout = 100;
  double fanout = kTypicalFanout;
  if (state != nullptr) fanout = std::max<double>(state->layout.Block(false, false).max_entries * 0.7, 2);
  shape.height = std::ceil(std::log(shape.leaves) / std::log(fanout)) + 1;
  return shape;
}

// The conditions on one column that the index can do something with.
struct ColumnClauses {
  double selectivity;  // 1 without any
  bool guessed;        // by constants alone
};

// Of two plans that cost the same, one with a cut-off is to be taken: what the other conditions leave may be more than was estimated.
constexpr double kPreferCutoff = 1 - 1e-6;

bool HasCutoff(const IndexPath* path) {
  ListCell* cell;
  foreach (cell, path->indexclauses)
    if (IsLimitClause(lfirst_node(IndexClause, cell))) return true;
  return false;
}

// What has a selectivity: of a cut-off by distance that is the operator @<=, while nothing is known of the comparison.
RestrictInfo* ConditionOf(const IndexClause* clause) {
  return IsLimitClause(clause) ? linitial_node(RestrictInfo, clause->indexquals) : clause->rinfo;
}

ColumnClauses ClausesOn(PlannerInfo* root, const IndexPath* path, const IndexState* state, int column) {
  List* clauses = NIL;
  bool guessed = true;
  ListCell* cell;
  foreach (cell, path->indexclauses) {
    const IndexClause* clause = lfirst_node(IndexClause, cell);
    if (clause->indexcol != column || IsBlind(path, clause, state)) continue;
    clauses = lappend(clauses, ConditionOf(clause));
    guessed &= IsGuessed(reinterpret_cast<Node*>(ConditionOf(clause)->clause));
  }
  if (clauses == NIL) return {1, false};
  return {clauselist_selectivity(root, clauses, static_cast<int>(path->indexinfo->rel->relid), JOIN_INNER, nullptr), guessed};
}

// An index without statistics is taken for one over independent columns.
ColumnStatistics StatisticsOf(const IndexState* state, int column, int columns) {
  if (state == nullptr) return AssumedStatistics(1, columns);
  if (state->column_statistics[column].dimension > 0) return state->column_statistics[column];
  return AssumedStatistics(state->column[column].column.dimensions, state->layout.dimensions);
}

// The share of the leaves that a scan with these clauses visits. A guess of 0.001 says little of a window in many dimensions: one that
// covers half of each of 24 holds no row of 10 million, and a thousandth of the rows is in one that covers most of each and
// meets all leaves. What people ask an index for is taken for the former.
double ShareOfLeaves(PlannerInfo* root, const IndexPath* path, const IndexState* state, double leaves) {
  constexpr double kWidestGuess = 0.5;
  const int columns = path->indexinfo->nkeycolumns;
  double share = 1;
  for (int i = 0; i < columns; i++) {
    const ColumnClauses clauses = ClausesOn(root, path, state, i);
    share *= LeafShare(StatisticsOf(state, i, columns), leaves, clauses.selectivity, clauses.guessed ? kWidestGuess : 1);
  }
  return share;
}

// What genericcostestimate multiplies its tuples by: the product of the array conditions' lengths.
double ArrayElements(PlannerInfo* root, const IndexPath* path) {
  double product = 1;
  ListCell* cell;
  foreach (cell, path->indexclauses) {
    const IndexClause* clause = lfirst_node(IndexClause, cell);
    ListCell* qual;
    foreach (qual, clause->indexquals) {
      Node* expression = reinterpret_cast<Node*>(lfirst_node(RestrictInfo, qual)->clause);
      if (!IsA(expression, ScalarArrayOpExpr)) continue;
      Node* array = static_cast<Node*>(lsecond(reinterpret_cast<ScalarArrayOpExpr*>(expression)->args));
      product *= std::max(1.0, pg::ArrayLength(root, array));
    }
  }
  return product;
}

// Is it worth a look at the meta page, once per session? Not of a small index that was built with its CREATE INDEX, as its pg_class row tells:
// whatever is assumed of its few leaves, planning hundreds of such indexes must cost nothing.
bool ShouldReadMeta(Relation index) {
  constexpr int kFewPages = 16;
  return MayBeUnbuilt(index) || index->rd_rel->relpages > kFewPages;
}

// A table with many indexes is not to be planned for longer than it takes to make all their paths. Then one of the trees says how many rows there
// are, and the pages of all are estimated alike, by the model.
bool HasFewTrees(const RelOptInfo* rel) {
  constexpr int kFew = 2;
  int trees = 0;
  ListCell* cell;
  foreach (cell, rel->indexlist) trees += IsXtree(lfirst_node(IndexOptInfo, cell));
  return trees <= kFew;
}

// What a tree says of all the path's conditions together. Negative: nothing.
struct PathEstimate {
  double share;   // of the index's entries
  double leaves;  // of its leaves
  bool exact;     // nothing is to be rechecked
};

PathEstimate EstimatePath(PlannerInfo* root, const IndexPath* path) {
  constexpr PathEstimate kUnknown = {-1, -1, false};
  if (!RowCountsAreCorrected(root)) return kUnknown;
  IndexCondition condition[INDEX_MAX_KEYS];
  int count = 0;
  ListCell *cell, *qual;
  foreach (cell, path->indexclauses) {
    const IndexClause* clause = lfirst_node(IndexClause, cell);
    foreach (qual, clause->indexquals)
      if (count < INDEX_MAX_KEYS) condition[count++] = {clause->indexcol, lfirst_node(RestrictInfo, qual)->clause};
  }
  if (!HasFewTrees(path->indexinfo->rel))
    return {path->indexinfo->indpred == NIL ? RememberedShare(root, condition, count) : -1, -1, false};
  const ScanEstimate estimate = EstimateScan(root, path->indexinfo, condition, count);
  return estimate.known ? PathEstimate{estimate.share, estimate.leaves, estimate.exact} : kUnknown;
}

// Does the tree know more of the rows than the operators' own estimates do? (planner/row_counts.h)
bool TreeKnowsRows(const IndexPath* path) {
  if (list_length(path->indexclauses) > 1) return true;
  ListCell* cell;
  foreach (cell, path->indexclauses) {
    const IndexClause* clause = lfirst_node(IndexClause, cell);
    if (IsLimitClause(clause) || IsGuessed(reinterpret_cast<Node*>(ConditionOf(clause)->clause))) return true;
    const Node* qual = reinterpret_cast<Node*>(linitial_node(RestrictInfo, clause->indexquals)->clause);
    if (IsGuessedJoin(qual) && HasColumns(static_cast<Node*>(lsecond(reinterpret_cast<const OpExpr*>(qual)->args)))) return true;
  }
  return false;
}

// What it takes to put a row together again from its entry, where a comparison takes 0.025 us: where all keys have a fixed length little
// (index_only.h), else measured 0.1 us and 0.05 us a column.
Cost CostOfTuple(const IndexPath* path) {
  constexpr double kOperatorsOfFixed = 2, kOperators = 4, kOperatorsOfColumn = 2;
  if (path->path.pathtype != T_IndexOnlyScan) return 0;
  const IndexOptInfo* info = path->indexinfo;
  const auto is_fixed = [](Oid type) { return get_typlen(type) > 0; };
  const bool fixed = std::all_of(info->opcintype, info->opcintype + info->nkeycolumns, is_fixed);
  return (fixed ? kOperatorsOfFixed : kOperators + kOperatorsOfColumn * info->ncolumns) * cpu_operator_cost;
}

// How much of the index is in memory, as the worker measured it last. 0: nobody has loaded it, or the library is not preloaded, and nothing is known.
double ShareInMemory(const IndexOptInfo* info) {
  if (info->hypothetical) return 0;
  const Relation index = index_open(info->indexoid, NoLock);
  const LoadView view = ViewLoad(index);
  index_close(index, NoLock);
  if (view.state != LoadState::kLoaded) return 0;
  return std::clamp(static_cast<double>(view.resident_bytes) / (std::max<double>(info->pages, 1) * BLCKSZ), 0.0, 1.0);
}

// Testing a row's index conditions again, as far as those are the query's own.
Cost CostOfRecheck(PlannerInfo* root, const IndexPath* path) {
  Cost sum = 0;
  ListCell* cell;
  foreach (cell, path->indexclauses) {
    const IndexClause* clause = lfirst_node(IndexClause, cell);
    if (clause->lossy) continue;
    QualCost cost;
    cost_qual_eval_node(&cost, reinterpret_cast<Node*>(clause->rinfo), root);
    sum += cost.per_tuple;
  }
  return sum;
}

// Rows of a bitmap that memory has no room for are tested again page by page, whatever the index says.
bool HasRoomForBitmap(const IndexPath* path, double rows) {
  return std::min<double>(rows, path->indexinfo->rel->pages) <= static_cast<double>(tbm_calculate_entries(work_mem * 1024.0));
}

// The server has a plain scan test no row again, and a bitmap all rows.
HeapWork HeapWorkOf(PlannerInfo* root, const IndexPath* path, const HeapReads& reads, const PathEstimate& estimate, double rows) {
  const bool known = estimate.leaves >= 0;
  const Cost recheck = known ? rows * CostOfRecheck(root, path) : 0;
  if (!estimate.exact) return {reads.beyond + recheck, reads.bitmap};
  return {reads.beyond, reads.bitmap - (HasRoomForBitmap(path, rows) ? recheck : 0)};
}

void ReadMetaOf(void* index) { (void)GetIndexState(static_cast<Relation>(index), MetaUse::kPlan); }

// A page that cannot be read is an ERROR of those who scan the index.
bool CanReadMeta(Relation index) {
  if (IsMetaKnown(index) || IsInParallelMode()) return true;
  return RunInSubtransaction(ReadMetaOf, index) == nullptr;
}

// A copy, because estimates may process invalidations. nullptr: the index does not exist.
const IndexState* StateForPlanning(const IndexOptInfo* info) {
  if (info->hypothetical) return nullptr;
  const Relation index = index_open(info->indexoid, NoLock);
  const IndexState* state = CopyIndexState(index, ShouldReadMeta(index) && CanReadMeta(index) ? MetaUse::kPlan : MetaUse::kNone);
  index_close(index, NoLock);
  return state;
}

bool OrdersByInexactKey(const IndexPath* path, const IndexState& state) {
  ListCell* cell;
  foreach (cell, path->indexorderbycols)
    if (!state.column[lfirst_int(cell)].routine->exact) return true;
  return false;
}

// The core orders by so many terms, and the executor sorts the ties of more only where it knows how to compare what we return.
bool HasTooManyTerms(const IndexPath* path) {
  if (list_length(path->indexorderbys) <= kMaxOrderKeys) return false;
  ListCell* cell;
  foreach (cell, path->indexorderbys)
    if (exprType(static_cast<Node*>(lfirst(cell))) != FLOAT8OID) return true;
  return false;
}

// An order is left to a sort where the executor cannot do its part: it computes distances anew if keys do not tell them, but of rows
// whose first distance is NULL does not compare the others, and never in an index-only scan.
bool OrderNeedsSort(const IndexPath* path, const IndexState& state) {
  if (path->indexorderbys == NIL) return false;
  const bool must_be_exact = list_length(path->indexorderbys) > 1 || path->path.pathtype == T_IndexOnlyScan;
  return (must_be_exact && OrdersByInexactKey(path, state)) || HasTooManyTerms(path);
}

// Conditions or an order that the index could serve, or its predicate; not a mere scan of all its entries.
bool WouldHelp(const IndexPath* path) { return path->indexclauses != NIL || path->indexorderbys != NIL || path->indexinfo->indpred != NIL; }

bool HasRows(Oid table) {
  const Relation heap = table_open(table, NoLock);
  const bool has_rows = RelationGetNumberOfBlocks(heap) > 0;
  table_close(heap, NoLock);
  return has_rows;
}

// An empty table has nothing to gain, and its index stays unbuilt.
void AskForBuild(const IndexPath* path, const IndexState& state) {
  if (state.build_state == MetaBuildState::kBuilt || !QueriesAskForBuilds()) return;
  if (!WouldHelp(path)) return;
  const Oid index = path->indexinfo->indexoid;
  const Oid table = IndexGetRelation(index, false);
  if (HasRows(table)) NoteDemand(table, index);
}

// Paths of such an index are made in vain, to hear what it would be worth, but for those of an index whose meta page is not looked at for the
// list of a table (unbuilt_indexes.h): built on the primary and still too new for this standby, or its option is another one meanwhile.
void Refuse(IndexPath* path, Cost* startup_cost, Cost* total_cost) {
  constexpr Cost kMoreThanAnyPlan = 1e200;
  *startup_cost = *total_cost = kMoreThanAnyPlan;
  pg::NeverPrefer(&path->path);
}

}  // namespace

}  // namespace xtree

extern "C" void xtreecostestimate(PlannerInfo* root, IndexPath* path, double loop_count, Cost* startup_cost, Cost* total_cost,
                                  Selectivity* selectivity, double* correlation, double* pages) {
  using namespace xtree;
  const IndexOptInfo* info = path->indexinfo;
  const IndexState* state = StateForPlanning(info);
  if (state != nullptr && IsUnusable(root, *state)) {
    AskForBuild(path, *state);
    Refuse(path, startup_cost, total_cost);
    *selectivity = 1;
    *correlation = *pages = 0;
    return;
  }
  const TreeShape shape = ShapeOf(state, info);
  const PathEstimate estimate = state != nullptr ? EstimatePath(root, path) : PathEstimate{-1, -1, false};
  const double share_of_leaves = estimate.leaves >= 0 ? estimate.leaves : ShareOfLeaves(root, path, state, shape.leaves);
  const double leaves = std::max(1.0, std::ceil(share_of_leaves * shape.leaves));

  // Disk and argument costs as for any index, less what is known to be in memory, with the tuples of the leaves visited standing for the
  // pages. An array condition is one scan here, however many elements it has.
  GenericCosts costs = {};
  costs.numIndexTuples = std::max(1.0, leaves * info->tuples / std::max<double>(info->pages, 1)) / ArrayElements(root, path);
  const double visited = costs.numIndexTuples;
  genericcostestimate(root, path, loop_count, &costs);
  if (estimate.share >= 0 && TreeKnowsRows(path))
    costs.indexSelectivity = ShareOfTable(info, estimate.share);
  else
    costs.indexSelectivity = std::min(1.0, costs.indexSelectivity * RowsBeyondBlindClauses(root, path, state));

  const int operators = list_length(path->indexclauses) + list_length(path->indexorderbys);
  const double charged = visited * costs.num_sa_scans * (cpu_index_tuple_cost + operators * cpu_operator_cost);
  const Cost from_disk = std::max(costs.indexTotalCost - costs.indexStartupCost - charged, 0.0);
  const double returned = costs.indexSelectivity * info->rel->tuples;
  const double filter = (leaves + shape.height) * kFilterOperators * cpu_operator_cost;
  const double cpu = returned * (cpu_index_tuple_cost + list_length(path->indexorderbys) * cpu_operator_cost + CostOfTuple(path)) + filter;
  double descent = shape.height * kFilterOperators * cpu_operator_cost;
  if (state != nullptr && (OrderNeedsSort(path, *state) || MayOverflow(root, path, *state))) {
    descent += 4 * disable_cost;
    pg::NeverPrefer(&path->path);
  }

  costs.indexStartupCost += descent;
  *startup_cost = costs.indexStartupCost;
  *total_cost =
      std::max(costs.indexTotalCost - charged + cpu, 0.0) + descent - from_disk * (1 - settings.cached_page_cost) * ShareInMemory(info);
  if (state != nullptr && SearchesClusters(path, *state)) {
    const ClusterCosts clusters = CostOfClusters(root, path, *state, share_of_leaves);
    *startup_cost = descent + clusters.startup;
    *total_cost = *startup_cost + clusters.total - clusters.startup + returned * (cpu_index_tuple_cost + cpu_operator_cost);
  }
  if (HasCutoff(path)) *total_cost = std::max(*total_cost * kPreferCutoff, *startup_cost);
  *selectivity = costs.indexSelectivity;
  const HeapReads reads = HeapReadsOf(root, path, state, loop_count, costs.indexSelectivity, leaves);
  *correlation = reads.correlation;
  if (path->indexorderbys == NIL && path->indexclauses != NIL)
    NoteHeapWork(root, path, loop_count, HeapWorkOf(root, path, reads, estimate, returned));
  *pages = costs.numIndexPages;
}

// The planner asks it of each index of each table, whether a condition fits or not. So the meta page is not looked at: a damaged one would be an
// ERROR of every statement about the table. Estimates and scans look at it, and from then on the session knows. As it is, planning with a
// hundred indexes takes as long with this function as without (0.2 ms).
extern "C" int xtreegettreeheight(Relation index) { return xtree::KnownTreeHeight(index); }

#ifdef XTREE_STOP_POINTS

extern "C" {
#include "fmgr.h"

PG_FUNCTION_INFO_V1(xtree_planned_height);
}

// xtree_planned_height(index oid) returns int, for tests: what the planner would hear now.
extern "C" Datum xtree_planned_height(PG_FUNCTION_ARGS) {
  const Relation index = index_open(PG_GETARG_OID(0), AccessShareLock);
  const int height = pg::PlannedTreeHeight(index);
  index_close(index, AccessShareLock);
  PG_RETURN_INT32(height);
}

#endif
