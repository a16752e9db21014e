// TreeVacuum: removal of dead entries, of empty leaves, and of pages that nothing leads to.
//
// The caller walks all blocks in physical order and calls Process for each, under its own throttling. Every leaf, the
// root (which may have been a leaf) and every deleted page is locked for cleanup even where nothing is to be removed:
// an index-only scan keeps the pin of the leaf whose entries it has yet to return, and their TIDs must not be reused
// before (nbtree's README, "Making concurrent TID recycling safe"). A split younger than the start may have moved
// entries to a lower block: its links are followed back.
#pragma once

#include <functional>

#include "core/leaf_share.h"
#include "core/write/tree_writer.h"

namespace xtree {

struct VacuumResult {
  uint64_t entries_left = 0;
  uint64_t entries_removed = 0;
  uint32_t pages_newly_deleted = 0;
  uint32_t pages_deleted = 0;  // deleted and not yet reusable, the new ones included
  uint32_t pages_free = 0;     // reusable
};

class TreeVacuum {
 public:
  using IsDead = std::function<bool(TupleId)>;
  // Of an index of clusters. Called with pages locked.
  struct Clusters {
    std::function<void(const NodeView&)> leaf;  // each leaf, after what is dead was removed; a split may have one come twice
    std::function<bool(uint64_t)> uses_model;   // has the index a model of this number? The pages of others are given free
  };

  TreeVacuum(PageStore& store, const KeyLayout& layout, IsDead is_dead, Clusters clusters = {});

  void Process(BlockNumber block);

  // After the last block: sweeps followers that no head lists and unlinks the leaves that were found empty. A directory
  // node keeps its last child.
  void Finish();

  const VacuumResult& result() const { return result_; }
  // Per level, as the walk met it: entries, nodes, pages, supernodes.
  const std::vector<LevelStatistics>& levels() const { return levels_; }
  const LeafSample& leaf_sample() const { return leaf_sample_; }

 private:
  struct Follower {
    BlockNumber block;
    BlockNumber head;
  };
  BlockNumber ProcessOne(BlockNumber block, BlockNumber walk);
  void ProcessDeleted(const PageLock& page);
  void ProcessDirectory(const PageLock& page);
  void SweepFollower(const Follower& follower);
  bool Lists(const PageLock& head, BlockNumber follower) const;
  void DeleteEmptyLeaves();
  void RemoveDead(const PageLock& page);
  void ProcessModelPage(PageLock page);
  void Unlink(OpenNode* parent);
  bool UnlinkChild(OpenNode* parent, EntryPosition position);
  void Count(const NodeView& page);

  PageStore& store_;
  const KeyLayout& layout_;
  const IsDead is_dead_;
  const Clusters clusters_;
  const Lsn start_nsn_;
  VacuumResult result_;
  std::vector<LevelStatistics> levels_;
  LeafSample leaf_sample_;
  std::vector<BlockNumber> empty_leaves_;
  std::vector<BlockNumber> leaf_parents_;
  std::vector<Follower> followers_;
  BlockNumber last_ = kRootBlock;  // of the walk
};

}  // namespace xtree
