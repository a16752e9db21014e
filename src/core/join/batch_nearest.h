// BatchNearest: the rows nearest to each of many origins, one origin after the other: for the join of rows that come from anywhere with the few rows
// nearest to each (LATERAL ... ORDER BY distance LIMIT k).
//
// A search for one origin goes best first, as NearestScan does (Hjaltason and Samet, 1999), but what it looks at is copies of nodes that stay for the
// next searches; and it begins with a limit: the rows that were found last are at most so far from the new origin. Where origins follow each other
// along a curve, hardly any search reads a page, and none looks closely at more than a few entries. A limit need not be right (a constraint may have
// changed): where too few rows are below it, the search is done again without.
//
// Concurrency. A copy of a node stands for the node as it was when it was read, after the copy of its parent: what has split off it by then is read
// with it. So each row that was in the tree all the time is found once by every search. All copies are dropped at once, from the root on, since a
// node that is read again must not meet children that were read before it. They are of no time before Begin: a batch has one snapshot.
//
// Takes no lock beyond the reader's pages, has none open between calls; memory is the reader's. Trivially destructible, since readers may leave by
// longjmp; all zeroes is a valid state.
#pragma once

#include "core/scan/distance_key.h"
#include "core/scan/scan_node.h"
#include "core/scan/scratch.h"

namespace xtree {

struct NearestCandidate {
  DistanceRank rank;  // of the distance
  TupleId tuple;
  const uint8_t* page;  // a copy for NodeView, until the next search
  uint16_t slot;
  bool recheck;  // the key does not say for certain that the constraint holds
  bool known;    // all that has to be known of the row is the entry: see BatchNearest::Options
};

// What was done, over all batches.
struct NearestWork {
  uint64_t searches;
  uint64_t again;      // of them: that were done again without a limit
  uint64_t nodes;      // that were read
  uint64_t looked_at;  // nodes, as often as a search looked at them
};

class BatchNearest {
 public:
  struct Options {
    bool ignore_killed = false;  // leave killed entries out

    // As JoinInput::look: called for all rows of a leaf while it is being visited, to say of which the entry is all that has to be known. nullptr: of
    // none.
    void (*look)(void* context, const TupleId* tuples, size_t count, uint8_t* known) = nullptr;
    void* context = nullptr;

    size_t kept_pages = 512;   // copies that are kept for the next searches, about
    size_t most_pages = 2048;  // with which a search gives up
  };

  // Starts a batch: nothing is known of any page. `layout` outlives it, and what the constraint points to: a condition of all rows that are found.
  void Begin(const KeyLayout& layout, const Constraint& constraint, Options options);
  // The searches that follow have another constraint.
  void Constrain(const Constraint& constraint);

  // Finds the `wanted` rows of the least distances, or all if there are fewer: until the next call in candidates(), count() of them, nearest first.
  // Of rows at the same distance any are found. False: it would take too many pages, and there is no answer. REQUIRES: wanted > 0.
  bool Find(PageReader& reader, const DistanceKey& key, size_t wanted);

  const NearestCandidate* candidates() const { return found_.data(); }
  size_t count() const { return found_.size(); }
  const NearestWork& work() const { return work_; }

 private:
  static constexpr size_t kMostSorted = 32;  // that are kept in order while a leaf is looked at

  // A page that was read.
  struct Frame {
    Lsn lsn;
    uint16_t entries;
    uint16_t level;
    bool last;    // of the node and of what has split off it; the others follow
    bool killed;  // some entries are
    uint8_t* page;
    // Of a directory page: of each child 0, as long as it was not read, 1 where it has no page, or its first frame and 2. Of a leaf in its
    // place bytes, of each row whether it is known, and whether it is killed.
    uint32_t* child;
    uint8_t* known_rows() const { return reinterpret_cast<uint8_t*>(child); }
    uint8_t* killed_rows() const { return known_rows() + entries; }
  };
  // A child that a search has not come to.
  struct Item {
    DistanceRank rank;
    uint32_t frame;
    uint32_t slot;
  };

  bool Search(PageReader& reader, DistanceRank limit);
  uint32_t LoadNode(PageReader& reader, NodePointer node);
  void LoadPage(PageReader& reader, const NodeView& page, Lsn lsn);
  Frame* TakeFrame(PageReader& reader);
  void LookAtRows(PageReader& reader, const NodeView& leaf, Frame* frame);
  uint32_t ChildOf(PageReader& reader, const Item& item);
  void LookAtNode(PageReader& reader, uint32_t first);
  void LookAtPage(PageReader& reader, uint32_t number);
  int PickSquares(int count, double most);
  double TakeLeast(PageReader& reader, uint32_t number, const NodeView& node, int picked);
  void LookAtNear(PageReader& reader, uint32_t number, const NodeView& node, int count);
  void LookAtAny(PageReader& reader, uint32_t number, const NodeView& node, int count);
  void Take(PageReader& reader, uint32_t number, const NodeView& node, int slot, DistanceRank bound);
  void AddRow(PageReader& reader, const Frame& frame, const NodeView& leaf, int slot);
  double LargestSquare() const;
  DistanceRank LimitFromLast() const;
  void KeepBoxes(PageReader& reader);

  const KeyLayout* layout_ = nullptr;
  Options options_;
  bool nothing_ = false;   // nothing can satisfy the constraint
  bool filtered_ = false;  // it excludes something
  PageFilter filter_;

  Scratch<Frame*> frames_;
  size_t used_ = 0;         // of them
  size_t before_node_ = 0;  // of them: before the node that is being read
  Scratch<TupleId> tuples_;

  // The search at hand.
  DistanceKey key_;
  size_t wanted_ = 0;
  DistanceRank limit_ = 0;           // rows and nodes from here on are of no use
  Scratch<NearestCandidate> found_;  // max-heap, in the end sorted
  Scratch<Item> queue_;              // min-heap
  Scratch<Ordinal> boxes_;           // of what the last one found: lo, hi of the key's dimensions
  size_t box_count_ = 0;
  int box_dimensions_ = 0;
  NearestWork work_ = {};

  Ordinal lo_[kMaxDimensions];
  Ordinal hi_[kMaxDimensions];
  double squares_[kMaxEntriesPerPage];
  uint16_t slots_[kMaxEntriesPerPage];
  bool all_slots_ = false;  // whatever slots_ has, all of the page's entries are meant
  uint16_t picked_[kMaxEntriesPerPage];
};
static_assert(std::is_trivially_destructible_v<BatchNearest>);

}  // namespace xtree
