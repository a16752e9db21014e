// PlaneSweep: which of some left windows and some right entries are pairs.
//
// Both are put in order along the dimension that tells most of them apart, by a few trials, and then run through together: each is tested against
// those only that begin within it (Brinkhoff, Kriegel, Seeger, SIGMOD 1993). Memory is the scan's.
#pragma once

#include "core/join/join_condition.h"

namespace xtree {

// Windows of left entries, and right entries, by their numbers.
struct SweepLeft {
  const JoinWindow* window;
  const uint8_t* empties;
  size_t count;
};
struct SweepRight {
  const JoinEdges* edges;
  const uint8_t* empties;
  size_t count;
  bool leaf;
};

struct IndexPair {
  uint32_t left;
  uint32_t right;
};

class PlaneSweep {
 public:
  // Appends the pairs, each once. `reader`: of its memory.
  void Run(PageReader& reader, const JoinShape& shape, const SweepLeft& left, const SweepRight& right, Scratch<IndexPair>* pairs);

 private:
  struct Span {
    Ordinal from;
    Ordinal to;
    uint32_t number;
  };

  static int BestTerm(const JoinShape& shape, const SweepLeft& left, const SweepRight& right);
  template <class Pair>
  static void Sweep(const Span* left, size_t left_count, const Span* right, size_t right_count, Pair&& pair);

  Scratch<Span> left_;
  Scratch<Span> right_;
};
static_assert(std::is_trivially_destructible_v<PlaneSweep>);

}  // namespace xtree
