// See argument_sample.h.
#include "planner/argument_sample.h"

#include "index/key_box.h"
#include "pg/compat_planner.h"
#include "planner/planner_family.h"
#include "storage/buffer_reader.h"

extern "C" {
#include "access/genam.h"
#include "catalog/pg_statistic.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "utils/acl.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
}

namespace xtree {

namespace {

bool MayRead(PlannerInfo* root, const RelOptInfo* table) {
  const RangeTblEntry* entry = root->simple_rte_array[table->relid];
  return entry->securityQuals == NIL && pg_class_aclcheck(entry->relid, pg::UserOf(entry, table), ACL_SELECT) == ACLCHECK_OK;
}

// The column of the index that the argument is, with values that can be had from its entries; -1: none.
int ColumnOf(IndexOptInfo* info, const IndexState& state, Node* argument) {
  for (int i = 0; i < info->nkeycolumns; i++) {
    if (!match_index_to_operand(argument, i, info)) continue;
    if (state.column[i].routine->exact && state.column[i].column.type == getBaseType(exprType(argument))) return i;
  }
  return -1;
}

// The most common values and the histogram; of ranges the bounds' histogram, whose i-th lower and upper bound make a range.
bool SampleOfStatistics(PlannerInfo* root, Node* argument, ArgumentSample* out) {
  VariableStatData variable;
  examine_variable(root, argument, 0, &variable);
  out->count = 0;
  if (HeapTupleIsValid(variable.statsTuple) && variable.acl_ok) {
    for (const int kind : {STATISTIC_KIND_BOUNDS_HISTOGRAM, STATISTIC_KIND_HISTOGRAM, STATISTIC_KIND_MCV}) {
      AttStatsSlot slot;
      if (out->count > 0 || !get_attstatsslot(&slot, variable.statsTuple, kind, InvalidOid, ATTSTATSSLOT_VALUES)) continue;
      if (slot.valuetype == getBaseType(exprType(argument))) {
        const int count = std::min(slot.nvalues, ArgumentSample::kMost);
        int16 length;
        bool by_value;
        get_typlenbyval(slot.valuetype, &length, &by_value);
        for (int i = 0; i < count; i++) {
          out->value[i] =
              datumCopy(slot.values[static_cast<int>((int64{2} * i + 1) * slot.nvalues / (int64{2} * count))], by_value, length);
          out->null[i] = false;
        }
        out->count = count;
      }
      free_attstatsslot(&slot);
    }
  }
  ReleaseVariableStats(variable);
  return out->count > 0;
}

// What is not known of an expression: one column of another table, or one parameter; nullptr: something else, or more than that.
struct Unknowns {
  Node* one;
  bool many;
};

bool FindUnknowns(Node* node, void* context) {
  auto* found = static_cast<Unknowns*>(context);
  if (node == nullptr) return false;
  if (IsA(node, Var) || IsA(node, Param)) {
    found->many |= found->one != nullptr && !equal(found->one, node);
    found->one = node;
    return false;
  }
  found->many |= IsA(node, PlaceHolderVar) || IsA(node, SubLink) || IsA(node, SubPlan);
  return pg::WalkExpression<FindUnknowns>(node, context);
}

struct Substitution {
  const Node* unknown;
  Node* value;
};

Node* Substitute(Node* node, void* context) {
  const auto* substitution = static_cast<Substitution*>(context);
  if (node == nullptr) return nullptr;
  if (equal(node, substitution->unknown)) return substitution->value;
  return pg::MutateExpression<Substitute>(node, context);
}

// The argument's value for each value of what is unknown in it. One that is not known then is left out.
void Evaluate(PlannerInfo* root, Node* argument, const Node* unknown, ArgumentSample* sample) {
  const Oid type = exprType(unknown);
  int16 length;
  bool by_value;
  get_typlenbyval(type, &length, &by_value);
  int kept = 0;
  for (int i = 0; i < sample->count; i++) {
    Const* value = makeConst(type, -1, exprCollation(unknown), length, sample->value[i], sample->null[i], by_value);
    Substitution substitution = {unknown, reinterpret_cast<Node*>(value)};
    const Node* result = estimate_expression_value(root, Substitute(argument, &substitution));
    if (!IsA(result, Const)) continue;
    sample->value[kept] = reinterpret_cast<const Const*>(result)->constvalue;
    sample->null[kept++] = reinterpret_cast<const Const*>(result)->constisnull;
  }
  sample->count = kept;
}

IndexSample SampleOfIndex(Relation index, const IndexState& state, int most) {
  constexpr int kLeaves = 16;
  BufferReader reader(index, state.layout, CurrentMemoryContext);
  auto* entry = static_cast<SampledEntry*>(palloc(sizeof(SampledEntry) * static_cast<Size>(most)));
  const int count = SampleEntries(reader, kLeaves, most, entry);
  reader.Reset();
  return {count, entry};
}

// The values that these entries have in a column, if it is of this type and an index-only scan could return them. False: not.
bool ValuesOfSample(const IndexState& state, int column, const IndexSample& sample, Oid type, ArgumentSample* out) {
  const ColumnState& described = state.column[column];
  if (!described.routine->exact || described.routine->reconstruct == nullptr || described.column.type != getBaseType(type)) return false;
  out->count = sample.count;
  for (int i = 0; i < sample.count; i++) out->value[i] = ReconstructKey(state, column, sample.entry[i].box, &out->null[i]);
  return out->count > 0;
}

bool SampleOfTree(IndexOptInfo* info, Node* argument, ArgumentSample* out) {
  if (!IsWholeXtree(info)) return false;
  const Relation index = index_open(info->indexoid, NoLock);
  const IndexState* state = CopyIndexState(index, MetaUse::kPlan);
  const int column =
      state->build_state == MetaBuildState::kBuilt && state->meta_read && !state->undecided ? ColumnOf(info, *state, argument) : -1;
  const bool sampled =
      column >= 0 && ValuesOfSample(*state, column, SampleOfIndex(index, *state, ArgumentSample::kMost), exprType(argument), out);
  index_close(index, NoLock);
  return sampled;
}

// From a tree over it, or else from what ANALYZE keeps.
bool SampleOfVar(PlannerInfo* root, Node* argument, ArgumentSample* out) {
  const auto* var = reinterpret_cast<Var*>(argument);
  if (var->varlevelsup != 0 || IS_SPECIAL_VARNO(var->varno) || static_cast<int>(var->varno) >= root->simple_rel_array_size) return false;
  const RelOptInfo* rel = root->simple_rel_array[var->varno];
  if (rel == nullptr || rel->rtekind != RTE_RELATION || !MayRead(root, rel)) return false;
  ListCell* cell;
  foreach (cell, rel->indexlist)
    if (SampleOfTree(lfirst_node(IndexOptInfo, cell), argument, out)) return true;
  return SampleOfStatistics(root, argument, out);
}

}  // namespace

const IndexSample& OwnSample::Get() {
  constexpr int kOwnValues = 16;
  if (sample_.count == 0) sample_ = SampleOfIndex(index_, *state_, kOwnValues);
  return sample_;
}

bool IsCheap(PlannerInfo* root, Node* argument) {
  constexpr double kOperators = 10;
  QualCost cost;
  cost_qual_eval_node(&cost, argument, root);
  return cost.startup + cost.per_tuple <= kOperators * cpu_operator_cost;
}

static bool FindColumn(Node* node, void*) {
  if (node == nullptr) return false;
  return IsA(node, Var) || IsA(node, PlaceHolderVar) || pg::WalkExpression<FindColumn>(node, nullptr);
}

bool HasColumns(Node* argument) { return FindColumn(argument, nullptr); }

bool SampleOfArgument(PlannerInfo* root, const RelOptInfo* table, int column, OwnSample* own, Node* argument, ArgumentSample* out) {
  Unknowns unknowns = {};
  FindUnknowns(argument, &unknowns);
  if (unknowns.one == nullptr || unknowns.many || contain_volatile_functions(argument)) return false;
  if (argument != unknowns.one && !IsCheap(root, argument)) return false;
  const bool sampled = (IsA(unknowns.one, Var) && SampleOfVar(root, unknowns.one, out)) ||
                       (MayRead(root, table) && ValuesOfSample(own->state(), column, own->Get(), exprType(unknowns.one), out));
  if (sampled && argument != unknowns.one) Evaluate(root, argument, unknowns.one, out);
  return sampled && out->count > 0;
}

}  // namespace xtree
