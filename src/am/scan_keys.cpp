#include "am/scan_keys.h"

#include "am/limit_keys.h"
#include "core/scan/scan_node.h"
#include "xtree.h"

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

// What one operator and argument ask of a column. The arrays are palloc'd.
XtreeConstraint ConditionOf(Relation index, const IndexState& state, const ScanKeyData& key, Datum argument) {
  const ColumnState& type = state.column[key.sk_attno - 1];
  XtreeConstraint list{};
  XtreeConstraint* condition = xtree_add_alternative(&type.column, &list);
  type.routine->constraint(&type.column, key.sk_strategy, ArgumentType(index, key), argument, condition);
  return *condition;
}

void RequireCondition(const KeyLayout& layout, int column, const XtreeConstraint& condition, Constraint* out) {
  const int first = layout.first_dimension[column], dimensions = layout.first_dimension[column + 1] - first;
  out->Require(column, RuleOf(condition.match));
  out->recheck |= condition.recheck;
  for (int d = 0; d < dimensions; d++) {
    out->RequireLo(first + d, {condition.lo_min[d], condition.lo_max[d]});
    out->RequireHi(first + d, {condition.hi_min[d], condition.hi_max[d]});
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

int CountAlternatives(const XtreeConstraint* condition) {
  int count = 0;
  for (; condition != nullptr; condition = condition->alternative) count++;
  return count;
}

// A group with room for so many alternatives, and none so far.
AnyOf NewGroup(int column, int dimensions, int room) {
  const Size intervals = sizeof(Interval) * std::max<Size>(Size{1}, static_cast<Size>(room) * dimensions);
  const Size count = static_cast<Size>(std::max(room, 1));
  auto* rules = static_cast<MarkRule*>(palloc(count * sizeof(MarkRule)));
  return {.column = column,
          .count = 0,
          .lo = static_cast<Interval*>(palloc_extended(intervals, MCXT_ALLOC_HUGE)),
          .hi = static_cast<Interval*>(palloc_extended(intervals, MCXT_ALLOC_HUGE)),
          .rule = rules,
          .sorted = false,
          .recheck = static_cast<bool*>(palloc(count * sizeof(bool))),
          .order = static_cast<int*>(palloc_extended(count * sizeof(int), MCXT_ALLOC_HUGE)),
          .reach = static_cast<Ordinal*>(palloc_extended(count * sizeof(Ordinal), MCXT_ALLOC_HUGE)),
          .ordered = false};
}

// Alternatives are dropped from a group where they lie.
AnyOf CopyGroup(const KeyLayout& layout, const AnyOf& group) {
  const int dimensions = layout.first_dimension[group.column + 1] - layout.first_dimension[group.column];
  AnyOf copy = NewGroup(group.column, dimensions, group.count);
  copy.count = group.count;
  copy.sorted = group.sorted;
  copy.ordered = group.ordered;
  std::copy_n(group.lo, group.count * dimensions, copy.lo);
  std::copy_n(group.hi, group.count * dimensions, copy.hi);
  std::copy_n(group.rule, group.count, copy.rule);
  std::copy_n(group.recheck, group.count, copy.recheck);
  if (group.ordered) std::copy_n(group.order, group.count, copy.order), std::copy_n(group.reach, group.count, copy.reach);
  return copy;
}

void AddAlternatives(int dimensions, const XtreeConstraint* condition, AnyOf* group) {
  for (; condition != nullptr; condition = condition->alternative) {
    const MarkRule rule = RuleOf(condition->match);
    if (rule == MarkRule::kNever) continue;
    group->recheck[group->count] = condition->recheck;
    const Size first = static_cast<Size>(group->count) * dimensions;
    for (int d = 0; d < dimensions; d++) {
      group->lo[first + d] = {condition->lo_min[d], condition->lo_max[d]};
      group->hi[first + d] = {condition->hi_min[d], condition->hi_max[d]};
    }
    group->rule[group->count++] = rule;
  }
}

void AddGroup(const KeyLayout& layout, AnyOf group, Constraint* out) {
  if (group.count > 0) group.Prepare(layout);
  if (group.count > 0) RequireHull(layout, group, out);
  out->any_of[out->any_of_count++] = group;
}

// `column op argument`
void RequireOperator(Relation index, const IndexState& state, const ScanKeyData& key, Constraint* out) {
  const int column = key.sk_attno - 1, dimensions = state.column[column].column.dimensions;
  const XtreeConstraint condition = ConditionOf(index, state, key, key.sk_argument);
  if (condition.alternative == nullptr) return RequireCondition(state.layout, column, condition, out);
  AnyOf group = NewGroup(column, dimensions, CountAlternatives(&condition));
  AddAlternatives(dimensions, &condition, &group);
  AddGroup(state.layout, group, out);
}

// `column op ANY (array)`. NULL elements match nothing, as every indexable operator is strict.
void RequireAny(Relation index, const IndexState& state, const ScanKeyData& key, Constraint* out) {
  const int column = key.sk_attno - 1, dimensions = state.column[column].column.dimensions;
  const ArrayElements elements = Deconstruct(key.sk_argument);
  auto* conditions = static_cast<XtreeConstraint*>(palloc_extended(sizeof(XtreeConstraint) * std::max(elements.count, 1), MCXT_ALLOC_HUGE));
  int count = 0, alternatives = 0;
  for (int i = 0; i < elements.count; i++) {
    if (elements.isnull[i]) continue;
    conditions[count] = ConditionOf(index, state, key, elements.value[i]);
    alternatives += CountAlternatives(&conditions[count++]);
  }
  AnyOf group = NewGroup(column, dimensions, alternatives);
  for (int i = 0; i < count; i++) AddAlternatives(dimensions, &conditions[i], &group);
  AddGroup(state.layout, group, out);
}

// What the keys say, but for limits of distance. REQUIRES: room in any_of.
void RequireKeys(Relation index, const IndexState& state, const ScanKeyData* keys, int count, Constraint* out) {
  for (int i = 0; i < count; i++) {
    const ScanKeyData& key = keys[i];
    if (key.sk_flags & SK_SEARCHNULL)
      out->Require(key.sk_attno - 1, MarkRule::kNull);
    else if (key.sk_flags & SK_SEARCHNOTNULL)
      out->Require(key.sk_attno - 1, MarkRule::kNotNull);
    else if (key.sk_flags & SK_ISNULL)
      out->Require(key.sk_attno - 1, MarkRule::kNever);  // every indexable operator is strict
    else if (IsLimitKey(key))
      continue;  // LimitsFromKeys
    else if (key.sk_flags & SK_SEARCHARRAY)
      RequireAny(index, state, key, out);
    else
      RequireOperator(index, state, key, out);
  }
}

// The one alternative that is left, as a condition like any other.
void RequireOnly(const KeyLayout& layout, const AnyOf& group, Constraint* out) {
  const int first = layout.first_dimension[group.column], dimensions = layout.first_dimension[group.column + 1] - first;
  out->Require(group.column, group.rule[0]);
  out->recheck |= group.Recheck();
  for (int d = 0; d < dimensions; d++) {
    out->RequireLo(first + d, group.lo[d]);
    out->RequireHi(first + d, group.hi[d]);
  }
}

double CallLowerBound(void* context, const Ordinal* lo, const Ordinal* hi) {
  const auto* order = static_cast<const XtreeOrder*>(context);
  return order->lower_bound(order, lo, hi);
}

double CallDistance(void* context, const Ordinal* lo, const Ordinal* hi) {
  const auto* order = static_cast<const XtreeOrder*>(context);
  return order->distance(order, lo, hi);
}

double CallBestBound(void* context, const Ordinal* lo, const Ordinal* hi) {
  const auto* order = static_cast<const XtreeOrder*>(context);
  return order->best_bound(order, lo, hi);
}

double NoLowerBound(void*, const Ordinal*, const Ordinal*) { return 0; }

// Bounds of anything at all.
void MakeUnbounded(const KeyLayout& layout, Box* bounds) {
  std::fill_n(bounds->lo, layout.dimensions, kOrdinalMin);
  std::fill_n(bounds->hi, layout.dimensions, kOrdinalMax);
  bounds->marks = 0;
  for (int c = 0; c < layout.columns; c++) bounds->marks |= ColumnMarks(c, kMarkNull | kMarkEmpty);
}

// A value that meets all conditions lies within what they have in common.
void ClipToConstraint(const KeyLayout& layout, const Constraint& constraint, Box* bounds) {
  for (int d = 0; d < layout.dimensions; d++) {
    Interval within{constraint.lo[d].min, constraint.hi[d].max};
    if (!layout.dimension[d].extended) {
      within.Intersect(constraint.lo[d]);
      within.Intersect(constraint.hi[d]);
    }
    bounds->lo[d] = std::max(bounds->lo[d], within.min);
    bounds->hi[d] = std::min(bounds->hi[d], within.max);
  }
}

// False when all are left. What is left of a group narrows the constraint, and so perhaps other groups.
bool DropAlternatives(const KeyLayout& layout, const Box& bounds, Constraint* constraint) {
  bool dropped = false;
  int kept = 0;
  for (int i = 0; i < constraint->any_of_count; i++) {
    AnyOf group = constraint->any_of[i];
    const int before = group.count;
    if (!group.sorted) group.DropOutside(layout, bounds);
    dropped |= group.count < before;
    if (group.count == 1) {
      RequireOnly(layout, group, constraint);
      dropped = true;
      continue;
    }
    if (group.count > 0 && group.count < before) RequireHull(layout, group, constraint);
    constraint->any_of[kept++] = group;
  }
  constraint->any_of_count = kept;
  return dropped && kept > 0;
}

}  // namespace

static_assert(std::is_same_v<int64, Ordinal> || sizeof(int64) == sizeof(Ordinal));

void ConstraintFromKeys(Relation index, const IndexState& state, const ScanKeyData* keys, int count, Constraint* out) {
  out->Initialize(state.layout);
  out->any_of = static_cast<AnyOf*>(palloc(std::max(count, 1) * sizeof(AnyOf)));
  RequireKeys(index, state, keys, count, out);
}

void ExtendConstraint(Relation index, const IndexState& state, const Constraint& base, const ScanKeyData* keys, int count,
                      Constraint* out) {
  out->Initialize(state.layout);
  out->recheck = base.recheck;
  std::copy_n(base.rule, state.layout.columns, out->rule);
  std::copy_n(base.lo, state.layout.dimensions, out->lo);
  std::copy_n(base.hi, state.layout.dimensions, out->hi);
  out->any_of = static_cast<AnyOf*>(palloc(std::max(base.any_of_count + count, 1) * sizeof(AnyOf)));
  out->any_of_count = base.any_of_count;
  for (int i = 0; i < base.any_of_count; i++) out->any_of[i] = CopyGroup(state.layout, base.any_of[i]);
  RequireKeys(index, state, keys, count, out);
}

void BoundsOfTree(PageReader& reader, const KeyLayout& layout, Box* tree) {
  Box page;
  MakeEmpty(layout, tree);
  VisitNode(
      reader, kRootPointer,
      [&](const NodeView& node, Lsn) {
        node.Bounds(&page);
        Extend(layout, page, tree);
      },
      [&] { MakeEmpty(layout, tree); });
}

void NarrowAlternatives(PageReader& reader, const KeyLayout& layout, bool mvcc, Constraint* constraint) {
  if (constraint->any_of_count == 0) return;
  Box bounds;
  if (mvcc)
    BoundsOfTree(reader, layout, &bounds);
  else
    MakeUnbounded(layout, &bounds);
  do ClipToConstraint(layout, *constraint, &bounds);
  while (DropAlternatives(layout, bounds, constraint));
}

void SettleSlackWithin(const Box& tree, OrderKey* order) {
  if (order->key.query == nullptr || order->order.slack == nullptr) return;
  order->key.slack = order->order.slack(&order->order, tree.lo + order->key.first, tree.hi + order->key.first);
  if (!std::isfinite(order->key.slack)) order->key.query = nullptr;
}

void SettleSlack(PageReader& reader, const KeyLayout& layout, bool mvcc, OrderKey* orders, int count) {
  Box tree;
  bool known = false;
  for (int i = 0; i < count; i++) {
    OrderKey& order = orders[i];
    if (order.key.query == nullptr || order.order.slack == nullptr) continue;
    if (mvcc && !known) BoundsOfTree(reader, layout, &tree);
    known = mvcc;
    if (known)
      SettleSlackWithin(tree, &order);
    else
      order.key.query = nullptr;
  }
}

void OrderFromKey(Relation index, const IndexState& state, ScanKeyData* scan_key, OrderKey* out) {
  const ScanKeyData& key = *scan_key;
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
    elog(ERROR, "operator class of column %d of index \"%s\" has an ordering operator but no order callback", column + 1,
         RelationGetRelationName(index));
  out->order.dimensions = type.column.dimensions;
  out->order.function = OidIsValid(key.sk_func.fn_oid) ? &scan_key->sk_func : nullptr;
  out->order.collation = key.sk_collation;
  type.routine->order(&type.column, key.sk_strategy, ArgumentType(index, key), key.sk_argument, &out->order);
  out->key.query = out->order.query;
  out->key.rounding = out->order.rounding;
  out->key.lower_bound = out->order.lower_bound != nullptr ? CallLowerBound : nullptr;
  out->key.distance = CallDistance;
  out->key.best_bound = out->order.best_bound != nullptr ? CallBestBound : nullptr;
  out->key.context = &out->order;
}

}  // namespace xtree
