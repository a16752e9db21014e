// See join_condition.h. Pure computation.
#include "core/join/join_condition.h"

namespace xtree {
namespace {

constexpr Interval kNothing{kOrdinalMax, kOrdinalMin};

// What the intervals of both edges say of where a value lies: it begins at most at .max, and reaches at least to .min.
Interval SpanOf(Interval lo, Interval hi) { return {std::max(lo.min, hi.min), std::min(lo.max, hi.max)}; }

void Extend(Interval by, Interval* interval) { *interval = {std::min(interval->min, by.min), std::max(interval->max, by.max)}; }

// A bound of numbers, further out by a margin, and by more than that was rounded.
Ordinal MoveOut(Ordinal bound, double margin, bool most, Scalar scalar) {
  const bool narrow = scalar == Scalar::kFloat32;
  if (!std::isfinite(margin)) return most ? kOrdinalMax : kOrdinalMin;
  if (std::isnan(Decode(scalar, bound))) return bound;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double by = margin * (1 + 1e-12), value = Decode(scalar, bound);
  const double moved = most ? std::nextafter(value + by, kInfinity) : std::nextafter(value - by, -kInfinity);
  if (!narrow) return OrdinalFromDouble(moved);
  const auto cut = static_cast<float>(moved);
  constexpr float kNarrowInfinity = std::numeric_limits<float>::infinity();
  return OrdinalFromFloat(most ? std::nextafterf(cut, kNarrowInfinity) : std::nextafterf(cut, -kNarrowInfinity));
}

bool Within(Ordinal value, Interval interval) { return value >= interval.min && value <= interval.max; }

}  // namespace

void JoinShape::Compile(const KeyLayout& left, const KeyLayout& right, const JoinClause* clauses, int count) {
  layout_[0] = &left;
  layout_[1] = &right;
  clauses_ = std::min(count, kMaxJoinClauses);
  terms_ = 0;
  with_empties_ = 0;
  certain_ = 0;
  for (int c = 0; c < clauses_; ++c) {
    clause_[c] = clauses[c];
    clause_[c].empties &= clauses[c].relation != JoinRelation::kMeets;
    scalar_[c] = right.dimension[right.first_dimension[clauses[c].right_column]].scalar;
    with_empties_ |= static_cast<uint8_t>(clause_[c].empties << c);
    certain_ |= static_cast<uint8_t>(clause_[c].certain << c);
    for (int d = 0; d < clauses[c].dimensions && terms_ < kMaxJoinTerms; ++d) {
      term_[terms_++] = {static_cast<uint8_t>(c),
                         {static_cast<uint8_t>(left.first_dimension[clauses[c].left_column] + d),
                          static_cast<uint8_t>(right.first_dimension[clauses[c].right_column] + d)}};
    }
  }
}

bool JoinShape::Load(const NodeView& node, int entry, JoinSide side, JoinEdges* edges, uint8_t* empties) const {
  const int s = static_cast<int>(side);
  const uint64_t marks = node.Marks(entry);
  const uint64_t absent = layout_[s]->Absent(marks);
  *empties = 0;
  for (int c = 0; absent != 0 && c < clauses_; ++c) {
    const int column = s == 0 ? clause_[c].left_column : clause_[c].right_column;
    if (node.leaf() && (absent & ColumnMarks(column, kMarkNull))) return false;
    if (!(absent & ColumnMarks(column, kMarkEmpty))) continue;
    if (node.leaf() && !clause_[c].empties) return false;
    *empties |= static_cast<uint8_t>(clause_[c].empties << c);
  }
  for (int t = 0; t < terms_; ++t) {
    const bool empty = *empties >> term_[t].clause & 1;
    const int d = term_[t].dimension[s];
    edges->lo[t] = node.Lo(entry, d);
    edges->hi[t] = node.Hi(entry, d);
    if (empty && node.leaf()) edges->lo[t] = kOrdinalMax, edges->hi[t] = kOrdinalMin;
    if (edges->lo[t] > edges->hi[t] && !empty) return false;
  }
  return true;
}

void JoinShape::LoadNothing(JoinEdges* edges, uint8_t* empties) const {
  std::fill_n(edges->lo, kMaxJoinTerms, kOrdinalMax);
  std::fill_n(edges->hi, kMaxJoinTerms, kOrdinalMin);
  *empties = 0;
}

Ordinal JoinShape::Reach(int clause, Ordinal edge, bool left_upper, bool right_upper, bool most) const {
  const JoinClause& c = clause_[clause];
  if (c.reach != nullptr) edge = c.reach(edge, left_upper, right_upper, most);
  return c.margin != 0 ? MoveOut(edge, c.margin, most, scalar_[clause]) : edge;
}

// The edges of the left values lie within these intervals.
void JoinShape::WindowOf(const JoinEdges& left, bool leaf, JoinWindow* window) const {
  for (int t = 0; t < terms_; ++t) {
    const int c = term_[t].clause;
    Interval& lo = window->lo[t];
    Interval& hi = window->hi[t];
    lo = hi = Interval{};
    if (left.lo[t] > left.hi[t]) {  // empty values at most
      lo = hi = kNothing;
      continue;
    }
    const Interval lower{left.lo[t], leaf ? left.lo[t] : left.hi[t]};
    const Interval upper{leaf ? left.hi[t] : left.lo[t], left.hi[t]};
    const JoinRelation relation = clause_[c].relation;
    if (relation == JoinRelation::kMeets || relation == JoinRelation::kWithin) {
      lo.max = Reach(c, upper.max, true, false, true);
      hi.min = Reach(c, lower.min, false, true, false);
    }
    if (relation == JoinRelation::kContains || relation == JoinRelation::kSame) {
      lo.max = Reach(c, lower.max, false, false, true);
      hi.min = Reach(c, upper.min, true, true, false);
    }
    if (relation == JoinRelation::kWithin || relation == JoinRelation::kSame) {
      lo.min = Reach(c, lower.min, false, false, false);
      hi.max = Reach(c, upper.max, true, true, true);
    }
  }
}

// Is a pair of values of which these are empty one? Of nodes, of which some are empty: may there be one because of those?
bool JoinShape::EmptyPair(int clause, uint8_t left, uint8_t right) const {
  switch (clause_[clause].relation) {
    case JoinRelation::kContains:
      return left >> clause & 1;
    case JoinRelation::kWithin:
      return right >> clause & 1;
    case JoinRelation::kSame:
      return (left & right) >> clause & 1;
    case JoinRelation::kMeets:
      break;
  }
  return false;
}

bool JoinShape::Test(const JoinWindow& window, uint8_t left_empties, const JoinEdges& right, uint8_t right_empties, bool right_leaf) const {
  uint8_t settled = 0;  // clauses
  const uint8_t some_empty = left_empties | right_empties;
  for (int c = 0; some_empty >> c != 0; ++c) {
    if (!(some_empty >> c & 1)) continue;
    if (EmptyPair(c, left_empties, right_empties))
      settled |= static_cast<uint8_t>(1 << c);
    else if (right_leaf)
      return false;
  }
  for (int t = 0; t < terms_; ++t) {
    if (settled >> term_[t].clause & 1) continue;
    const Interval lo = window.lo[t], hi = window.hi[t];
    if (right_leaf) {
      if (!Within(right.lo[t], lo) || !Within(right.hi[t], hi)) return false;
    } else {
      const Interval span = SpanOf(lo, hi);
      if (right.lo[t] > span.max || right.hi[t] < span.min) return false;
    }
  }
  return true;
}

bool JoinShape::HoldsForCertain(const JoinEdges& left, uint8_t left_empties, const JoinEdges& right, uint8_t right_empties) const {
  if (((left_empties | right_empties) & certain_) != 0) return false;
  bool inside = true;
  for (int t = 0; t < terms_; ++t) {
    if (!(certain_ >> term_[t].clause & 1)) continue;
    for (const JoinEdges* edges : {&left, &right}) inside &= edges->lo[t] > kOrdinalMin && edges->hi[t] < kOrdinalMax;
  }
  return inside;
}

Interval JoinShape::Span(const JoinWindow& window, uint8_t empties, int term) const {
  if (empties >> term_[term].clause & 1) return {};
  const Interval span = SpanOf(window.lo[term], window.hi[term]);
  return {std::min(span.min, span.max), std::max(span.min, span.max)};
}

Interval JoinShape::Span(const JoinEdges& right, uint8_t empties, int term) const {
  if (empties >> term_[term].clause & 1) return {};
  return {right.lo[term], right.hi[term]};
}

void JoinShape::StartHull(JoinWindow* window) const {
  std::fill_n(window->lo, terms_, kNothing);
  std::fill_n(window->hi, terms_, kNothing);
}

void JoinShape::ExtendHull(const JoinWindow& by, JoinWindow* window) const {
  for (int t = 0; t < terms_; ++t) {
    Extend(by.lo[t], &window->lo[t]);
    Extend(by.hi[t], &window->hi[t]);
  }
}

void JoinShape::RequireLeft(Constraint* constraint) const {
  for (int c = 0; c < clauses_; ++c)
    constraint->Require(clause_[c].left_column, clause_[c].empties ? MarkRule::kNotNull : MarkRule::kValue);
}

void JoinShape::RequireRight(const JoinWindow& hull, uint8_t left_empties, Constraint* constraint) const {
  uint8_t all = 0;  // clauses in which some left value is in a pair with any right one
  for (int c = 0; c < clauses_; ++c) {
    const bool left_empty = left_empties >> c & 1;
    MarkRule rule = MarkRule::kValue;
    if (left_empty && clause_[c].relation == JoinRelation::kContains) {
      all |= static_cast<uint8_t>(1 << c);
      rule = MarkRule::kNotNull;
    } else if (clause_[c].empties &&
               (clause_[c].relation == JoinRelation::kWithin || (left_empty && clause_[c].relation == JoinRelation::kSame))) {
      rule = MarkRule::kValueOrEmpty;
    }
    constraint->Require(clause_[c].right_column, rule);
  }
  for (int t = 0; t < terms_; ++t) {
    if (all >> term_[t].clause & 1) continue;
    constraint->RequireLo(term_[t].dimension[1], hull.lo[t]);
    constraint->RequireHi(term_[t].dimension[1], hull.hi[t]);
  }
}

}  // namespace xtree
