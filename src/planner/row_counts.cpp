// See row_counts.h. Runs in the planner: palloc and ereport as they come; the catalog is only read.
#include "planner/row_counts.h"

#include "pg/compat_planner.h"
#include "planner/clause_match.h"
#include "planner/limit_paths.h"
#include "planner/paths_again.h"
#include "planner/planner_family.h"
#include "planner/planner_notes.h"
#include "xtree.h"

extern "C" {
#include "access/genam.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
}

namespace xtree {

namespace {

set_rel_pathlist_hook_type next_hook;

// What was found out about a query's tables.
struct Corrections {
  bool looked;
  Bitmapset* changed;  // tables whose paths are to be made again
  List* joins;         // RestrictInfos of joins whose selectivity the trees said
};

constexpr Selectivity kLeast = 1e-10;

bool HasXtree(const RelOptInfo* rel) {
  ListCell* cell;
  foreach (cell, rel->indexlist)
    if (IsXtree(lfirst_node(IndexOptInfo, cell))) return true;
  return false;
}

// Conditions, those within ORs too.
void Flatten(Node* condition, List** conditions) {
  ListCell* cell;
  if (IsA(condition, RestrictInfo)) {
    auto* clause = reinterpret_cast<RestrictInfo*>(condition);
    if (clause->orclause != nullptr)
      Flatten(reinterpret_cast<Node*>(clause->orclause), conditions);
    else
      *conditions = lappend(*conditions, clause);
  } else if (IsA(condition, BoolExpr)) {
    foreach (cell, reinterpret_cast<BoolExpr*>(condition)->args) Flatten(static_cast<Node*>(lfirst(cell)), conditions);
  }
}

using Match = bool (*)(PlannerInfo* root, IndexOptInfo* info, const RestrictInfo* clause, IndexCondition* out);

// Of the indexes that can answer the condition alone, as `match` says, the one with the fewest columns.
bool EstimateCondition(PlannerInfo* root, const RelOptInfo* rel, const RestrictInfo* clause, Match match, ScanEstimate* out) {
  IndexOptInfo* best = nullptr;
  IndexCondition condition = {}, found;
  ListCell* cell;
  foreach (cell, rel->indexlist) {
    auto* info = lfirst_node(IndexOptInfo, cell);
    if (!IsWholeXtree(info) || (best != nullptr && info->nkeycolumns >= best->nkeycolumns)) continue;
    if (!match(root, info, clause, &found)) continue;
    best = info;
    condition = found;
  }
  if (best == nullptr) return false;
  *out = EstimateScan(root, best, &condition, 1);
  out->share = std::clamp(out->share, kLeast, 1.0);
  return out->known;
}

// NOT, IS TRUE and the like around a condition are taken away; whether it is to be false, is said. (Of rows where it is NULL nobody knows.)
Expr* Unwrap(Expr* condition, bool* negated) {
  *negated = false;
  for (;;) {
    if (is_notclause(condition)) {
      condition = get_notclausearg(condition);
      *negated = !*negated;
    } else if (IsA(condition, BooleanTest)) {
      const auto* test = reinterpret_cast<const BooleanTest*>(condition);
      if (test->booltesttype == IS_UNKNOWN || test->booltesttype == IS_NOT_UNKNOWN) return condition;
      if (test->booltesttype == IS_FALSE || test->booltesttype == IS_NOT_TRUE) *negated = !*negated;
      condition = test->arg;
    } else {
      return condition;
    }
  }
}

bool CorrectCondition(PlannerInfo* root, const RelOptInfo* rel, RestrictInfo* clause) {
  ScanEstimate estimate;
  bool negated;
  RestrictInfo inner = *clause;
  inner.clause = Unwrap(clause->clause, &negated);
  const Match match = IsGuessed(reinterpret_cast<Node*>(inner.clause)) ? MatchCondition : LimitConditionOf;
  if (!EstimateCondition(root, rel, &inner, match, &estimate)) return false;
  clause->norm_selec = negated ? std::clamp(1 - estimate.share, kLeast, 1.0) : estimate.share;
  return true;
}

// Did some condition of the table get another selectivity?
bool CorrectConditions(PlannerInfo* root, RelOptInfo* rel) {
  bool corrected = false;
  ListCell *cell, *part;
  foreach (cell, rel->baserestrictinfo) {
    auto* whole = lfirst_node(RestrictInfo, cell);
    List* parts = NIL;
    bool some = false;
    Flatten(reinterpret_cast<Node*>(whole), &parts);
    foreach (part, parts) some |= CorrectCondition(root, rel, lfirst_node(RestrictInfo, part));
    if (some && whole->orclause != nullptr) whole->norm_selec = -1;  // to be computed anew from its parts
    corrected |= some;
  }
  return corrected;
}

struct JointConditions {
  IndexOptInfo* index;
  int count;
  IndexCondition condition[INDEX_MAX_KEYS];
  List* clauses;  // RestrictInfos, as many
};

JointConditions MatchAll(PlannerInfo* root, const RelOptInfo* rel, IndexOptInfo* info) {
  JointConditions joint = {info, 0, {}, NIL};
  ListCell* cell;
  foreach (cell, rel->baserestrictinfo) {
    auto* clause = lfirst_node(RestrictInfo, cell);
    if (joint.count == INDEX_MAX_KEYS || !MatchCondition(root, info, clause, &joint.condition[joint.count])) continue;
    if (!SaysAll(info, joint.condition[joint.count])) continue;
    joint.clauses = lappend(joint.clauses, clause);
    joint.count++;
  }
  return joint;
}

// Of a small table no plan is wrong, and planning is to read nothing of its indexes, unless operators can only guess.
bool IsWorthALook(const RelOptInfo* rel, bool corrected) {
  constexpr BlockNumber kSmall = 16;
  return list_length(rel->baserestrictinfo) > 1 && (corrected || rel->pages > kSmall);
}

// Conditions that a partial index's predicate follows from need not be asked: it has no other rows.
int ImpliedConditions(const RelOptInfo* rel, const IndexOptInfo* info) {
  return list_length(list_difference_ptr(rel->baserestrictinfo, info->indrestrictinfo));
}

// Several conditions that one index knows of together, by its columns or because it has only such rows: the share of rows that all of the
// table's conditions let through.
bool EstimateTogether(PlannerInfo* root, const RelOptInfo* rel, Selectivity* out) {
  JointConditions best = {};
  int most = 1;  // conditions; one alone is known
  ListCell* cell;
  foreach (cell, rel->indexlist) {
    auto* info = lfirst_node(IndexOptInfo, cell);
    if (!IsWholeXtree(info) && !HasAllRowsAskedFor(info)) continue;
    const JointConditions joint = MatchAll(root, rel, info);
    if (joint.count == 0) continue;
    const int count = joint.count + ImpliedConditions(rel, info);
    if (count < most || (count == most && (best.index == nullptr || info->nkeycolumns >= best.index->nkeycolumns))) continue;
    best = joint;
    most = count;
  }
  if (best.index == nullptr) return false;
  const ScanEstimate estimate = EstimateScan(root, best.index, best.condition, best.count);
  if (!estimate.known) return false;
  List* others = list_difference_ptr(best.index->indrestrictinfo, best.clauses);
  *out = std::max(ShareOfTable(best.index, estimate.share), kLeast) *
         clauselist_selectivity(root, others, static_cast<int>(rel->relid), JOIN_INNER, nullptr);
  return true;
}

bool IsTable(const PlannerInfo* root, const RelOptInfo* rel) {
  return rel != nullptr && rel->indexlist != NIL && MayHaveIndexPaths(const_cast<RelOptInfo*>(rel), root->simple_rte_array[rel->relid]) &&
         HasXtree(rel);
}

bool MayCorrect(const PlannerInfo* root, const RelOptInfo* rel) {
  if (!IsTable(root, rel) || rel->baserestrictinfo == NIL) return false;
  ListCell* cell;
  foreach (cell, rel->baserestrictinfo)
    if (IsA(lfirst_node(RestrictInfo, cell)->clause, CurrentOfExpr)) return false;
  return true;
}

// Did the table's rows change?
bool CorrectRows(PlannerInfo* root, RelOptInfo* rel) {
  if (!MayCorrect(root, rel)) return false;
  const bool corrected = CorrectConditions(root, rel);
  Selectivity selectivity;
  if (!IsWorthALook(rel, corrected) || !EstimateTogether(root, rel, &selectivity)) {
    if (!corrected) return false;
    selectivity = clauselist_selectivity(root, rel->baserestrictinfo, 0, JOIN_INNER, nullptr);
  }
  rel->rows = clamp_row_est(rel->tuples * selectivity);
  return true;
}

// A table has the rows of its partitions, and so on.
void CorrectParents(PlannerInfo* root, int child, double more) {
  if (root->append_rel_array == nullptr) return;
  while (root->append_rel_array[child] != nullptr) {
    child = static_cast<int>(root->append_rel_array[child]->parent_relid);
    RelOptInfo* parent = root->simple_rel_array[child];
    const bool same = parent->tuples == parent->rows;  // as PostgreSQL 15 has it
    parent->rows = clamp_row_est(parent->rows + more);
    if (same) parent->tuples = parent->rows;
  }
}

// Of the rows on the left, how many find one on the right? Of all that are there; and of those that other conditions leave, if these are anywhere.
// `asked`: the table whose tree was asked for values of the other.
Selectivity ShareWithMatch(const PlannerInfo* root, const RelOptInfo* asked, const RestrictInfo* clause, const ScanEstimate& estimate) {
  ListCell* cell;
  foreach (cell, root->join_info_list) {
    const auto* join = lfirst_node(SpecialJoinInfo, cell);
    if ((join->jointype != JOIN_SEMI && join->jointype != JOIN_ANTI) || !bms_overlap(join->min_righthand, clause->clause_relids) ||
        !bms_overlap(join->min_lefthand, clause->clause_relids))
      continue;
    int inner;
    if (!bms_get_singleton_member(join->min_righthand, &inner) || root->simple_rel_array[inner] == nullptr) continue;
    const double of_all = 1 - std::exp(-estimate.share * root->simple_rel_array[inner]->rows);
    return static_cast<int>(asked->relid) == inner ? std::min(estimate.matched, of_all) : of_all;
  }
  return estimate.share;
}

bool MatchJoin(PlannerInfo* root, IndexOptInfo* info, const RestrictInfo* clause, IndexCondition* out) {
  return MatchGuessedJoin(root, info, clause, out) || LimitConditionOf(root, info, clause, out);
}

bool MayBeGuessedJoin(const RestrictInfo* clause) {
  return (IsA(clause->clause, OpExpr) || IsA(clause->clause, FuncExpr)) && bms_membership(clause->clause_relids) == BMS_MULTIPLE &&
         clause->orclause == nullptr;
}

bool IsParent(const PlannerInfo* root, const RelOptInfo* rel) {
  return rel != nullptr && IS_SIMPLE_REL(rel) && rel->rtekind == RTE_RELATION && root->simple_rte_array[rel->relid]->inh;
}

// Of a partitioned table, from the trees over its partitions, each by its rows. Those without a tree are taken for like the others.
bool EstimateOverParts(PlannerInfo* root, const RelOptInfo* parent, RestrictInfo* clause, ScanEstimate* out) {
  double rows = 0, found = 0, unmatched = 1;
  ListCell* cell;
  foreach (cell, root->append_rel_list) {
    auto* info = lfirst_node(AppendRelInfo, cell);
    RelOptInfo* part = root->simple_rel_array[info->child_relid];
    if (info->parent_relid != parent->relid || part == nullptr || IS_DUMMY_REL(part)) continue;
    Node* translated = adjust_appendrel_attrs(root, reinterpret_cast<Node*>(clause), 1, &info);
    if (!IsA(translated, RestrictInfo)) continue;
    auto* condition = reinterpret_cast<RestrictInfo*>(translated);
    ScanEstimate estimate = {};
    const bool known = IsParent(root, part) ? EstimateOverParts(root, part, condition, &estimate)
                                            : IsTable(root, part) && EstimateCondition(root, part, condition, MatchJoin, &estimate);
    if (!known) continue;
    rows += part->tuples;
    found += estimate.share * part->tuples;
    unmatched *= 1 - estimate.matched;
  }
  if (rows <= 0) return false;
  *out = {true, std::max(found / rows, kLeast), 0, 1 - unmatched, false};
  return true;
}

// What the joins of a partitioned table come to. Its partitions have conditions, and paths, of their own.
void CorrectJoinsOfParent(PlannerInfo* root, const RelOptInfo* rel, Corrections* all) {
  ListCell* cell;
  foreach (cell, rel->joininfo) {
    auto* clause = lfirst_node(RestrictInfo, cell);
    ScanEstimate estimate;
    if (!MayBeGuessedJoin(clause) || list_member_ptr(all->joins, clause) || !EstimateOverParts(root, rel, clause, &estimate)) continue;
    clause->norm_selec = estimate.share;
    clause->outer_selec = ShareWithMatch(root, rel, clause, estimate);
    all->joins = lappend(all->joins, clause);
  }
}

// From the tree over this table, asked for what the other table holds.
bool CorrectJoins(PlannerInfo* root, RelOptInfo* rel, Corrections* all) {
  bool some = false;
  ListCell* cell;
  foreach (cell, rel->joininfo) {
    auto* clause = lfirst_node(RestrictInfo, cell);
    if (!MayBeGuessedJoin(clause)) continue;
    if (list_member_ptr(all->joins, clause)) {
      some = true;
      continue;
    }
    ScanEstimate estimate;
    if (!EstimateCondition(root, rel, clause, MatchJoin, &estimate)) continue;
    clause->norm_selec = estimate.share;
    clause->outer_selec = ShareWithMatch(root, rel, clause, estimate);
    all->joins = lappend(all->joins, clause);
    some = true;
  }
  return some;
}

void LookAtTables(PlannerInfo* root, Corrections* all) {
  for (int i = 1; i < root->simple_rel_array_size; i++) {
    RelOptInfo* rel = root->simple_rel_array[i];
    const double before = rel != nullptr ? rel->rows : 0;
    if (!CorrectRows(root, rel)) continue;
    CorrectParents(root, i, rel->rows - before);
    all->changed = bms_add_member(all->changed, i);
  }
  for (int i = 1; i < root->simple_rel_array_size; i++) {
    RelOptInfo* rel = root->simple_rel_array[i];
    if (!IsTable(root, rel) || rel->joininfo == NIL || !CorrectJoins(root, rel, all)) continue;
    all->changed = bms_add_member(all->changed, i);
  }
  for (int i = 1; i < root->simple_rel_array_size; i++) {
    const RelOptInfo* rel = root->simple_rel_array[i];
    if (IsParent(root, rel) && rel->joininfo != NIL) CorrectJoinsOfParent(root, rel, all);
  }
}

// Rows of the paths that are made for given rows of other tables.
void CorrectParameterized(PlannerInfo* root, RelOptInfo* rel, const List* joins) {
  ListCell* cell;
  // Conditions that the tree saw together let more rows through, or fewer, than one after the other.
  const double apart = rel->tuples * clauselist_selectivity(root, rel->baserestrictinfo, 0, JOIN_INNER, nullptr);
  const double together = apart > 0 ? rel->rows / apart : 1;
  foreach (cell, rel->joininfo) {
    auto* clause = lfirst_node(RestrictInfo, cell);
    if (!list_member_ptr(joins, clause) || !join_clause_is_movable_to(clause, rel)) continue;
    Relids outer = bms_union(bms_difference(clause->clause_relids, rel->relids), rel->lateral_relids);
    (void)get_baserel_parampathinfo(root, rel, outer);
  }
  foreach (cell, rel->ppilist) {
    auto* parameters = lfirst_node(ParamPathInfo, cell);
    List* others = NIL;
    Selectivity selectivity = 1;
    ListCell* clause;
    foreach (clause, parameters->ppi_clauses) {
      if (list_member_ptr(joins, lfirst(clause)))
        selectivity *= lfirst_node(RestrictInfo, clause)->norm_selec;
      else
        others = lappend(others, lfirst(clause));
    }
    const double rows = get_parameterized_baserel_size(root, rel, others) * selectivity;
    parameters->ppi_rows = clamp_row_est(std::min(rows * together, rel->rows));
  }
}

void MakePaths(PlannerInfo* root, RelOptInfo* rel, Index relid, RangeTblEntry* entry) {
  if (MayEstimate(root)) {
    auto* all = PlannerNotes<PlannerInfo, Corrections>::Of(root);
    if (!all->looked) {
      all->looked = true;
      LookAtTables(root, all);
    }
    if (bms_is_member(static_cast<int>(relid), all->changed)) {
      CorrectParameterized(root, rel, all->joins);
      MakePathsAgain(root, rel);
    }
  }
  if (next_hook != nullptr) next_hook(root, rel, relid, entry);
}

}  // namespace

bool RowCountsAreCorrected(PlannerInfo* root) {
  const auto* all = PlannerNotes<PlannerInfo, Corrections>::Find(root);
  return all != nullptr && all->looked && MayEstimate(root);
}

void CorrectRowCounts() {
  next_hook = set_rel_pathlist_hook;
  set_rel_pathlist_hook = MakePaths;
}

}  // namespace xtree
