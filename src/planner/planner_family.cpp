// See planner_family.h.
#include "planner/planner_family.h"

#include "am/entry_points.h"
#include "index/index_state.h"
#include "pg/compat_planner.h"
#include "xtree.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_amop.h"
#include "utils/catcache.h"
#include "utils/syscache.h"
}

namespace xtree {

namespace {

const FormData_pg_amop& Operator(const CatCList* operators, int i) {
  return *reinterpret_cast<Form_pg_amop>(GETSTRUCT(&operators->members[i]->tuple));
}

bool IsLimit(const FormData_pg_amop& op) { return op.amopstrategy == XTREE_DISTANCE_LIMIT_STRATEGY; }

// Is every operator of one family in the other, with the same strategy number and purpose?
bool Within(const CatCList* operators, Oid family) {
  for (int i = 0; i < operators->n_members; i++) {
    const FormData_pg_amop& op = Operator(operators, i);
    if (IsLimit(op)) continue;
    const HeapTuple other = SearchSysCache3(AMOPOPID, ObjectIdGetDatum(op.amopopr), CharGetDatum(op.amoppurpose), ObjectIdGetDatum(family));
    if (!HeapTupleIsValid(other)) return false;
    const auto* form = reinterpret_cast<Form_pg_amop>(GETSTRUCT(other));
    const bool same = form->amopstrategy == op.amopstrategy && form->amopsortfamily == op.amopsortfamily;
    ReleaseSysCache(other);
    if (!same) return false;
  }
  return true;
}

// But for xtree's own way to limit a distance.
int CountOperators(const CatCList* operators) {
  int count = 0;
  for (int i = 0; i < operators->n_members; i++) count += !IsLimit(Operator(operators, i));
  return count;
}

bool SameOperators(Oid family, Oid other) {
  CatCList* operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family));
  CatCList* others = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(other));
  const bool same = CountOperators(operators) == others->n_members && Within(operators, other);
  ReleaseSysCacheList(operators);
  ReleaseSysCacheList(others);
  return same;
}

Oid PlannerFamilyOf(Relation index, int column) {
  ColumnState described;
  DescribeColumn(index, column, &described);
  return described.routine->planner_family != nullptr ? described.routine->planner_family(&described.column) : InvalidOid;
}

// No type of the server itself has such a support function.
bool MayHavePlannerFamily(const IndexOptInfo* info) {
  if (!IsXtree(info) || info->hypothetical) return false;
  for (int i = 0; i < info->nkeycolumns; i++)
    if (info->opcintype[i] >= FirstNormalObjectId) return true;
  return false;
}

void OfferFamilies(IndexOptInfo* info) {
  const Relation index = index_open(info->indexoid, NoLock);
  for (int i = 0; i < info->nkeycolumns; i++) {
    const Oid family = info->opcintype[i] >= FirstNormalObjectId ? PlannerFamilyOf(index, i) : InvalidOid;
    if (OidIsValid(family) && SameOperators(info->opfamily[i], family)) info->opfamily[i] = family;
  }
  index_close(index, NoLock);
}

void LookAtIndexes(PlannerInfo*, RelOptInfo* rel) {
  ListCell* cell;
  foreach (cell, rel->indexlist) {
    auto* index = lfirst_node(IndexOptInfo, cell);
    if (MayHavePlannerFamily(index)) OfferFamilies(index);
  }
}

}  // namespace

bool IsXtree(const IndexOptInfo* index) {
  return index->amcostestimate == reinterpret_cast<decltype(index->amcostestimate)>(xtreecostestimate);
}

bool IsWholeXtree(const IndexOptInfo* index) { return IsXtree(index) && !index->hypothetical && index->indpred == NIL; }

bool HasAllRowsAskedFor(const IndexOptInfo* index) {
  return IsXtree(index) && !index->hypothetical && index->indpred != NIL && index->predOK;
}

void OfferPlannerFamilies() { pg::IndexListHook<LookAtIndexes>::Install(); }

}  // namespace xtree
