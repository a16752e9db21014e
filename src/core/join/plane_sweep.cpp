// See plane_sweep.h.
#include "core/join/plane_sweep.h"

#include <boost/sort/pdqsort/pdqsort.hpp>

namespace xtree {

// The term along which the fewest of some pairs overlap.
int PlaneSweep::BestTerm(const JoinShape& shape, const SweepLeft& left, const SweepRight& right) {
  constexpr size_t kTrials = 64;
  if (shape.terms() == 1) return 0;
  int best = 0;
  size_t least = kTrials + 1;
  for (int t = 0; t < shape.terms(); ++t) {
    size_t overlapping = 0;
    for (size_t i = 0; i < kTrials; ++i) {
      const size_t l = i * left.count / kTrials, r = i * 37 % kTrials * right.count / kTrials;
      const Interval a = shape.Span(left.window[l], left.empties[l], t), b = shape.Span(right.edges[r], right.empties[r], t);
      overlapping += a.min <= b.max && b.min <= a.max;
    }
    if (overlapping < least) least = overlapping, best = t;
  }
  return best;
}

template <class Pair>
void PlaneSweep::Sweep(const Span* left, size_t left_count, const Span* right, size_t right_count, Pair&& pair) {
  size_t l = 0, r = 0;
  while (l < left_count && r < right_count) {
    if (left[l].from <= right[r].from) {
      for (size_t k = r; k < right_count && right[k].from <= left[l].to; ++k) pair(left[l].number, right[k].number);
      ++l;
    } else {
      for (size_t k = l; k < left_count && left[k].from <= right[r].to; ++k) pair(left[k].number, right[r].number);
      ++r;
    }
  }
}

void PlaneSweep::Run(PageReader& reader, const JoinShape& shape, const SweepLeft& left, const SweepRight& right,
                     Scratch<IndexPair>* pairs) {
  if (left.count == 0 || right.count == 0) return;
  const auto pair = [&](uint32_t l, uint32_t r) {
    const bool holds = right.leaf && (left.empties[l] | right.empties[r]) == 0
                           ? shape.TestValues(left.window[l], right.edges[r])
                           : shape.Test(left.window[l], left.empties[l], right.edges[r], right.empties[r], right.leaf);
    if (holds) pairs->Append(reader, {l, r});
  };
  constexpr size_t kFew = 64;  // are tested one by one
  if (shape.terms() == 0 || left.count * right.count <= kFew) {
    for (uint32_t l = 0; l < left.count; ++l)
      for (uint32_t r = 0; r < right.count; ++r) pair(l, r);
    return;
  }
  const int term = BestTerm(shape, left, right);
  left_.Clear();
  left_.Reserve(reader, left.count);
  for (uint32_t i = 0; i < left.count; ++i) {
    const Interval span = shape.Span(left.window[i], left.empties[i], term);
    left_.AppendReserved({span.min, span.max, i});
  }
  right_.Clear();
  right_.Reserve(reader, right.count);
  for (uint32_t i = 0; i < right.count; ++i) {
    const Interval span = shape.Span(right.edges[i], right.empties[i], term);
    right_.AppendReserved({span.min, span.max, i});
  }
  const auto before = [](const Span& a, const Span& b) { return a.from < b.from; };
  boost::sort::pdqsort_branchless(left_.data(), left_.data() + left_.size(), before);
  boost::sort::pdqsort_branchless(right_.data(), right_.data() + right_.size(), before);
  Sweep(left_.data(), left_.size(), right_.data(), right_.size(), pair);
}

}  // namespace xtree
