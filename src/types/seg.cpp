// Operator class for contrib/seg: an interval of two float4 is a point of two dimensions, its lower and its upper bound.
//
// As points, not as an extended interval: seg takes '5 (+-) -1', whose lower bound lies above the upper one. Marks such as ~ < > and the number
// of digits take part in `=` alone, which is rechecked.
//
// Called by the access method through XtreeTypeRoutine. No locks, no WAL.
#include <cmath>

#include "types/scalar.h"

namespace xtree {
namespace {

enum Strategy : StrategyNumber {  // gist_seg_ops's numbers
  kLeft = 1,
  kOverLeft = 2,
  kOverlap = 3,
  kOverRight = 4,
  kRight = 5,
  kSame = 6,
  kContains = 7,
  kContainedBy = 8,
};

// The beginning of contrib/seg's type, which has no length word.
struct Segment {
  float4 lower;
  float4 upper;
};

enum Dimension : int { kLower = 0, kUpper = 1 };

// -0 equals +0 for seg's operators, so it is stored as that.
int64 OrdinalOf(float4 bound) { return xtree_ordinal_from_float4(bound + 0.0F); }

void Bounds(const XtreeColumn*, Datum value, XtreeBounds* out) {
  const auto* segment = reinterpret_cast<const Segment*>(DatumGetPointer(value));
  out->lo[kLower] = out->hi[kLower] = OrdinalOf(segment->lower);
  out->lo[kUpper] = out->hi[kUpper] = OrdinalOf(segment->upper);
  out->empty = false;
}

class Condition {
 public:
  explicit Condition(XtreeConstraint* out) : out_(*out) {}
  void AtLeast(Dimension dimension, int64 ordinal) { out_.lo_min[dimension] = ordinal; }
  void AtMost(Dimension dimension, int64 ordinal) { out_.hi_max[dimension] = ordinal; }

 private:
  XtreeConstraint& out_;
};

// (q.upper <= upper and lower <= q.upper), or upper in [q.lower, q.upper]: as seg has it, also for segments whose bounds are the wrong way round.
void ConstrainOverlap(const XtreeColumn* column, int64 lower, int64 upper, XtreeConstraint* out) {
  XtreeConstraint* reversed = xtree_add_alternative(column, out);
  Condition(reversed).AtLeast(kUpper, lower);
  Condition(reversed).AtMost(kUpper, upper);
  if (lower > upper) lower = upper;  // the first of the two alone
  Condition(out).AtLeast(kUpper, lower);
  Condition(out).AtMost(kLower, upper);
}

void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const auto* query = reinterpret_cast<const Segment*>(DatumGetPointer(argument));
  const int64 lower = OrdinalOf(query->lower), upper = OrdinalOf(query->upper);
  Condition is(out);
  switch (strategy) {
    case kLeft:  // below every ordinal of the query's lower bound; none is below the least
      return is.AtMost(kUpper, lower - 1);
    case kOverLeft:
      return is.AtMost(kUpper, upper);
    case kOverlap:
      return ConstrainOverlap(column, lower, upper, out);
    case kOverRight:
      return is.AtLeast(kLower, lower);
    case kRight:
      return is.AtLeast(kLower, upper + 1);
    case kSame:
      is.AtLeast(kLower, lower);
      is.AtMost(kLower, lower);
      is.AtLeast(kUpper, upper);
      is.AtMost(kUpper, upper);
      out->recheck = true;
      return;
    case kContains:
      is.AtMost(kLower, lower);
      return is.AtLeast(kUpper, upper);
    case kContainedBy:
      is.AtLeast(kLower, lower);
      return is.AtMost(kUpper, upper);
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

constexpr XtreeTypeRoutine Routine() {
  XtreeTypeRoutine routine = ScalarRoutine(Encoding::kSeg, 4, XTREE_SCALAR_FLOAT32, Bounds, Constrain, nullptr);
  routine.dimensions = 2;
  return routine;
}

constexpr XtreeTypeRoutine kRoutine = Routine();

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_seg_support, xtree::kRoutine)
