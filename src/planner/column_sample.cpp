// See column_sample.h.
#include "planner/column_sample.h"

#include "index/key_box.h"
#include "pg/compat_planner.h"
#include "planner/argument_sample.h"
#include "planner/planner_family.h"
#include "storage/buffer_reader.h"

extern "C" {
#include "access/genam.h"
#include "catalog/pg_statistic.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "parser/parsetree.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
}

namespace xtree {

namespace {

// Of `of` values, the i-th of `count` that lie evenly.
int Even(int i, int count, int of) { return static_cast<int>((int64{2} * i + 1) * of / (int64{2} * count)); }

void Append(Datum value, bool null, ArgumentSample* out) {
  out->value[out->count] = value;
  out->null[out->count++] = null;
}

// The column of the index that the argument is, with values that can be had from its entries; -1: none.
int ColumnOf(IndexOptInfo* info, const IndexState& state, Node* argument) {
  for (int i = 0; i < info->nkeycolumns; i++) {
    if (!match_index_to_operand(argument, i, info)) continue;
    if (state.column[i].routine->exact && state.column[i].column.type == getBaseType(exprType(argument))) return i;
  }
  return -1;
}

// The most common values or the histogram; of ranges the bounds' histogram, whose i-th lower and upper bound make a range.
bool SampleOfStatistics(PlannerInfo* root, Node* column, int most, ArgumentSample* out) {
  VariableStatData variable;
  examine_variable(root, column, 0, &variable);
  const int before = out->count;
  if (HeapTupleIsValid(variable.statsTuple) && variable.acl_ok) {
    for (const int kind : {STATISTIC_KIND_BOUNDS_HISTOGRAM, STATISTIC_KIND_HISTOGRAM, STATISTIC_KIND_MCV}) {
      AttStatsSlot slot;
      if (out->count > before || !get_attstatsslot(&slot, variable.statsTuple, kind, InvalidOid, ATTSTATSSLOT_VALUES)) continue;
      if (slot.valuetype == getBaseType(exprType(column))) {
        const int count = std::min(slot.nvalues, most);
        int16 length;
        bool by_value;
        get_typlenbyval(slot.valuetype, &length, &by_value);
        for (int i = 0; i < count; i++) Append(datumCopy(slot.values[Even(i, count, slot.nvalues)], by_value, length), false, out);
      }
      free_attstatsslot(&slot);
    }
  }
  ReleaseVariableStats(variable);
  return out->count > before;
}

bool SampleOfTree(IndexOptInfo* info, Node* column, int most, ArgumentSample* out) {
  constexpr int kLeaves = 16;
  if (!IsWholeXtree(info)) return false;
  const Relation index = index_open(info->indexoid, NoLock);
  const IndexState* state = CopyIndexState(index, MetaUse::kPlan);
  const bool usable = state->build_state == MetaBuildState::kBuilt && state->meta_read && !state->undecided;
  const int key = usable ? ColumnOf(info, *state, column) : -1;
  const bool sampled = key >= 0 && ValuesOfSample(*state, key, SampleOfIndex(index, *state, kLeaves, most), exprType(column), out);
  index_close(index, NoLock);
  return sampled;
}

bool SampleOfTable(PlannerInfo* root, const RelOptInfo* rel, Node* column, int most, ArgumentSample* out) {
  ListCell* cell;
  foreach (cell, rel->indexlist)
    if (SampleOfTree(lfirst_node(IndexOptInfo, cell), column, most, out)) return true;
  return SampleOfStatistics(root, column, most, out);
}

// Columns of tables, whose rows whoever asks may read: of a partition he may because he may read what it is a partition of.
bool SampleOfVar(PlannerInfo* root, const Var* column, bool may_read, int most, ArgumentSample* out);

// Each part by its share of the rows.
bool SampleOfParts(PlannerInfo* root, const Var* column, bool may_read, int most, ArgumentSample* out) {
  const auto each = [&](auto&& visit) {
    ListCell* cell;
    foreach (cell, root->append_rel_list) {
      const auto* part = lfirst_node(AppendRelInfo, cell);
      RelOptInfo* rel = root->simple_rel_array[part->child_relid];
      if (part->parent_relid != static_cast<Index>(column->varno) || rel == nullptr || IS_DUMMY_REL(rel)) continue;
      visit(*part, std::max(rel->tuples, 1.0));
    }
  };
  double all = 0, passed = 0;
  each([&](const AppendRelInfo&, double rows) { all += rows; });
  const int before = out->count;
  int asked = 0;
  each([&](const AppendRelInfo& part, double rows) {
    passed += rows;
    const int fair = static_cast<int>(most * passed / all + 0.5) - asked;
    if (fair <= 0 || column->varattno > list_length(part.translated_vars)) return;
    asked += fair;
    const Node* translated = static_cast<Node*>(list_nth(part.translated_vars, column->varattno - 1));
    if (translated != nullptr && IsA(translated, Var))
      (void)SampleOfVar(root, reinterpret_cast<const Var*>(translated), may_read, fair, out);
  });
  return out->count > before;
}

// As far as they are known while planning.
bool SampleOfValues(PlannerInfo* root, const RangeTblEntry* entry, const Var* column, int most, ArgumentSample* out) {
  const int rows = list_length(entry->values_lists), count = std::min(rows, most), before = out->count;
  for (int i = 0; i < count; i++) {
    const List* row = static_cast<List*>(list_nth(entry->values_lists, Even(i, count, rows)));
    auto* value = static_cast<Node*>(list_nth(row, column->varattno - 1));
    if (!IsA(value, Const) && IsCheap(root, value)) value = estimate_expression_value(root, value);
    if (!IsA(value, Const)) continue;
    const auto* constant = reinterpret_cast<const Const*>(value);
    Append(constant->constvalue, constant->constisnull, out);
  }
  return out->count > before;
}

// unnest(array)
bool SampleOfFunction(PlannerInfo* root, const RangeTblEntry* entry, const Var* column, int most, ArgumentSample* out) {
  if (list_length(entry->functions) != 1 || column->varattno != 1) return false;
  const Node* call = linitial_node(RangeTblFunction, entry->functions)->funcexpr;
  if (!IsA(call, FuncExpr) || reinterpret_cast<const FuncExpr*>(call)->funcid != F_UNNEST_ANYARRAY) return false;
  auto* argument = static_cast<Node*>(linitial(reinterpret_cast<const FuncExpr*>(call)->args));
  if (!IsA(argument, Const) && IsCheap(root, argument)) argument = estimate_expression_value(root, argument);
  if (!IsA(argument, Const) || reinterpret_cast<Const*>(argument)->constisnull) return false;
  ArrayType* array = DatumGetArrayTypeP(reinterpret_cast<Const*>(argument)->constvalue);
  int16 length;
  bool by_value;
  char align;
  get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
  Datum* value;
  bool* null;
  int all;
  deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &value, &null, &all);
  const int count = std::min(all, most);
  for (int i = 0; i < count; i++) Append(value[Even(i, count, all)], null[Even(i, count, all)], out);
  return count > 0;
}

// Nothing is told of what a view hides.
bool SampleOfQuery(PlannerInfo* subroot, const Var* column, int most, ArgumentSample* out) {
  if (subroot == nullptr || !IsA(subroot, PlannerInfo) || subroot->qual_security_level > 0 || subroot->parse->setOperations != nullptr)
    return false;
  const TargetEntry* target = get_tle_by_resno(subroot->parse->targetList, column->varattno);
  return target != nullptr && !target->resjunk && SampleOfExpression(subroot, reinterpret_cast<Node*>(target->expr), most, out);
}

// The planning of a CTE that is computed by itself; nullptr: it is not known.
PlannerInfo* PlanOfCte(PlannerInfo* root, const RangeTblEntry* entry) {
  PlannerInfo* holder = root;
  for (Index level = entry->ctelevelsup; level > 0 && holder != nullptr; level--) holder = holder->parent_root;
  if (holder == nullptr || entry->self_reference) return nullptr;
  int number = 0;
  ListCell* cell;
  foreach (cell, holder->parse->cteList) {
    if (strcmp(lfirst_node(CommonTableExpr, cell)->ctename, entry->ctename) == 0) break;
    number++;
  }
  if (number >= list_length(holder->cte_plan_ids)) return nullptr;
  const int plan = list_nth_int(holder->cte_plan_ids, number);
  return plan > 0 && plan <= list_length(root->glob->subroots) ? static_cast<PlannerInfo*>(list_nth(root->glob->subroots, plan - 1))
                                                               : nullptr;
}

bool SampleOfVar(PlannerInfo* root, const Var* column, bool may_read, int most, ArgumentSample* out) {
  if (column->varlevelsup != 0 || IS_SPECIAL_VARNO(column->varno) || static_cast<int>(column->varno) >= root->simple_rel_array_size)
    return false;
  const RelOptInfo* rel = root->simple_rel_array[column->varno];
  if (rel == nullptr || column->varattno <= 0) return false;
  const RangeTblEntry* entry = root->simple_rte_array[column->varno];
  may_read = may_read || (rel->rtekind == RTE_RELATION && MayRead(root, rel));
  if (entry->inh) return (may_read || rel->rtekind == RTE_SUBQUERY) && SampleOfParts(root, column, may_read, most, out);
  switch (rel->rtekind) {
    case RTE_RELATION:
      return may_read && SampleOfTable(root, rel, reinterpret_cast<Node*>(const_cast<Var*>(column)), most, out);
    case RTE_SUBQUERY:
      return !entry->security_barrier && SampleOfQuery(rel->subroot, column, most, out);
    case RTE_CTE:
      return SampleOfQuery(PlanOfCte(root, entry), column, most, out);
    case RTE_VALUES:
      return SampleOfValues(root, entry, column, most, out);
    case RTE_FUNCTION:
      return SampleOfFunction(root, entry, column, most, out);
    default:
      return false;
  }
}

}  // namespace

bool MayRead(PlannerInfo* root, const RelOptInfo* table) {
  const RangeTblEntry* entry = root->simple_rte_array[table->relid];
  return entry->securityQuals == NIL && pg_class_aclcheck(entry->relid, pg::UserOf(entry, table), ACL_SELECT) == ACLCHECK_OK;
}

IndexSample SampleOfIndex(Relation index, const IndexState& state, int leaves, int most) {
  BufferReader reader(index, state.layout, CurrentMemoryContext);
  auto* entry = static_cast<SampledEntry*>(palloc(sizeof(SampledEntry) * static_cast<Size>(most)));
  const int count = SampleEntries(reader, std::min(leaves, most), most, entry);
  reader.Reset();
  return {count, entry};
}

bool ValuesOfSample(const IndexState& state, int column, const IndexSample& sample, Oid type, ArgumentSample* out) {
  const ColumnState& described = state.column[column];
  if (!described.routine->exact || described.routine->reconstruct == nullptr || described.column.type != getBaseType(type)) return false;
  for (int i = 0; i < sample.count; i++) {
    bool null;
    const Datum value = ReconstructKey(state, column, sample.entry[i].box, &null);
    Append(value, null, out);
  }
  return sample.count > 0;
}

bool SampleOfColumn(PlannerInfo* root, const Var* column, int most, ArgumentSample* out) {
  return SampleOfVar(root, column, false, most, out);
}

}  // namespace xtree
