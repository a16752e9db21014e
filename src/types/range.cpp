// Operator classes for anyrange and anymultirange: core GiST's range_ops and multirange_ops, with their strategy numbers.
//
// A value is the interval from its first lower to its last upper bound (range_line.h); an empty one has the empty mark.
// A multirange's gaps are not stored, so operators that see them are rechecked, and so is what ordinals cannot tell apart.
// Where bounds have no ordinals at all, a hash of the value finds equal ones.
// Called by the access method through XtreeTypeRoutine. No locks, no WAL; may read the type cache.
#include "types/range_line.h"

extern "C" {
#include "catalog/pg_type_d.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
}

#include "pg/compat.h"
#include "types/routine.h"
#include "types/support_function.h"
#include "xtree.h"

namespace xtree {
namespace {

// Strategies, the same for both classes and both types of argument, as in core GiST.
constexpr StrategyNumber kBefore = 1;
constexpr StrategyNumber kOverLeft = 2;
constexpr StrategyNumber kOverlaps = 3;
constexpr StrategyNumber kOverRight = 4;
constexpr StrategyNumber kAfter = 5;
constexpr StrategyNumber kAdjacent = 6;
constexpr StrategyNumber kContains = 7;
constexpr StrategyNumber kContainedBy = 8;
constexpr StrategyNumber kContainsElement = 16;
constexpr StrategyNumber kEqual = 18;

// The line of ordinals goes with the routine that an index has.
struct RangeRoutine {
  XtreeTypeRoutine routine;
  RangeLine line;
  const XtreeTypeRoutine* by_encoding;  // whether it is of ranges or multiranges
  RangeRoutine* next;
};

const RangeLine& LineOf(const XtreeColumn* column) { return reinterpret_cast<const RangeRoutine*>(column->routine)->line; }

// From the first lower to the last upper bound of a range or multirange.
struct Hull {
  RangeBound lower;
  RangeBound upper;
  bool empty;
  bool gaps;
};

Hull HullOfRange(const RangeLine& line, Datum value) {
  Hull hull{};
  range_deserialize(line.range_type(), DatumGetRangeTypeP(value), &hull.lower, &hull.upper, &hull.empty);
  return hull;
}

Hull HullOfMultirange(const RangeLine& line, Datum value) {
  const MultirangeType* multirange = DatumGetMultirangeTypeP(value);
  Hull hull{};
  hull.empty = MultirangeIsEmpty(multirange);
  if (hull.empty) return hull;
  RangeBound unused;
  const uint32 last = multirange->rangeCount - 1;
  multirange_get_bounds(line.range_type(), multirange, 0, &hull.lower, &hull.upper);
  if (last > 0) multirange_get_bounds(line.range_type(), multirange, last, &unused, &hull.upper);
  hull.gaps = last > 0;
  return hull;
}

bool IsMultirange(Oid type) { return type == ANYMULTIRANGEOID || (type != ANYRANGEOID && type_is_multirange(type)); }

void BoundsOf(const RangeLine& line, const Hull& hull, XtreeBounds* out) {
  out->empty = hull.empty;
  if (hull.empty) return;
  out->lo[0] = line.Of(hull.lower).ordinal;
  out->hi[0] = line.Of(hull.upper).ordinal;
}

// What the least ordinal stands for in an int8range, as the second dimension says.
constexpr int64 kLowerIsLeast = 0;         // [-2^63, ...)
constexpr int64 kUnboundedLower = 1;       // (, ...)
constexpr int64 kUnboundedBelowLeast = 2;  // (, -2^63), and not (, -2^63 + 1)

int64 EndsAtLeast(const Hull& hull) {
  if (!hull.lower.infinite) return kLowerIsLeast;
  const bool below = !hull.upper.infinite && DatumGetInt64(hull.upper.val) == PG_INT64_MIN;
  return below ? kUnboundedBelowLeast : kUnboundedLower;
}

void RangeBounds(const XtreeColumn* column, Datum value, XtreeBounds* out) {
  const RangeLine& line = LineOf(column);
  const Hull hull = HullOfRange(line, value);
  BoundsOf(line, hull, out);
  if (hull.empty) return;
  if (line.encoding() == RangeEncoding::kCanonical) out->lo[1] = out->hi[1] = EndsAtLeast(hull);
  if (line.encoding() == RangeEncoding::kOpaque) out->lo[1] = out->hi[1] = line.HashOf(value);
}

void MultirangeBounds(const XtreeColumn* column, Datum value, XtreeBounds* out) {
  const RangeLine& line = LineOf(column);
  const Hull hull = HullOfMultirange(line, value);
  BoundsOf(line, hull, out);
  if (line.encoding() == RangeEncoding::kOpaque && !hull.empty) out->lo[1] = out->hi[1] = line.HashOf(value);
}

// Conditions on a value's lower and upper bound. Where other bounds share the position, its ordinal is let in and the
// row rechecked.
class Condition {
 public:
  explicit Condition(XtreeConstraint* out) : out_(out) {}

  void LowerAtMost(RangePosition at) { AtMost(at, out_->lo_max); }
  void LowerAtLeast(RangePosition at) { AtLeast(at, out_->lo_min); }
  void UpperAtMost(RangePosition at) { AtMost(at, out_->hi_max); }
  void UpperAtLeast(RangePosition at) { AtLeast(at, out_->hi_min); }
  void LowerIs(RangePosition at) { LowerAtMost(at), LowerAtLeast(at); }
  void UpperIs(RangePosition at) { UpperAtMost(at), UpperAtLeast(at); }

  void UpperLess(RangePosition at) {
    if (at.exact && at.ordinal == PG_INT64_MIN) return Never();
    UpperAtMost({at.ordinal - at.exact, at.exact});
  }
  void LowerGreater(RangePosition at) {
    if (at.exact && at.ordinal == PG_INT64_MAX) return Never();
    LowerAtLeast({at.ordinal + at.exact, at.exact});
  }

  void OrEmpty() { out_->match = XTREE_MATCH_VALUE_OR_EMPTY; }
  void OnlyEmpty() { out_->match = XTREE_MATCH_EMPTY; }
  void Never() { out_->match = XTREE_MATCH_NEVER; }
  void RecheckIf(bool recheck) { out_->recheck |= recheck; }

 private:
  void AtMost(RangePosition at, int64* max) {
    max[0] = Min(max[0], at.ordinal);
    out_->recheck |= !at.exact;
  }
  void AtLeast(RangePosition at, int64* min) {
    min[0] = Max(min[0], at.ordinal);
    out_->recheck |= !at.exact;
  }

  XtreeConstraint* out_;
};

void ConstrainBefore(const RangeLine& line, const RangeBound& lower, Condition condition) {
  if (lower.infinite) return condition.Never();
  condition.UpperLess(line.Of(lower));
}

void ConstrainAfter(const RangeLine& line, const RangeBound& upper, Condition condition) {
  if (upper.infinite) return condition.Never();
  condition.LowerGreater(line.Of(upper));
}

void ConstrainOverlaps(const RangeLine& line, const Hull& query, Condition condition) {
  if (!query.upper.infinite) condition.LowerAtMost(line.Of(query.upper));
  if (!query.lower.infinite) condition.UpperAtLeast(line.Of(query.lower));
}

void ConstrainContains(const RangeLine& line, const Hull& query, Condition condition) {
  condition.LowerAtMost(line.Of(query.lower));
  condition.UpperAtLeast(line.Of(query.upper));
}

void ConstrainWithin(const RangeLine& line, const Hull& query, Condition condition) {
  if (!query.lower.infinite) condition.LowerAtLeast(line.Of(query.lower));
  if (!query.upper.infinite) condition.UpperAtMost(line.Of(query.upper));
}

// The bound of the other end that touches this one: at the same value, which one of the two includes.
RangeBound Touching(RangeBound bound) {
  bound.lower = !bound.lower;
  bound.inclusive = !bound.inclusive;
  return bound;
}

void ConstrainAdjacent(const XtreeColumn* column, const RangeLine& line, const Hull& query, XtreeConstraint* out) {
  Condition below(out), above(xtree_add_alternative(column, out));
  if (line.AdjacentAcrossValues()) {
    below.RecheckIf(true);
    above.RecheckIf(true);
    ConstrainBefore(line, query.lower, below);
    ConstrainAfter(line, query.upper, above);
    return;
  }
  query.lower.infinite ? below.Never() : below.UpperIs(line.Of(Touching(query.lower)));
  query.upper.infinite ? above.Never() : above.LowerIs(line.Of(Touching(query.upper)));
}

// An empty argument is contained in everything, contains and equals what is empty, and is nowhere.
void ConstrainByEmpty(StrategyNumber strategy, Condition condition) {
  switch (strategy) {
    case kContains:
      return condition.OrEmpty();
    case kContainedBy:
    case kEqual:
      return condition.OnlyEmpty();
    default:
      return condition.Never();
  }
}

void ConstrainByHull(const XtreeColumn* column, StrategyNumber strategy, const RangeLine& line, const Hull& query, XtreeConstraint* out) {
  Condition condition(out);
  switch (strategy) {
    case kBefore:
      return ConstrainBefore(line, query.lower, condition);
    case kOverLeft:
      return query.upper.infinite ? void() : condition.UpperAtMost(line.Of(query.upper));
    case kOverlaps:
      return ConstrainOverlaps(line, query, condition);
    case kOverRight:
      return query.lower.infinite ? void() : condition.LowerAtLeast(line.Of(query.lower));
    case kAfter:
      return ConstrainAfter(line, query.upper, condition);
    case kAdjacent:
      return ConstrainAdjacent(column, line, query, out);
    case kContains:
      return ConstrainContains(line, query, condition);
    case kContainedBy:
      condition.OrEmpty();
      return ConstrainWithin(line, query, condition);
    case kEqual:
      condition.LowerIs(line.Of(query.lower));
      return condition.UpperIs(line.Of(query.upper));
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

// Does the operator see gaps: of the column's values, or of the argument?
bool SeesOwnGaps(StrategyNumber strategy) {
  return strategy == kOverlaps || strategy == kContains || strategy == kContainsElement || strategy == kEqual;
}
bool SeesGapsOfArgument(StrategyNumber strategy) { return strategy == kOverlaps || strategy == kContainedBy || strategy == kEqual; }

void ConstrainByElement(const RangeLine& line, Datum element, Condition condition) {
  const RangePosition at = line.OfElement(element);
  condition.LowerAtMost(at);
  condition.UpperAtLeast(at);
}

template <bool kMultirange>
void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid argument_type, Datum argument, XtreeConstraint* out) {
  const RangeLine& line = LineOf(column);
  if (strategy == kContainsElement) {
    ConstrainByElement(line, argument, Condition(out));
    out->recheck |= kMultirange;
    return;
  }
  const Hull query = IsMultirange(argument_type) ? HullOfMultirange(line, argument) : HullOfRange(line, argument);
  if (query.empty) return ConstrainByEmpty(strategy, Condition(out));
  ConstrainByHull(column, strategy, line, query, out);
  if (line.encoding() == RangeEncoding::kOpaque && strategy == kEqual) out->lo_min[1] = out->lo_max[1] = line.HashOf(argument);
  out->recheck |= (kMultirange && SeesOwnGaps(strategy)) || (query.gaps && SeesGapsOfArgument(strategy));
}

Datum Reconstruct(const XtreeColumn* column, const int64* lo, const int64* hi, bool empty) {
  const RangeLine& line = LineOf(column);
  if (empty) return RangeTypePGetDatum(make_empty_range(line.range_type()));
  RangeBound lower = line.BoundAt(lo[0], true), upper = line.BoundAt(hi[0], false);
  if (line.encoding() == RangeEncoding::kCanonical && lower.infinite && lo[1] == kLowerIsLeast)
    lower = {.val = Int64GetDatum(PG_INT64_MIN), .infinite = false, .inclusive = true, .lower = true};
  if (line.encoding() == RangeEncoding::kCanonical && lo[1] == kUnboundedBelowLeast) upper.val = Int64GetDatum(PG_INT64_MIN);
  return RangeTypePGetDatum(pg::SerializeRange(line.range_type(), &lower, &upper));
}

// Is it a column of this operator class, or of its sister's?
bool IsOfRanges(const XtreeColumn* column) {
  const auto id = column->routine->encoding_id;
  return id >= static_cast<uint16>(Encoding::kRangeDoubled) && id <= static_cast<uint16>(Encoding::kMultirangeByElement);
}

// A bound that touches an end is at most one ordinal further out. (So values that overlap are let in too.)
int64 ReachOfAdjacent(int64 edge, bool, bool, bool most) {
  if (most) return edge == PG_INT64_MAX ? edge : edge + 1;
  return edge == PG_INT64_MIN ? edge : edge - 1;
}

// By the ends of ranges and multiranges alike, which are on the same line.
bool Join(const XtreeColumn* column, StrategyNumber strategy, const XtreeColumn* argument, XtreeJoin* out) {
  if (!IsOfRanges(argument)) return false;
  const RangeLine& line = LineOf(column);
  if (line.encoding() == RangeEncoding::kOpaque || !line.SameAs(LineOf(argument))) return false;
  out->dimensions = 1;
  out->empties = true;
  out->certain = column->routine->exact && argument->routine->exact;  // multiranges are not: their gaps
  switch (strategy) {
    case kOverlaps:
      out->empties = false;
      return true;
    case kContains:
      out->relation = XTREE_CONTAINS;
      return true;
    case kContainedBy:
      out->relation = XTREE_WITHIN;
      return true;
    case kEqual:
      out->relation = XTREE_SAME;
      return true;
    case kAdjacent:
      out->empties = false;
      out->reach = ReachOfAdjacent;
      out->certain = false;
      return !line.AdjacentAcrossValues();
    default:
      return false;
  }
}

constexpr bool IsExact(RangeEncoding encoding) { return encoding == RangeEncoding::kDoubled || encoding == RangeEncoding::kCanonical; }

constexpr decltype(XtreeTypeRoutine::coordinate) DisplayOf(RangeEncoding encoding) {
  if (encoding == RangeEncoding::kRounded) return nullptr;
  return encoding == RangeEncoding::kDoubled || encoding == RangeEncoding::kClamped ? NumberFromDoubled : NumberFromOrdinal;
}

constexpr uint16 DimensionsOf(RangeEncoding encoding, bool multirange) {
  return encoding == RangeEncoding::kOpaque || (encoding == RangeEncoding::kCanonical && !multirange) ? 2 : 1;
}

constexpr XtreeTypeRoutine RoutineOf(Encoding id, RangeEncoding encoding, bool multirange) {
  const XtreeScalar scalar = encoding == RangeEncoding::kRounded ? XTREE_SCALAR_FLOAT64 : XTREE_SCALAR_INTEGER;
  XtreeTypeRoutine routine = NewRoutine(id, DimensionsOf(encoding, multirange), 8, scalar, multirange ? MultirangeBounds : RangeBounds,
                                        multirange ? Constrain<true> : Constrain<false>);
  routine.extended = true;
  routine.exact = IsExact(encoding) && !multirange;
  routine.may_be_empty = true;
  routine.reconstruct = routine.exact ? Reconstruct : nullptr;
  routine.coordinate = DisplayOf(encoding);
  routine.join = Join;
  return routine;
}

// By encoding. All that depends on the subtype's operator class has one id, so that what changes is the version.
constexpr XtreeTypeRoutine kRange[] = {
    RoutineOf(Encoding::kRangeDoubled, RangeEncoding::kDoubled, false),
    RoutineOf(Encoding::kRangeClamped, RangeEncoding::kClamped, false),
    RoutineOf(Encoding::kRangeCanonical, RangeEncoding::kCanonical, false),
    RoutineOf(Encoding::kRangeRounded, RangeEncoding::kRounded, false),
    RoutineOf(Encoding::kRangeByElement, RangeEncoding::kBegun, false),
    RoutineOf(Encoding::kRangeByElement, RangeEncoding::kOpaque, false),
};
constexpr XtreeTypeRoutine kMultirange[] = {
    RoutineOf(Encoding::kMultirangeDoubled, RangeEncoding::kDoubled, true),
    RoutineOf(Encoding::kMultirangeClamped, RangeEncoding::kClamped, true),
    RoutineOf(Encoding::kMultirangeCanonical, RangeEncoding::kCanonical, true),
    RoutineOf(Encoding::kMultirangeRounded, RangeEncoding::kRounded, true),
    RoutineOf(Encoding::kMultirangeByElement, RangeEncoding::kBegun, true),
    RoutineOf(Encoding::kMultirangeByElement, RangeEncoding::kOpaque, true),
};

// A column says its type; without one the question is only what the operator class looks like. Each type has a routine of its own, and
// another one when the meaning of its ordinals changes, which an index that goes by the first does not see.
const XtreeTypeRoutine& RoutineFor(const XtreeTypeRoutine* by_encoding, const XtreeColumn* column) {
  if (column == nullptr) return by_encoding[static_cast<int>(RangeEncoding::kOpaque)];
  static RangeRoutine* known = nullptr;
  const RangeLine line(column->type);
  for (RangeRoutine* r = known; r != nullptr; r = r->next)
    if (r->by_encoding == by_encoding && r->line.SameAs(line)) return r->routine;
  auto* made = static_cast<RangeRoutine*>(MemoryContextAlloc(TopMemoryContext, sizeof(RangeRoutine)));
  *made = {by_encoding[static_cast<int>(line.encoding())], line, by_encoding, known};
  if (line.by_operator_class()) made->routine.encoding_id = by_encoding[static_cast<int>(RangeEncoding::kOpaque)].encoding_id;
  made->routine.encoding_version = line.version();
  made->routine.order_version = line.order_version();
  if (line.encoding() == RangeEncoding::kOpaque) made->routine.blind_strategies = line.has_hash() ? ~(1u << kEqual) : ~0u;
  known = made;
  return made->routine;
}

const XtreeColumn* ColumnArgument(FunctionCallInfo fcinfo) { return reinterpret_cast<const XtreeColumn*>(PG_GETARG_POINTER(0)); }

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_range_support, xtree::RoutineFor(xtree::kRange, xtree::ColumnArgument(fcinfo)))
XTREE_SUPPORT_FUNCTION(xtree_multirange_support, xtree::RoutineFor(xtree::kMultirange, xtree::ColumnArgument(fcinfo)))
