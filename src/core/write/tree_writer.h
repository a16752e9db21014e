// TreeWriter: insertion into the X-tree.
//
// Locking: one node at a time going down (share, exclusive where a box must grow and on the leaf), parent before child
// where a node is split. Every step that a crash or another backend can see is one PageStore::Commit: a parent's box
// grows before the child takes the entry; a split changes parent, left and right in one record. What another backend
// did meanwhile shows as nsn >= the LSN at which the downlink was read, or as a deleted page; then the descent starts
// again. See src/README.md, "Insertion".
#pragma once

#include "core/write/choose_subtree.h"
#include "core/write/split.h"

namespace xtree {

// An entry to be inserted. REQUIRES: TwoFitOnLeaf(payload_length).
struct NewEntry {
  const Box& key;
  TupleId tuple;
  const uint8_t* payload;
  uint16_t payload_length;
  bool marks() const { return key.marks != 0; }
};

// Entries to be inserted together. In an order in which neighbours come one after the other, many of them share a leaf, and so a descent
// and a record.
class EntryBatch {
 public:
  virtual size_t size() const = 0;
  virtual NewEntry Get(size_t i) = 0;  // valid until the next call
  virtual bool IsDone(size_t i) const = 0;
  virtual void SetDone(size_t i) noexcept = 0;  // it is in the index

 protected:
  ~EntryBatch() = default;
};

class TreeWriter {
 public:
  TreeWriter(PageStore& store, const KeyLayout& layout, const TreeOptions& options) : store_(store), layout_(layout), options_(options) {}

  void Insert(const Box& key, TupleId tuple, const uint8_t* payload, uint16_t payload_length);
  // Those that are not done; if it throws, some of them, and these are done.
  void Insert(EntryBatch* batch);

 private:
  enum class Step { kDone, kRestart, kNoRoom };
  // What is left of a batch: `first`, which is being inserted, and those behind it that are not done.
  struct Rest {
    EntryBatch* batch;
    size_t first;
  };

  void InsertEntry(const NewEntry& entry, Rest* rest);
  Step TryInsert(const NewEntry& entry, Rest* rest);
  Step GrowBox(OpenNode* node, Lsn parent_lsn, int level, const Box& key, EntryPosition* position);
  void RemoveKilled(const OpenNode& leaf);
  void AppendToLeaf(const OpenNode& leaf, const Box* bounds, const NewEntry& entry, Rest* rest);

  // Descends with exclusive locks and makes room where the path first lacks it: a split, a supernode, a new root.
  // Nothing where the path has room.
  void MakeRoom(const NewEntry& entry);
  bool Full(const OpenNode& node, const NewEntry& entry) const;
  void SplitRoot(OpenNode* root);
  void SplitChild(OpenNode* parent, EntryPosition position, OpenNode* child);
  EntryPosition MakeRoomBeside(OpenNode* parent, EntryPosition position, bool marks);
  std::optional<Partition> ChoosePartition(const OpenNode& node, const EntrySet& entries) const;
  void GrowSupernode(OpenNode* node);

  PageStore& store_;
  const KeyLayout& layout_;
  const TreeOptions options_;
};

// The pages of one half of a split, packed: a single node, or a supernode's head and followers.
// Head and followers are allocated here; followers are committed at once (nobody can reach them), the head by the
// caller.
class SplitHalf {
 public:
  SplitHalf(PageStore& store, const EntrySet& entries, const std::vector<int>& members, int level);
  // A half of one page that stays where it is: the entries of `page` but those `leaving`, in their places as far as
  // possible, so that the record of the split says little of them.
  SplitHalf(PageStore& store, const EntrySet& entries, const std::vector<int>& members, const PageRef& page,
            const std::vector<int>& leaving);

  // Allocates and commits the followers, naming `head` as theirs, and lists them in the head.
  void WriteFollowers(BlockNumber head);

  PageImage& head() { return *images_.front(); }
  NodeEditor head_editor() { return NodeEditor(layout_, head().bytes); }
  const Box& bounds() const { return bounds_; }

 private:
  void Measure(const EntrySet& entries, const std::vector<int>& members);
  int Pack(const EntrySet& entries, const std::vector<int>& members, int level, int followers);

  PageStore& store_;
  const KeyLayout& layout_;
  std::vector<std::unique_ptr<PageImage>> images_;
  Box bounds_;
};

// Do two entries with such an INCLUDE payload fit on one leaf? Otherwise no split could make room.
bool TwoFitOnLeaf(const KeyLayout& layout, uint16_t payload_length);

// Gives back pages that nothing links to any more (followers of a node that was split).
void FreePages(PageStore& store, const KeyLayout& layout, const std::vector<PageLock>& pages);

}  // namespace xtree
