// Top-down construction of a tree over records in memory.
//
// For bulk_*.cpp. A subtree of height h over a range of records gets as many children as it needs at the planned fill; the range is
// divided in two again and again, along the dimension of widest spread, until each part is one child. So the directory follows the
// cuts of the leaves, all leaves are equally full and equally deep. Deviation from VAMSplit (White, Jain 1996): positions divide
// evenly instead of filling all nodes but the last. Directory nodes obey the X-tree's rule: a range whose halves would overlap too
// much along every dimension is not divided but becomes a supernode. Nothing is locked; no WAL.
#pragma once

#include "core/bulk_partition.h"
#include "core/bulk_store.h"
#include "core/bulk_write.h"

namespace xtree {

class TreeBuilder {
 public:
  // `base_level`: 0 when the records are rows, else that of the nodes which directory records become entries of.
  TreeBuilder(const KeyLayout& layout, const BulkOptions& options, int max_supernode_pages, int base_level, NodeWriter& writer,
              MemoryBudget& budget);

  // The whole tree, its root at kRootBlock.
  void BuildRoot(RecordMemory& memory);

  // Nodes of the base level only; their downlinks, with `history` and what is added below, go to `output`.
  // REQUIRES: memory is not empty.
  void BuildNodes(RecordMemory& memory, const ColumnScales& scales, const SplitHistory& history, RecordStore* output);

 private:
  struct Range {
    size_t begin;
    size_t end;
    uint64_t units;  // nodes of the base level
    size_t size() const { return end - begin; }
  };
  struct Halves {
    Range first;
    Range second;
    uint64_t first_nodes;
  };
  static constexpr int kRefused = -1;

  void Start(RecordMemory& memory, Records* records);
  uint64_t Units(size_t records) const { return (records + base_capacity_ - 1) / base_capacity_; }
  uint64_t UnitsPerNode(int height) const;
  uint64_t NodesFor(uint64_t units, int height) const;
  uint64_t Children(const Range& range, int height) const;

  Halves Halve(const Range& range, uint64_t nodes) const;
  bool MayRefuse(const Range& range, int height) const;
  int Divide(const Range& range, const Halves& halves, int height, bool may_refuse);
  double OverlapOf(const Halves& halves, int dimension);

  void Nodes(const Range& range, uint64_t nodes, int height, const SplitHistory& history, bool may_refuse);
  void Node(const Range& range, int height, const SplitHistory& history, BlockNumber block, bool supernode);
  void Leaf(const Range& range, const SplitHistory& history);
  void Directory(size_t first, int level, const SplitHistory& history, BlockNumber block, bool supernode);
  void Pieces(size_t first, int level, const SplitHistory& history, BlockNumber block, size_t limit);
  int RootHeight(const Range& all);

  const uint8_t* Entry(size_t i) const { return stack_.data() + i * entry_.stride(); }
  uint8_t* Push();
  void SetEntry(const WrittenNode& node, const SplitHistory& history, uint8_t* entry) const;
  void PushNode(const WrittenNode& node, const SplitHistory& history);

  const KeyLayout* layout_;
  BulkOptions options_;
  int max_supernode_pages_;
  int base_level_;
  NodeWriter* writer_;
  RecordFormat record_;  // of what is built over
  RecordFormat entry_;   // of downlinks
  BulkBuffer stack_;     // entries of the nodes that are under construction
  size_t stack_size_ = 0;
  Partitioner partitioner_;
  Records* records_ = nullptr;
  const uint8_t* payloads_ = nullptr;
  ColumnScales scales_{};
  size_t base_capacity_ = 1;
  RecordStore* output_ = nullptr;
};

}  // namespace xtree
