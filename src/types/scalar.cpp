// B-tree's five strategies as one interval of ordinals, and `<>` as two; see scalar.h.
//
// Used by the scalar operator classes only. Pure computation: no locks, no WAL.
#include "types/scalar.h"

namespace xtree {
namespace {

void RequireAtMost(int64 max, XtreeConstraint* out) { out->lo_max[0] = max; }
void RequireAtLeast(int64 min, XtreeConstraint* out) { out->lo_min[0] = min; }

void RequireLess(int64 bound, XtreeConstraint* out) {
  if (bound == PG_INT64_MIN) {
    out->match = XTREE_MATCH_NEVER;
  } else {
    RequireAtMost(bound - 1, out);
  }
}

void RequireGreater(int64 bound, XtreeConstraint* out) {
  if (bound == PG_INT64_MAX) {
    out->match = XTREE_MATCH_NEVER;
  } else {
    RequireAtLeast(bound + 1, out);
  }
}

void RequireWithin(Place place, XtreeConstraint* out) {
  RequireAtLeast(place.first, out);
  RequireAtMost(place.last, out);
  if (place.first > place.last) out->match = XTREE_MATCH_NEVER;
}

constexpr XtreeColumn kOneDimension = {
    .type = InvalidOid, .collation = InvalidOid, .dimensions = 1, .options = nullptr, .routine = nullptr};

void RequireOutside(Place place, XtreeConstraint* out) {
  RequireGreater(place.last, xtree_add_alternative(&kOneDimension, out));
  RequireLess(place.first, out);
}

[[noreturn]] void ReportStrategy(StrategyNumber strategy) {
  elog(ERROR, "unrecognized strategy number: %d", strategy);
  pg_unreachable();
}

}  // namespace

void ConstrainExactly(StrategyNumber strategy, Place argument, XtreeConstraint* out) {
  switch (strategy) {
    case BTLessStrategyNumber:
      return RequireLess(argument.first, out);
    case BTLessEqualStrategyNumber:
      return RequireAtMost(argument.last, out);
    case BTEqualStrategyNumber:
      return RequireWithin(argument, out);
    case BTGreaterEqualStrategyNumber:
      return RequireAtLeast(argument.first, out);
    case BTGreaterStrategyNumber:
      return RequireGreater(argument.last, out);
    case kNotEqualStrategy:
      return RequireOutside(argument, out);
    default:
      ReportStrategy(strategy);
  }
}

void ConstrainRoughly(StrategyNumber strategy, Place argument, XtreeConstraint* out) {
  out->recheck = true;
  switch (strategy) {
    case BTLessStrategyNumber:
    case BTLessEqualStrategyNumber:
      return RequireAtMost(argument.last, out);
    case BTEqualStrategyNumber:
      return RequireWithin(argument, out);
    case BTGreaterEqualStrategyNumber:
    case BTGreaterStrategyNumber:
      return RequireAtLeast(argument.first, out);
    case kNotEqualStrategy:
      return;
    default:
      ReportStrategy(strategy);
  }
}

void ReportArgumentType(Oid argument_type) {
  elog(ERROR, "unexpected argument type %u of a comparison", argument_type);
  pg_unreachable();
}

}  // namespace xtree
