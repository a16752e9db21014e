// Top-down construction of a tree over records in memory.
//
// For bulk_*.cpp. A subtree of height h over a range of records gets as many children as it needs at the planned fill;
// the range is divided in two again and again, along the dimension of widest spread, until each part is one child. So
// the directory follows the cuts of the leaves, all leaves are equally full and equally deep. Deviation from VAMSplit
// (White, Jain 1996): positions divide evenly instead of filling all nodes but the last. Directory nodes obey the
// X-tree's rule: a range whose halves would overlap too much along every dimension is not divided but becomes a
// supernode. Nothing is locked; no WAL.
#pragma once

#include "core/bulk/bulk_partition.h"
#include "core/bulk/bulk_store.h"
#include "core/bulk/bulk_write.h"

namespace xtree {

class TreeBuilder {
 public:
  // `base_level`: 0 when the records are rows, else that of the nodes which directory records become entries of.
  TreeBuilder(const KeyLayout& layout, const BulkOptions& options, int max_supernode_pages, int base_level, NodeWriter& writer,
              MemoryBudget& budget);

  // The whole tree, its root at kRootBlock.
  void BuildRoot(RecordMemory& memory);

  // Subtrees of one height; their downlinks, with `history` and the cuts between them, go to `output`.
  // REQUIRES: memory is not empty.
  void BuildSubtrees(RecordMemory& memory, int height, const ColumnScales& scales, const SplitHistory& history, RecordStore* output);

  // The height of subtrees for parts of so many records: as high as fills them well. `payload`: mean bytes, length
  // included.
  int SubtreeHeight(double records, double fewest_records, double payload) const;

 private:
  struct Range {
    size_t begin;
    size_t end;
    uint64_t units;  // nodes of the base level
    size_t size() const { return end - begin; }
  };
  struct Division {
    Range first;
    Range second;
    uint64_t first_nodes;
    uint64_t second_nodes;
    int dimension;  // along which it was made
    bool in_ties;   // among records that are equal there
  };
  struct Ties {
    size_t begin;
    size_t end;
  };

  void Start(RecordMemory& memory, Records* records);
  size_t BaseCapacity(double payload) const;
  uint64_t Units(size_t records) const { return (records + base_capacity_ - 1) / base_capacity_; }
  uint64_t UnitsPerNode(int height) const;
  uint64_t NodesFor(uint64_t units, int height) const;
  uint64_t Children(const Range& range, int height) const;

  Division Halve(const Range& range, uint64_t nodes) const;
  void MoveCut(const Range& range, size_t middle, int height, Division* division) const;
  Division Cut(const Range& range, uint64_t nodes, int height, int axis);
  bool MayCutAt(const Range& range, size_t at, int height) const;
  Ties FindTies(const Range& range, size_t at, int axis);
  bool MayRefuse(const Range& range, int height) const;
  double OverlapOf(const Division& division) const;
  std::optional<Division> Divide(const Range& range, uint64_t nodes, int height, bool may_refuse);
  std::optional<Division> DivideDirectory(const Range& range, uint64_t nodes, int height, const std::vector<int>& ranked, bool may_refuse);

  void Nodes(const Range& range, uint64_t nodes, int height, const SplitHistory& history, bool may_refuse);
  void Node(const Range& range, int height, const SplitHistory& history, BlockNumber block, bool supernode);
  void Leaf(const Range& range, const SplitHistory& history);
  void Directory(size_t first, int level, const SplitHistory& history, BlockNumber block, bool supernode);
  void Pieces(size_t first, int level, const SplitHistory& history, BlockNumber block, size_t limit);
  int RootHeight(const Range& all);

  const uint8_t* Entry(size_t i) const { return stack_.data() + i * entry_.stride(); }
  uint8_t* Push();
  void SetEntry(const WrittenNode& node, const SplitHistory& history, uint8_t* entry) const;
  void PushNode(const WrittenNode& node, int level, const SplitHistory& history);

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
  size_t base_capacity_ = 1;  // planned records of a base node
  size_t base_limit_ = 1;     // the most that fit
  BulkRandom random_{0x71E5};
  RecordStore* output_ = nullptr;
  int output_level_ = 0;
};

}  // namespace xtree
