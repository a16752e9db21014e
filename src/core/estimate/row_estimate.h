// RowEstimator: how many entries of a tree satisfy a constraint, by a look at a few of its pages.
//
// From the root down, level by level. What lies wholly within the constraint is counted with the mean number of entries below a node of its level;
// nodes at its border are visited. Where a level has more of them than pages are left for, some stand for the others: they are drawn with
// probabilities that go by what the model expects below them (core/estimate/box_share.h), evenly over the level, and their weights make up for it;
// those that are expected to hold much are certain. So the model decides where to look, not what comes out, as long as there are leaves to look at.
// The same pages give the same number.
//
// Several constraints are estimated together, for the mean of a condition over arguments that stand for many.
//
// Reads through a PageReader that holds its pages; takes no lock beyond that, ignores splits that happen meanwhile, may leave by longjmp where the
// reader does; trivially destructible.
#pragma once

#include "core/estimate/box_share.h"
#include "core/scan/scratch.h"

namespace xtree {

// What is known of a tree beforehand.
struct TreeStatistics {
  int levels;  // of `level`; 0: nothing
  const LevelStatistics* level;
  const ColumnStatistics* column;  // nullptr: nothing
  double leaves;                   // that there are now, by the size of the file; 0: not known
};

struct RowEstimate {
  double share;    // of all entries: 0 .. 1
  double leaves;   // share of all leaves that a scan visits, the mean of a constraint's: 0 .. 1
  double matched;  // share of the constraints that some entry satisfies, as the model says
  int pages;       // that were read for it
};

class RowEstimator {
 public:
  struct Options {
    int most_pages = 16;
    // Where rows are few, what is found on the leaves that are visited is a matter of chance: with so many rows found, the model counts as much.
    double trust_in_model = 0;
  };

  // `constraint`: `count` of them, each a weight of 1 / count. All must outlive it.
  RowEstimate Run(PageReader& reader, const KeyLayout& layout, const TreeStatistics& tree, const Constraint* constraint, int count,
                  Options options);

 private:
  // A node to be visited for one constraint.
  struct Item {
    BlockNumber block;
    int constraint;
    double weight;  // how many such nodes it stands for
    double share;   // of the entries below it, as the model says
    bool certain;   // it stands for itself alone
  };
  // Of the constraint that was asked for last.
  struct Filters {
    int constraint;  // -1: none
    PageFilter filter;
    BoxShare share;
  };

  const Filters& FiltersOf(int constraint);
  void LookAtRoot();
  void FindExtents();
  bool AddExtentsOf(double place);
  void Visit(const Item& item, int level);
  template <class Each>
  void ReadNode(BlockNumber block, int level, Each&& each);
  void CountLeaf(const NodeView& leaf, const Item& item, double weight);
  void SortChildren(const NodeView& node, const Item& item, double weight);
  void Choose(int most);
  void WeighByModel(double of_model);
  double RowsByModel();
  double ShareOfMatched() const;
  double EntriesBelow(int level) const { return entries_below_[level]; }
  double LeavesBelow(int level) const { return leaves_below_[level]; }

  PageReader* reader_;
  const KeyLayout* layout_;
  const TreeStatistics* tree_;
  const Constraint* constraint_;
  Options options_;
  int pages_;
  int root_level_;
  int root_entries_;
  double entries_below_[kMaxLevel + 1];  // a node of this level, itself included: of a leaf its own entries
  double leaves_below_[kMaxLevel + 1];
  double rows_;
  double leaf_rows_;  // of them on the leaves that were visited, with weights,
  double found_;      // and without
  double* rows_of_;   // of each constraint, by the model
  int count_;
  double leaves_;
  MeanExtents extents_;
  Filters filters_;
  Scratch<Item> items_;  // of the level that is being visited
  Scratch<Item> next_;   // of the one below
  uint16_t slots_[kMaxEntriesPerPage];
};
static_assert(std::is_trivially_destructible_v<RowEstimator>);

// An entry, and the bounds of the leaf that it is on.
struct SampledEntry {
  Box box;
  Box leaf;
};

// At most `most` entries, evenly from all over the tree: of at most 64 leaves, or `leaves`. Returns their number.
int SampleEntries(PageReader& reader, int leaves, int most, SampledEntry* out);

}  // namespace xtree
