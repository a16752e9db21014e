// TreeCheck: walks a whole tree and checks its invariants. Postgres-free; xtree_check and the unit tests use it.
//
//  1. Every page that a link leads to is a well-formed node of this index (ValidateNode), one level below its parent,
//  and not deleted.
//     Its nsn is below the LSN of the page with its downlink (a split writes its parent as well), or no end of splits
//     would be seen.
//  2. A downlink's box and marks contain every entry of its child.
//  3. In every entry lo <= hi in each dimension of a column without marks; an entry's marks name only columns of the
//  index.
//  4. A split history names only dimensions of the index, and some, where the node has at least two entries.
//  5. A supernode lists each follower once, of its own level, that names it as its head; only directory nodes are
//  supernodes; each of
//     its pages carries marks, so that none lacks room for them later.
//  6. A directory node has at least one entry; a tuple id has a valid offset.
//  7. No page is reached twice; a page that is not reached is new, deleted, or a follower that its head does not list
//  (a crash in the
//     middle of a split leaks those, and VACUUM sweeps them).
//
// A violation throws CorruptPage. Parent and child are looked at under both their locks, so 1 to 6 hold at any moment;
// 7 needs that nobody writes. Locks: share, one node and one of its children.
#pragma once

#include <functional>
#include <vector>

#include "core/write/open_node.h"

namespace xtree {

class TreeCheck {
 public:
  using OnTuple = std::function<void(BlockNumber leaf, const NodeView& page, int entry)>;
  using OnNodeVisit = std::function<void(const OpenNode& node, BlockNumber parent)>;  // parent: kInvalidBlock for the root

  TreeCheck(PageStore& store, const KeyLayout& layout, OnTuple on_tuple) : store_(store), layout_(layout), on_tuple_(std::move(on_tuple)) {}

  void OnNode(OnNodeVisit on_node) { on_node_ = std::move(on_node); }
  void Walk();

  // After Walk, without concurrent writers: invariant 7 over all blocks of the index.
  void CheckUnreached(BlockNumber pages);

  // What the walk saw, leaves first. overlap: mean intersection over union of the boxes of siblings, by pairs.
  const std::vector<LevelStatistics>& levels() const { return levels_; }
  uint32_t leaked_pages() const { return leaked_pages_; }

 private:
  struct Pending {
    BlockNumber block;
    Lsn parent_lsn;
    int level;
    BlockNumber parent;
  };
  void Visit(const Pending& pending);
  void CheckEntries(const OpenNode& node, int page);
  void CheckChildren(const OpenNode& node, int page);
  void ExpectLeaves();
  void CheckChild(const OpenNode& parent, Lsn parent_lsn, const Box& box, BlockNumber child);
  void Reach(BlockNumber block);
  void Count(const OpenNode& node);
  double SiblingOverlap(const OpenNode& node) const;

  PageStore& store_;
  const KeyLayout& layout_;
  const OnTuple on_tuple_;
  OnNodeVisit on_node_;
  std::vector<Pending> pending_;
  std::vector<BlockNumber> blocks_;  // that the store is told of
  std::vector<bool> reached_;
  std::vector<LevelStatistics> levels_;
  std::vector<double> overlap_sum_;
  std::vector<uint64_t> overlap_nodes_;
  uint32_t leaked_pages_ = 0;
};

}  // namespace xtree
