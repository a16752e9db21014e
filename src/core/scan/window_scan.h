// WindowScan: every leaf entry that satisfies a constraint, leaf by leaf, depth first.
//
// Used by index scans, index-only scans and bitmap scans through a PageReader; takes no lock beyond the reader's pages,
// counts nothing of a node before VisitNode has accepted it, has no page open between calls and survives any change of
// the tree between them: a row that was in the index all the time comes exactly once. Trivially destructible, since a
// PageReader may leave by longjmp; all zeroes is a valid state.
#pragma once

#include <type_traits>

#include "core/filter/constraint.h"
#include "core/scan/scan_node.h"
#include "core/scan/scan_team.h"
#include "core/scan/scan_work.h"
#include "core/scan/scratch.h"
#include "core/scan/spatial_order.h"

namespace xtree {

// The matches on one leaf.
struct LeafBatch {
  BlockNumber block;
  Lsn lsn;              // of the page when it was read: kill bits may be set while it is still the same
  bool recheck;         // every match is only bounded by the constraint's intervals
  bool recheck_some;    // or some are, those of which `doubtful` says so by their slot
  const uint8_t* page;  // with keep_pages: a copy of the matches for NodeView, until the next call; else nullptr
  int count;            // > 0
  int rechecks;         // of them: are to be rechecked
  uint16_t slots[kMaxEntriesPerPage];
  TupleId tuples[kMaxEntriesPerPage];
  bool doubtful[kMaxEntriesPerPage];

  bool MustRecheck(int match) const { return recheck || (recheck_some && doubtful[slots[match]]); }
};

// What comes first.
enum class WindowOrder {
  kStored,   // leaves as their parents list them, and so their entries
  kHeap,     // a leaf's matches ascend by tuple id, so that each heap page is visited once for them
  kSpatial,  // neighbours stay together, leaves as well as entries: for whoever lays rows out by this scan
};

class WindowScan {
 public:
  struct Options {
    bool keep_pages = false;     // the caller needs keys or payloads
    bool ignore_killed = false;  // leave killed entries out
    WindowOrder order = WindowOrder::kStored;
    ScanTeam* team = nullptr;  // of other processes that share the tree with this one; not with kSpatial
  };

  // Starts, or starts again. `layout` must outlive the scan; `constraint` is copied.
  void Begin(const KeyLayout& layout, const Constraint& constraint, Options options);

  // Fills *batch with the matches of the next leaf that has any. False at the end.
  bool Step(PageReader& reader, LeafBatch* batch);

  const ScanWork& work() const { return work_; }

 private:
  void VisitPage(PageReader& reader, const NodeView& node, Lsn lsn, LeafBatch* batch);
  void CollectChildren(PageReader& reader, const NodeView& node, Lsn lsn);
  void CollectMatches(const NodeView& leaf, Lsn lsn, LeafBatch* batch);
  void AddToSpace(PageReader& reader, const NodeView& node, const uint16_t* slots, int count);
  void MarkDoubtful(const NodeView& leaf, LeafBatch* batch);
  void DropVisited(LeafBatch* batch);
  void CountVisited(const NodePointer& node, BlockNumber right, const LeafBatch& batch);
  static void SortByTuple(LeafBatch* batch);
  void SortInSpace(PageReader& reader, LeafBatch* batch);
  void SortChildrenInSpace(PageReader& reader);
  void PushChildren(PageReader& reader);
  bool TakeNext(NodePointer* node);
  void EndVisit();

  const KeyLayout* layout_ = nullptr;
  Options options_;
  bool started_ = false;
  bool visiting_ = false;  // the team waits for the end of this visit
  PageFilter filter_;
  Scratch<NodePointer> stack_;     // to be visited, next on top
  Scratch<NodePointer> children_;  // of the node being visited, in order
  Scratch<NodePointer> sorted_;    // the same in another order
  Scratch<BlockNumber> blocks_;    // the same for WillRead
  SpatialOrder space_;             // of the entries of the node being visited
  uint8_t* copy_ = nullptr;        // for keep_pages
  NodeWork visit_ = {};            // of the node being visited
  ScanWork work_ = {};
  uint16_t slots_[kMaxEntriesPerPage];
};

static_assert(std::is_trivially_destructible_v<WindowScan> && std::is_trivially_destructible_v<LeafBatch>);

}  // namespace xtree
