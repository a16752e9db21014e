// TreeJoin: the pairs of rows of two trees that satisfy all of some clauses, by one walk through both (Brinkhoff, Kriegel, Seeger, SIGMOD 1993).
//
// The left tree is gone through depth first, each node with the list of those nodes of the right tree that may have partners for what is below. A
// directory node's children get their lists by a plane sweep of them against the children of the nodes in its own; a leaf's entries are swept
// against those of all leaves that its list leads to, some at a time. Windows of other conditions, of either side, are tested as each node is read.
//
// Concurrency. Nodes are read one at a time and what the join needs of them is copied (VisitNode); a split since the downlink was read is followed
// by the link, on either side, and each reading of a node that way finds each row below that was there all the time exactly once. A right node is
// read again for each left node that it is in the list of, a left one again where its list is too long to be gone through at once. So each pair of
// rows that were in their trees all the time comes exactly once. Boxes never shrink below rows that the scan's snapshot sees, so that lists made
// from boxes as they were stay right.
//
// Where rows of the left tree matter that have no partner, or no more than one (outer, semi and anti joins), the walk is told of as it goes from
// left leaf to left leaf: all pairs of a leaf's rows are found while that is the one at hand, and its list is never cut into parts.
//
// Several processes share a join by sharing the left tree (core/scan/scan_team.h): whoever takes one of its upper nodes puts the children back,
// and a node above leaves is joined by one of them, against the right tree from its root down.
//
// Takes no lock beyond the readers' pages, has none open between calls; memory is the left reader's. Trivially destructible, since readers
// may leave by longjmp; all zeroes is a valid state.
#pragma once

#include "core/join/join_entries.h"
#include "core/join/plane_sweep.h"
#include "core/scan/scan_team.h"

namespace xtree {

// A side of the join. Layout and constraint outlive it.
struct JoinInput {
  const KeyLayout* layout;
  const Constraint* constraint;  // its other conditions
  bool ignore_killed;            // leave killed entries out
  bool nothing = false;          // it has no rows, and is not read

  // Where keys may be all that has to be known of a row: called for rows of a leaf while that is being visited, so that none of them can have been
  // removed from it, to say of which it is so. nullptr: keys are not kept.
  void (*look)(void* context, const TupleId* tuples, size_t count, uint8_t* known) = nullptr;
  void* context = nullptr;
  bool payloads = false;  // are an entry's key and payload what has to be known
};

struct JoinedRows {
  TupleId left;
  TupleId right;
  uint32_t left_entry;  // for Known and GetKey
  uint32_t right_entry;
  bool certain;  // the clauses that may hold for certain do so
};

// What a join has done, over all of its starts. Nodes are counted as often as they were read.
struct JoinWork {
  uint64_t left_nodes;
  uint64_t right_nodes;
  uint64_t left_leaves;
  uint64_t right_leaves;
  uint64_t node_pairs;  // that might have partners, of nodes below the roots
  uint64_t pairs;       // of entries, as far as keys tell
};

// What a join is to find.
enum class JoinGoal : uint8_t {
  kPairs,
  kPairsByLeaf,  // pairs, left leaf by left leaf
  kAllLeft,      // the same, of all left leaves, with all of their rows, NULL or empty as they may be
};

class TreeJoin {
 public:
  // Starts, or starts again. `team`: of other processes that share the join with this one; nullptr: there are none.
  void Begin(const JoinInput& left, const JoinInput& right, const JoinClause* clauses, int count, ScanTeam* team = nullptr,
             JoinGoal goal = JoinGoal::kPairs);

  // Finds the next pairs, until the next call in rows(), count() of them; by leaf: of one left leaf, and perhaps none. False at the end.
  bool Step(PageReader& left, PageReader& right);

  const JoinedRows* rows() const { return rows_.data(); }
  size_t count() const { return rows_.size(); }

  // By leaf: are rows() the first, and the last, of this leaf? Its rows, and what their left_entry is a number of.
  bool leaf_begins() const { return leaf_begins_; }
  bool leaf_ends() const { return !in_leaf_; }
  size_t leaf_size() const { return leaf_.size(); }
  TupleId leaf_tuple(size_t entry) const { return leaf_.tuples[entry]; }
  // Of the leaf at hand only the entries that have a zero here are still to be paired.
  void Settle(const uint8_t* settled);
  const JoinWork& work() const { return work_; }

  // Of an entry of rows(): is its key all that has to be known of the row, and which is it?
  bool Known(JoinSide side, uint32_t entry) const {
    const JoinEntries& entries = Entries(side);
    return entries.key_size > 0 && entries.known[entry];
  }
  void GetKey(JoinSide side, uint32_t entry, Box* box) const;
  const uint8_t* GetPayload(JoinSide side, uint32_t entry, uint16_t* length) const;

 private:
  // A left node that was read, a directory page: its children, and those right nodes that their lists are made of.
  struct Frame {
    JoinEntries left;
    Scratch<JoinWindow> windows;
    JoinEntries right;
    int right_level;              // of all of them; -1: the root alone
    Scratch<uint32_t> list;       // of each child, one after the other: numbers of right nodes
    Scratch<uint32_t> list_ends;  // of each child
    size_t next;                  // child
    uint32_t from;                // of its list, what it is gone through with now: [from, to)
    uint32_t to;
    NodePointer sibling;  // to be read instead of the child, with the same part of the list; block kInvalidBlock: none
  };

  const JoinEntries& Entries(JoinSide side) const { return side == JoinSide::kLeft ? leaf_ : gathered_; }
  void KeepPayloads(PageReader& memory, const NodeView& leaf, size_t first, JoinEntries* out);
  bool TakeTask(PageReader& memory);
  void BeginTask(PageReader& memory, const NodePointer& node);
  void ShareChildren(JoinEntries* children);
  void EndVisit();
  void BeginFrame(Frame* frame);
  void VisitNext(PageReader& left, PageReader& right);
  bool ReadLeft(PageReader& reader, const NodePointer& node, BlockNumber* sibling);
  void Advance(Frame* frame, BlockNumber sibling);
  void BeginLeaf(PageReader& left, PageReader& right, const Frame& frame);
  void GatherRight(PageReader& left, PageReader& right);
  void JoinLeaf(PageReader& left, PageReader& right);
  void PushFrame(PageReader& left, PageReader& right, Frame* parent);
  void MakeWindows(PageReader& reader, const JoinEntries& entries, Scratch<JoinWindow>* windows);
  void MakeLeafWindows(PageReader& reader);
  void FilterRight();
  void CopyRightList(PageReader& reader, Frame* parent, Frame* frame);
  bool ExpandRightList(PageReader& left, PageReader& right, Frame* parent, Frame* frame);
  bool ExpandAgain(PageReader& left, PageReader& right, Frame* frame);
  void ReadRight(PageReader& left, PageReader& right, NodePointer node, JoinEntries* entries, int* level);
  void MakeLists(PageReader& reader, Frame* frame);
  void CopyEntries(PageReader& memory, const NodeView& node, Lsn lsn, JoinSide side, JoinEntries* out);

  JoinInput input_[2] = {};
  JoinShape shape_;
  bool started_ = false;
  bool never_ = false;
  JoinGoal goal_ = JoinGoal::kPairs;
  ScanTeam* team_ = nullptr;
  bool visiting_ = false;  // the team waits for the end of this visit
  PageFilter left_filter_;
  PageFilter right_filter_;  // for the partners of what is being joined
  int depth_ = 0;            // of frames
  Frame frames_[kMaxLevel + 2] = {};

  bool in_leaf_ = false;  // the left leaf is being joined:
  bool leaf_begins_ = false;
  JoinEntries leaf_;
  Scratch<JoinWindow> leaf_windows_;  // of those entries that may have partners,
  Scratch<uint32_t> leaf_numbers_;    // which are these,
  Scratch<uint8_t> leaf_empties_;     // and what of them is empty
  Scratch<NodePointer> pending_;      // right nodes that are still to be read for it, next on top
  JoinEntries gathered_;              // entries of right leaves
  size_t to_gather_ = 0;              // so many of them at once

  int read_level_ = 0;  // of the node that was read last
  JoinWindow hull_;     // of the left entries at hand
  uint8_t hull_empties_ = 0;
  JoinEntries unexpanded_;
  PlaneSweep sweep_;
  Scratch<IndexPair> pairs_;
  Scratch<uint32_t> positions_;
  Scratch<JoinedRows> rows_;
  JoinWork work_ = {};
  uint16_t slots_[kMaxEntriesPerPage];
};
static_assert(std::is_trivially_destructible_v<TreeJoin>);

}  // namespace xtree
