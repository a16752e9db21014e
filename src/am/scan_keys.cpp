#include "am/scan_keys.h"

extern "C" {
#include "utils/array.h"
#include "utils/lsyscache.h"
}

namespace xtree {

namespace {

Oid ArgumentType(Relation index, const ScanKeyData& key) {
  return OidIsValid(key.sk_subtype) ? key.sk_subtype : index->rd_opcintype[key.sk_attno - 1];
}

MarkRule RuleOf(XtreeMatch match) {
  switch (match) {
    case XTREE_MATCH_VALUE:
      return MarkRule::kValue;
    case XTREE_MATCH_VALUE_OR_EMPTY:
      return MarkRule::kValueOrEmpty;
    case XTREE_MATCH_EMPTY:
      return MarkRule::kEmpty;
    case XTREE_MATCH_NEVER:
      break;
  }
  return MarkRule::kNever;
}

// What one operator and argument ask of a column.
struct ColumnCondition {
  Interval lo[kMaxDimensions];
  Interval hi[kMaxDimensions];
  MarkRule rule;
  bool recheck;
};

void ConditionOf(Relation index, const IndexState& state, const ScanKeyData& key, Datum argument, ColumnCondition* out) {
  const ColumnState& type = state.column[key.sk_attno - 1];
  const int dimensions = type.column.dimensions;
  int64 lo_min[kMaxDimensions], lo_max[kMaxDimensions], hi_min[kMaxDimensions], hi_max[kMaxDimensions];
  std::fill_n(lo_min, dimensions, kOrdinalMin);
  std::fill_n(lo_max, dimensions, kOrdinalMax);
  std::fill_n(hi_min, dimensions, kOrdinalMin);
  std::fill_n(hi_max, dimensions, kOrdinalMax);
  XtreeConstraint constraint{lo_min, lo_max, hi_min, hi_max, XTREE_MATCH_VALUE, false};
  type.routine->constraint(&type.column, key.sk_strategy, ArgumentType(index, key), argument, &constraint);
  out->rule = RuleOf(constraint.match);
  out->recheck = constraint.recheck;
  for (int d = 0; d < dimensions; d++) {
    out->lo[d] = {lo_min[d], lo_max[d]};
    out->hi[d] = {hi_min[d], hi_max[d]};
  }
}

void RequireOperator(Relation index, const IndexState& state, const ScanKeyData& key, Constraint* out) {
  const int column = key.sk_attno - 1;
  const int first = state.layout.first_dimension[column];
  ColumnCondition condition;
  ConditionOf(index, state, key, key.sk_argument, &condition);
  out->Require(column, condition.rule);
  out->recheck |= condition.recheck;
  for (int d = 0; d < state.column[column].column.dimensions; d++) {
    out->RequireLo(first + d, condition.lo[d]);
    out->RequireHi(first + d, condition.hi[d]);
  }
}

struct ArrayElements {
  Datum* value;
  bool* isnull;
  int count;
};

ArrayElements Deconstruct(Datum argument) {
  ArrayType* array = DatumGetArrayTypeP(argument);
  int16 length;
  bool by_value;
  char align;
  get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
  ArrayElements elements;
  deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &elements.value, &elements.isnull, &elements.count);
  return elements;
}

// Every alternative lies within the hull, so the kernels may test that first.
void RequireHull(const KeyLayout& layout, const AnyOf& group, Constraint* out) {
  const int first = layout.first_dimension[group.column], dimensions = layout.first_dimension[group.column + 1] - first;
  for (int i = 0; i < group.count; i++)
    if (group.rule[i] != MarkRule::kValue) return out->Require(group.column, MarkRule::kNotNull);
  out->Require(group.column, MarkRule::kValue);
  for (int d = 0; d < dimensions; d++) {
    Interval lo{kOrdinalMax, kOrdinalMin}, hi{kOrdinalMax, kOrdinalMin};
    for (int i = 0; i < group.count; i++) {
      const Interval& l = group.lo[i * dimensions + d];
      const Interval& h = group.hi[i * dimensions + d];
      lo = {std::min(lo.min, l.min), std::max(lo.max, l.max)};
      hi = {std::min(hi.min, h.min), std::max(hi.max, h.max)};
    }
    out->RequireLo(first + d, lo);
    out->RequireHi(first + d, hi);
  }
}

// `column op ANY (array)`. NULL elements match nothing, as every indexable operator is strict.
void AddAnyOf(Relation index, const IndexState& state, const ScanKeyData& key, AnyOf* group, Constraint* out) {
  const ArrayElements elements = Deconstruct(key.sk_argument);
  const int dimensions = state.column[key.sk_attno - 1].column.dimensions;
  const Size intervals = sizeof(Interval) * std::max<Size>(Size{1}, static_cast<Size>(elements.count) * dimensions);
  auto* rules = static_cast<MarkRule*>(palloc(std::max(elements.count, 1) * sizeof(MarkRule)));
  *group = {key.sk_attno - 1, 0, static_cast<Interval*>(palloc_extended(intervals, MCXT_ALLOC_HUGE)),
            static_cast<Interval*>(palloc_extended(intervals, MCXT_ALLOC_HUGE)), rules, false};
  ColumnCondition condition;
  for (int i = 0; i < elements.count; i++) {
    if (elements.isnull[i]) continue;
    ConditionOf(index, state, key, elements.value[i], &condition);
    if (condition.rule == MarkRule::kNever) continue;
    out->recheck |= condition.recheck;
    rules[group->count] = condition.rule;
    std::copy_n(condition.lo, dimensions, group->lo + static_cast<Size>(group->count) * dimensions);
    std::copy_n(condition.hi, dimensions, group->hi + static_cast<Size>(group->count) * dimensions);
    group->count++;
  }
  if (group->count > 0) group->Prepare(state.layout);
  if (group->count > 0) RequireHull(state.layout, *group, out);
}

double CallLowerBound(void* context, const Ordinal* lo, const Ordinal* hi) {
  const auto* order = static_cast<const XtreeOrder*>(context);
  return order->lower_bound(order, lo, hi);
}

double CallDistance(void* context, const Ordinal* lo, const Ordinal* hi) {
  const auto* order = static_cast<const XtreeOrder*>(context);
  return order->distance(order, lo, hi);
}

double NoLowerBound(void*, const Ordinal*, const Ordinal*) { return 0; }

}  // namespace

static_assert(std::is_same_v<int64, Ordinal> || sizeof(int64) == sizeof(Ordinal));

void ConstraintFromKeys(Relation index, const IndexState& state, const ScanKeyData* keys, int count, Constraint* out) {
  out->Initialize(state.layout);
  auto* any_of = static_cast<AnyOf*>(palloc(std::max(count, 1) * sizeof(AnyOf)));
  out->any_of = any_of;
  for (int i = 0; i < count; i++) {
    const ScanKeyData& key = keys[i];
    if (key.sk_flags & SK_SEARCHNULL)
      out->Require(key.sk_attno - 1, MarkRule::kNull);
    else if (key.sk_flags & SK_SEARCHNOTNULL)
      out->Require(key.sk_attno - 1, MarkRule::kNotNull);
    else if (key.sk_flags & SK_ISNULL)
      out->Require(key.sk_attno - 1, MarkRule::kNever);  // every indexable operator is strict
    else if (key.sk_flags & SK_SEARCHARRAY)
      AddAnyOf(index, state, key, &any_of[out->any_of_count++], out);
    else
      RequireOperator(index, state, key, out);
  }
}

void OrderFromKey(Relation index, const IndexState& state, const ScanKeyData& key, OrderKey* out) {
  const int column = key.sk_attno - 1;
  const ColumnState& type = state.column[column];
  *out = OrderKey{};
  out->key.first = state.layout.first_dimension[column];
  out->key.dimensions = type.column.dimensions;
  out->key.column = column;
  out->null_argument = key.sk_flags & SK_ISNULL;
  if (out->null_argument) {
    out->key.lower_bound = NoLowerBound;  // in whatever order: the distance is NULL for all
    out->key.distance = NoLowerBound;
    return;
  }
  if (type.routine->order == nullptr)
    elog(ERROR, "operator class of column %d of index \"%s\" has an ordering operator but no order callback", column + 1, RelationGetRelationName(index));
  out->order.dimensions = type.column.dimensions;
  type.routine->order(&type.column, key.sk_strategy, ArgumentType(index, key), key.sk_argument, &out->order);
  out->key.query = out->order.query;
  out->key.lower_bound = out->order.lower_bound != nullptr ? CallLowerBound : nullptr;
  out->key.distance = CallDistance;
  out->key.context = &out->order;
}

}  // namespace xtree
