// Constraint and PageFilter: what a scan looks for, and the same as terms for the kernels.
//
// Called by scans only, from Begin (Compile) and for every page (Run). Run may be given a page that changes while it is
// read (a mapping): it reads flags and count once and clamps them, so it never leaves the page, and its caller throws
// the result away when the page has changed.
#include "core/filter/constraint.h"

#include <algorithm>
#include <cstring>

#include "core/filter/kernels.h"

namespace xtree {
namespace {

// The kinds of values that a rule lets through, as a set.
enum Kind : uint8_t { kOrdinary = 1, kEmptyValue = 2, kNullValue = 4 };

uint8_t Kinds(MarkRule rule) {
  switch (rule) {
    case MarkRule::kAny:
      return kOrdinary | kEmptyValue | kNullValue;
    case MarkRule::kValue:
      return kOrdinary;
    case MarkRule::kValueOrEmpty:
    case MarkRule::kNotNull:
      return kOrdinary | kEmptyValue;
    case MarkRule::kEmpty:
      return kEmptyValue;
    case MarkRule::kNull:
      return kNullValue;
    case MarkRule::kNever:
      break;
  }
  return 0;
}

MarkRule Meet(MarkRule a, MarkRule b) {
  const bool intervals = a == MarkRule::kValueOrEmpty || b == MarkRule::kValueOrEmpty;
  switch (Kinds(a) & Kinds(b)) {
    case kOrdinary | kEmptyValue | kNullValue:
      return MarkRule::kAny;
    case kOrdinary | kEmptyValue:
      return intervals ? MarkRule::kValueOrEmpty : MarkRule::kNotNull;
    case kOrdinary:
      return MarkRule::kValue;
    case kEmptyValue:
      return MarkRule::kEmpty;
    case kNullValue:
      return MarkRule::kNull;
    default:
      return MarkRule::kNever;
  }
}

Interval Range(uint8_t width) { return width == 8 ? Interval{} : Interval{INT32_MIN, INT32_MAX}; }

// Is there a value lo <= hi of this dimension with both in their intervals?
bool Satisfiable(const DimensionLayout& dimension, Interval lo, Interval hi) {
  lo.Intersect(Range(dimension.width));
  hi.Intersect(Range(dimension.width));
  if (lo.Empty() || hi.Empty()) return false;
  if (dimension.extended) return lo.min <= hi.max;
  lo.Intersect(hi);
  return !lo.Empty();
}

bool Passes(const FilterTerm& term, const uint8_t* block, unsigned slot) {
  const Ordinal value = LoadOrdinal(block + term.offset + slot * term.width, term.width);
  return !(term.test_min && value < term.min) && !(term.test_max && value > term.max);
}

}  // namespace

void Constraint::Initialize(const KeyLayout& layout) {
  recheck = false;
  any_of = nullptr;
  any_of_count = 0;
  limit = nullptr;
  limit_count = 0;
  std::fill_n(rule, layout.columns, MarkRule::kAny);
  std::fill_n(lo, layout.dimensions, Interval());
  std::fill_n(hi, layout.dimensions, Interval());
}

void Constraint::Require(int column, MarkRule other) { rule[column] = Meet(rule[column], other); }

MarkRule Constraint::Rule(const KeyLayout& layout, int column) const {
  bool constrained = false;
  bool satisfiable = true;
  for (int d = layout.first_dimension[column]; d < layout.first_dimension[column + 1]; ++d) {
    constrained |= !lo[d].Full() || !hi[d].Full();
    satisfiable &= Satisfiable(layout.dimension[d], lo[d], hi[d]);
  }
  MarkRule effective = rule[column];
  if (constrained && (effective == MarkRule::kAny || effective == MarkRule::kNotNull)) effective = MarkRule::kValue;
  if (satisfiable) return effective;
  if (effective == MarkRule::kValue) return MarkRule::kNever;
  return effective == MarkRule::kValueOrEmpty ? MarkRule::kEmpty : effective;
}

bool Constraint::Never(const KeyLayout& layout) const {
  for (int c = 0; c < layout.columns; ++c) {
    if (Rule(layout, c) == MarkRule::kNever) return true;
  }
  return std::any_of(any_of, any_of + any_of_count, [](const AnyOf& group) { return group.count == 0; });
}

void PageFilter::Compile(const KeyLayout& layout, const Constraint& constraint) {
  layout_ = &layout;
  SettleRecheck(constraint);
  never_ = constraint.Never(layout);
  any_of_ = constraint.any_of;
  any_of_count_ = constraint.any_of_count;
  limit_ = constraint.limit;
  limit_count_ = constraint.limit_count;
  for (Terms& terms : terms_) {
    terms.count = 0;
    terms.marks = {0, 0};
  }
  MarkRule rule[kMaxColumns];
  for (int c = 0; c < layout.columns; ++c) {
    rule[c] = constraint.Rule(layout, c);
    AddMarks(c, rule[c]);
    if (rule[c] == MarkRule::kValue) AddTerms(constraint, c);
  }
  for (Terms& terms : terms_) terms.strict = terms.count;
  for (int c = 0; c < layout.columns; ++c) {
    if (rule[c] == MarkRule::kValueOrEmpty) AddTerms(constraint, c);
  }
}

// A row that satisfies an alternative that says all needs no recheck, whatever the others say: few rows are near the edge of a
// window that is not quite known, and one odd value in a table is no reason to look at all the others.
void PageFilter::SettleRecheck(const Constraint& constraint) {
  recheck_ = constraint.recheck;
  recheck_some_ = false;
  for (int i = 0; i < constraint.any_of_count; ++i) {
    recheck_ |= constraint.any_of[i].count > 0 && constraint.any_of[i].RecheckAll();
    recheck_some_ |= constraint.any_of[i].Recheck();
  }
}

bool PageFilter::MustRecheck(const NodeView& leaf, int entry) const {
  if (recheck_ || !recheck_some_) return recheck_;
  return !std::all_of(any_of_, any_of_ + any_of_count_, [&](const AnyOf& group) { return group.Certain(leaf, entry); });
}

// Marks of a directory entry tell of some row below, so there they can be required but never forbidden.
void PageFilter::AddMarks(int column, MarkRule rule) {
  const uint64_t null = ColumnMarks(column, kMarkNull);
  const uint64_t empty = layout_->Absent(ColumnMarks(column, kMarkEmpty));
  const uint8_t kinds = Kinds(rule);
  if (rule == MarkRule::kNull || rule == MarkRule::kEmpty) {
    for (Terms& terms : terms_) terms.marks.required |= rule == MarkRule::kNull ? null : empty;
    return;
  }
  if (!(kinds & kNullValue)) terms_[0].marks.forbidden |= null;
  if (!(kinds & kEmptyValue)) terms_[0].marks.forbidden |= empty;
}

void PageFilter::AddTerms(const Constraint& constraint, int column) {
  for (int d = layout_->first_dimension[column]; d < layout_->first_dimension[column + 1]; ++d) {
    AddLeafTerms(d, constraint.lo[d], constraint.hi[d]);
    AddDirectoryTerms(d, constraint.lo[d], constraint.hi[d]);
  }
}

void PageFilter::AddLeafTerms(int dimension, Interval lo, Interval hi) {
  const DimensionLayout& d = layout_->dimension[dimension];
  if (d.extended) {
    AddTerm(0, dimension, d.lo[0], lo);
    AddTerm(0, dimension, d.hi[0], hi);
  } else {
    lo.Intersect(hi);
    AddTerm(0, dimension, d.lo[0], lo);
  }
}

// Bounds [L, H] hold some value with L <= lo <= hi <= H, so L must not be above, nor H below, what either may be. Where
// no row below has a value the bounds are inverted and every such test fails.
void PageFilter::AddDirectoryTerms(int dimension, Interval lo, Interval hi) {
  const DimensionLayout& d = layout_->dimension[dimension];
  AddTerm(1, dimension, d.lo[1], {kOrdinalMin, std::min(lo.max, hi.max)});
  AddTerm(1, dimension, d.hi[1], {std::max(lo.min, hi.min), kOrdinalMax});
}

void PageFilter::AddTerm(int directory, int dimension, uint16_t offset, Interval interval) {
  const uint8_t width = layout_->dimension[dimension].width;
  const Interval range = Range(width);
  const bool test_min = interval.min > range.min;
  const bool test_max = interval.max < range.max;
  if (!test_min && !test_max) return;  // full, for this width
  Terms& terms = terms_[directory];
  terms.column[terms.count] = layout_->dimension[dimension].column;
  terms.term[terms.count++] = {offset, width, test_min, test_max, interval.min, interval.max};
}

size_t PageFilter::PackedBytes() const {
  const size_t terms = static_cast<size_t>(terms_[0].count + terms_[1].count);
  const size_t bytes = sizeof(Packed) + terms * (sizeof(FilterTerm) + 1);
  return (bytes + alignof(Packed) - 1) / alignof(Packed) * alignof(Packed);
}

void PageFilter::Pack(uint8_t* to) const {
  static_assert(2 * kMaxDimensions <= UINT8_MAX && sizeof(Packed) % alignof(FilterTerm) == 0);
  Packed packed = {layout_, any_of_, limit_, any_of_count_, limit_count_, {}, {}, {}, never_, recheck_, recheck_some_};
  uint8_t* at = to + sizeof(Packed);
  for (int i = 0; i < 2; ++i) {
    packed.marks[i] = terms_[i].marks;
    packed.count[i] = static_cast<uint8_t>(terms_[i].count);
    packed.strict[i] = static_cast<uint8_t>(terms_[i].strict);
    memcpy(at, terms_[i].term, packed.count[i] * sizeof(FilterTerm));
    at += packed.count[i] * sizeof(FilterTerm);
  }
  memcpy(to, &packed, sizeof(packed));
  for (int i = 0; i < 2; ++i) at = std::copy_n(terms_[i].column, packed.count[i], at);
}

void PageFilter::Unpack(const uint8_t* from) {
  const auto* packed = reinterpret_cast<const Packed*>(from);
  layout_ = packed->layout;
  any_of_ = packed->any_of;
  any_of_count_ = packed->any_of_count;
  limit_ = packed->limit;
  limit_count_ = packed->limit_count;
  never_ = packed->never;
  recheck_ = packed->recheck;
  recheck_some_ = packed->recheck_some;
  const uint8_t* at = from + sizeof(Packed);
  for (int i = 0; i < 2; ++i) {
    terms_[i].marks = packed->marks[i];
    terms_[i].count = packed->count[i];
    terms_[i].strict = packed->strict[i];
    memcpy(terms_[i].term, at, packed->count[i] * sizeof(FilterTerm));
    at += packed->count[i] * sizeof(FilterTerm);
  }
  for (int i = 0; i < 2; at += packed->count[i++]) std::copy_n(at, packed->count[i], terms_[i].column);
}

int PageFilter::Run(const NodeView& node, uint16_t* slots) const {
  if (never_) return 0;
  const NodeOpaque opaque = node.opaque();
  const bool leaf = opaque.flags & kNodeLeaf;
  const bool marked = opaque.flags & kNodeHasMarks;
  const BlockLayout& block = layout_->Block(leaf, marked);
  const int entries = std::min(opaque.entries, block.max_entries);
  const Terms& terms = terms_[!leaf];
  if (!marked && terms.marks.required != 0) return 0;
  const int tested = marked ? terms.strict : terms.count;
  int count = ActiveKernels().filter(node.first_block(), block, entries, terms.term, tested, slots);
  if (marked) count = TestMarked(terms, block, node.first_block(), slots, count);
  if (any_of_count_ > 0) count = TestAnyOf(node, slots, count);
  for (int i = 0; i < limit_count_; ++i) count = limit_[i].Run(node, slots, count);
  return count;
}

int PageFilter::TestAnyOf(const NodeView& node, uint16_t* slots, int count) const {
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    slots[kept] = slots[i];
    kept += std::all_of(any_of_, any_of_ + any_of_count_, [&](const AnyOf& group) { return group.Passes(node, slots[i]); });
  }
  return kept;
}

int PageFilter::TestMarked(const Terms& terms, const BlockLayout& block, const uint8_t* first_block, uint16_t* slots, int count) const {
  if ((terms.marks.forbidden | terms.marks.required) == 0 && terms.strict == terms.count) return count;
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    const uint8_t* at = first_block + slots[i] / block.capacity * block.bytes;
    const unsigned slot = slots[i] % block.capacity;
    const uint64_t marks = LoadMarks(at + block.marks + slot * layout_->marks_width, layout_->marks_width);
    bool pass = (marks & terms.marks.forbidden) == 0 && (~marks & terms.marks.required) == 0;
    for (int t = terms.strict; pass && t < terms.count; ++t) {
      pass = (marks & ColumnMarks(terms.column[t], kMarkEmpty)) || Passes(terms.term[t], at, slot);
    }
    slots[kept] = slots[i];
    kept += pass;
  }
  return kept;
}

}  // namespace xtree
