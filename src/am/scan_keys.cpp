#include "am/scan_keys.h"

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

void RequireOperator(Relation index, const IndexState& state, const ScanKeyData& key, Constraint* out) {
  const int column = key.sk_attno - 1;
  const ColumnState& type = state.column[column];
  const int first = state.layout.first_dimension[column], dimensions = type.column.dimensions;
  int64 lo_min[kMaxDimensions], lo_max[kMaxDimensions], hi_min[kMaxDimensions], hi_max[kMaxDimensions];
  std::fill_n(lo_min, dimensions, kOrdinalMin);
  std::fill_n(lo_max, dimensions, kOrdinalMax);
  std::fill_n(hi_min, dimensions, kOrdinalMin);
  std::fill_n(hi_max, dimensions, kOrdinalMax);
  XtreeConstraint constraint{lo_min, lo_max, hi_min, hi_max, XTREE_MATCH_VALUE, false};
  type.routine->constraint(&type.column, key.sk_strategy, ArgumentType(index, key), key.sk_argument, &constraint);
  out->Require(column, RuleOf(constraint.match));
  out->recheck |= constraint.recheck;
  for (int d = 0; d < dimensions; d++) {
    out->RequireLo(first + d, {lo_min[d], lo_max[d]});
    out->RequireHi(first + d, {hi_min[d], hi_max[d]});
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

double NoLowerBound(void*, const Ordinal*, const Ordinal*) { return 0; }

}  // namespace

static_assert(std::is_same_v<int64, Ordinal> || sizeof(int64) == sizeof(Ordinal));

void ConstraintFromKeys(Relation index, const IndexState& state, const ScanKeyData* keys, int count, Constraint* out) {
  out->Initialize(state.layout);
  for (int i = 0; i < count; i++) {
    const ScanKeyData& key = keys[i];
    if (key.sk_flags & SK_SEARCHNULL)
      out->Require(key.sk_attno - 1, MarkRule::kNull);
    else if (key.sk_flags & SK_SEARCHNOTNULL)
      out->Require(key.sk_attno - 1, MarkRule::kNotNull);
    else if (key.sk_flags & SK_ISNULL)
      out->Require(key.sk_attno - 1, MarkRule::kNever);  // every indexable operator is strict
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
