// See argument_sample.h.
#include "planner/argument_sample.h"

#include "pg/compat_planner.h"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
}

namespace xtree {

namespace {

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

// The argument's value for each value, from the first one on, of what is unknown in it. One that is not known then is left out.
void Evaluate(PlannerInfo* root, Node* argument, const Node* unknown, int first, ArgumentSample* sample) {
  const Oid type = exprType(unknown);
  int16 length;
  bool by_value;
  get_typlenbyval(type, &length, &by_value);
  int kept = first;
  for (int i = first; i < sample->count; i++) {
    Const* value = makeConst(type, -1, exprCollation(unknown), length, sample->value[i], sample->null[i], by_value);
    Substitution substitution = {unknown, reinterpret_cast<Node*>(value)};
    const Node* result = estimate_expression_value(root, Substitute(argument, &substitution));
    if (!IsA(result, Const)) continue;
    sample->value[kept] = reinterpret_cast<const Const*>(result)->constvalue;
    sample->null[kept++] = reinterpret_cast<const Const*>(result)->constisnull;
  }
  sample->count = kept;
}

}  // namespace

const IndexSample& OwnSample::Get() {
  constexpr int kOwnValues = 32;
  if (sample_.count == 0) sample_ = SampleOfIndex(index_, *state_, kOwnValues, kOwnValues);
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

bool SampleOfExpression(PlannerInfo* root, Node* expression, int most, ArgumentSample* out) {
  Unknowns unknowns = {};
  FindUnknowns(expression, &unknowns);
  if (unknowns.one == nullptr || unknowns.many || !IsA(unknowns.one, Var) || contain_volatile_functions(expression)) return false;
  if (expression != unknowns.one && !IsCheap(root, expression)) return false;
  const int before = out->count;
  if (!SampleOfColumn(root, reinterpret_cast<Var*>(unknowns.one), most, out)) return false;
  if (expression != unknowns.one) Evaluate(root, expression, unknowns.one, before, out);
  return out->count > before;
}

bool SampleOfArgument(PlannerInfo* root, const RelOptInfo* table, int column, OwnSample* own, Node* argument, ArgumentSample* out) {
  out->count = 0;
  if (SampleOfExpression(root, argument, ArgumentSample::kMost, out)) return true;
  Unknowns unknowns = {};
  FindUnknowns(argument, &unknowns);
  if (unknowns.one == nullptr || unknowns.many || contain_volatile_functions(argument)) return false;
  if (argument != unknowns.one && !IsCheap(root, argument)) return false;
  out->count = 0;
  if (!MayRead(root, table) || !ValuesOfSample(own->state(), column, own->Get(), exprType(unknowns.one), out)) return false;
  if (argument != unknowns.one) Evaluate(root, argument, unknowns.one, 0, out);
  return out->count > 0;
}

}  // namespace xtree
