// BatchLookup: the rows of one tree that satisfy each of many constraints, by one walk: for the join of that tree's table with rows that come from
// anywhere, some at a time (batched index nested loop). Each row outside is a *lookup*, the constraint that its values make of the join's conditions.
//
// The tree is gone through depth first, each node with the list of those lookups that may find something below it; so a node is read once for all of
// them, and lookups come to the leaves in the tree's own order, whatever order they were given in. A lookup is tested as a scan's constraint is, by
// the same kernels (PageFilter).
//
// Concurrency. Nodes are read one at a time (VisitNode), and lookups are tested meanwhile; many of them on a copy of a directory node afterwards. A
// split since the downlink was read is followed by the link, with the same lookups. Where there are many lookups, a leaf is read again for some at a
// time, so that no visit takes long, and a directory node, so that lists stay short: those begin with what it is then. So each lookup goes down as a
// scan of its own would, and finds each row that was in the tree all the time exactly once.
//
// Takes no lock beyond the reader's pages, has none open between calls; memory is the reader's. Trivially destructible, since readers may leave by
// longjmp; all zeroes is a valid state.
#pragma once

#include "core/filter/constraint.h"
#include "core/join/kept_keys.h"
#include "core/scan/scan_node.h"
#include "core/scan/scratch.h"

namespace xtree {

struct LookupMatch {
  uint32_t lookup;  // in the order of Add
  uint16_t slot;    // of the leaf: the same for lookups that find the same row
  bool recheck;     // the key does not say for certain that the row is one
  bool known;       // the key is all that has to be known of the row: see GetKey
  TupleId tuple;
};

// What was done, over all of its starts. Nodes are counted as often as they were read.
struct LookupWork {
  uint64_t nodes;
  uint64_t leaves;
  uint64_t matches;
};

class BatchLookup {
 public:
  struct Options {
    bool ignore_killed = false;  // leave killed entries out

    // As JoinInput::look: called for rows of a leaf while it is being visited, to say of which the key is all that has to be known. nullptr: of none.
    void (*look)(void* context, const TupleId* tuples, size_t count, uint8_t* known) = nullptr;
    void* context = nullptr;

    int visit_lookups = 32;     // that are tested while a node is visited, at most
    size_t descents = 1 << 16;  // of a directory node's lookups to its children at a time, about
  };

  // Starts a batch, without a lookup so far. `layout` outlives it.
  void Begin(const KeyLayout& layout, Options options);
  // Before the first Step. What the constraint points to outlives the batch: conditions with alternatives, and limits.
  void Add(PageReader& memory, const Constraint& constraint);
  size_t bytes() const;  // that the lookups take

  // Finds the next matches, all of one leaf, until the next call in matches(), count() of them. False at the end.
  bool Step(PageReader& reader);

  const LookupMatch* matches() const { return matches_.data(); }
  size_t count() const { return matches_.size(); }
  void GetKey(size_t match, Box* box) const;
  const LookupWork& work() const { return work_; }

 private:
  // A node that is to be read for the lookups [from, to) of the list.
  struct Task {
    NodePointer node;
    size_t from;
    size_t to;
    size_t kept;  // of the list, what this task and those below it need
  };
  // A lookup that goes down to a child.
  struct Descent {
    uint32_t child;  // page of the node, then entry
    uint32_t lookup;
    BlockNumber block;
  };

  void Start(PageReader& reader);
  void Visit(PageReader& reader, const Task& task);
  void VisitPage(PageReader& reader, const NodeView& page, Lsn lsn, const Task& task, size_t end);
  void MatchLeaf(PageReader& reader, const NodeView& leaf, size_t from, size_t to);
  void LookAtMatches(PageReader& reader);
  void DropVisited();
  void PushRest(PageReader& reader, const Task& task, size_t done, BlockNumber sibling);
  void Descend(PageReader& reader, const Task& task, BlockNumber sibling);
  void TestChildren(PageReader& reader, const NodeView& page, size_t number, uint32_t lookup);
  size_t TestCopies(PageReader& reader, const Task& task);
  void PushChildren(PageReader& reader, const Task& task);
  NodeView Page(size_t page) const { return NodeView(*layout_, pages_.data() + page * kPageSize); }

  const KeyLayout* layout_ = nullptr;
  Options options_;
  bool started_ = false;
  PageFilter filter_;  // of the lookup at hand

  Scratch<uint8_t> packed_;  // filters of all lookups
  Scratch<size_t> starts_;   // of each of them

  Scratch<Task> tasks_;     // next on top
  Scratch<uint32_t> list_;  // lookups of tasks

  // The node that was read last; of a directory node:
  Scratch<Lsn> lsns_;          // of each page
  Scratch<uint8_t> pages_;     // copies, where there are many lookups
  Scratch<Descent> descents_;  // in the end by child, the last first
  Scratch<BlockNumber> blocks_;
  int level_ = 0;  // -1: it was deleted

  // Of a leaf: of each match lo and hi of every dimension, and the marks, where keys are kept.
  Scratch<LookupMatch> matches_;
  Scratch<Ordinal> keys_;
  Scratch<TupleId> tuples_;
  Scratch<uint8_t> known_;
  LookupWork work_ = {};
  uint16_t slots_[kMaxEntriesPerPage];
};
static_assert(std::is_trivially_destructible_v<BatchLookup>);

}  // namespace xtree
