// How many leaves a scan visits: a model of the tree, column by column, from a sample of its leaves.
//
// Builds and VACUUM take the sample and keep what Fit() finds in the meta page; the planner asks LeafShare(). Nothing
// is locked; no WAL.
//
// A condition on a column that a point satisfies visits leaves^(1 - cuts) leaves: `cuts` says how far the cuts of the
// tree, and the extent of what is in it, separate values of this column from others. Wider conditions visit more, the
// faster the more dimensions the data really have there (`dimension`, as in Faloutsos and Kamel 1994, who take the
// fractal dimension): of 24 coordinates that lie in clusters few count, and 1,000 leaves of 24 independent ones have
// been cut along ten of them at most. Both are measured in one way for all types: around sampled rows grow windows of
// equal sides, and at each size the sampled rows within are compared with the leaves met.
#pragma once

#include <vector>

#include "core/bulk/bulk_memory.h"
#include "page/node.h"

namespace xtree {

class LeafSample {
 public:
  static constexpr size_t kLimit = 96;  // leaves

  explicit LeafSample(const KeyLayout& layout) : layout_(&layout) {}

  // A leaf with entries; one of them comes with it.
  void Offer(const NodeView& leaf);

  uint64_t seen() const { return seen_; }  // leaves that were offered
  size_t size() const { return sides_.size() / SidesPerPair(); }
  void Get(size_t i, Box* leaf, Box* row) const;

  // One that another process sampled.
  void Add(const Box& leaf, const Box& row, float heap_spread);

  // On how many pages of the table the rows of a leaf lie, per row: MetaContent::heap_spread. 0: there is no leaf.
  float HeapSpread() const;

  // Of each column, in a tree of so many leaves. All zero where there is too little to see.
  void Fit(uint64_t leaves, ColumnStatistics* out) const;

 private:
  size_t SidesPerPair() const { return size_t{4} * layout_->dimensions; }
  void Set(size_t i, const Box& leaf, const Box& row, float heap_spread);

  const KeyLayout* layout_;
  uint64_t seen_ = 0;
  std::vector<Ordinal> sides_;  // of a pair: lo and hi of the leaf, then of the row
  std::vector<float> spread_;   // of its leaf
  BulkRandom random_{0x1EAF};
};

// The share of the leaves that a condition with this selectivity on the column visits. `widest`: what a condition
// covers of each dimension at most, of which more is known than of its selectivity. REQUIRES: leaves >= 1.
double LeafShare(const ColumnStatistics& column, double leaves, double selectivity, double widest = 1);

// For a tree that nobody has looked at: `dimensions` of a column in an index of `all`, independent and alike.
ColumnStatistics AssumedStatistics(int dimensions, int all);

}  // namespace xtree
