// Writes the pages of a bulk load: leaves, directory nodes and supernodes, each once and complete; keeps the levels'
// statistics.
//
// For bulk_*.cpp; the access method implements PageSink. Nobody else can see the pages yet, so nothing is locked; how
// they are logged is the sink's business.
#pragma once

#include "core/bulk/bulk_rows.h"
#include "core/leaf_share.h"
#include "core/page_store.h"
#include "core/write/split.h"

namespace xtree {

// Where the pages go. Functions may throw.
class PageSink {
 public:
  virtual ~PageSink() = default;

  // The first of `count` consecutive blocks that nobody else has got. The first call gives block 2; numbers increase.
  virtual BlockNumber Reserve(int count) = 0;

  // Each reserved block once, in the order of their numbers; kRootBlock last of all. pd_lsn and checksum are the
  // sink's.
  virtual void Write(BlockNumber block, const PageImage& image) = 0;
};

struct BulkOptions {
  TreeOptions tree;
  int fillfactor = 90;  // percent, 10 .. 100
};

struct BulkStatistics {
  int levels;                        // entries of level[] in use; level[levels - 1] is the root's
  LevelStatistics level[kMaxLevel];  // overlap: of a level's nodes with their siblings, from a sample of pairs
  ColumnStatistics column[kMaxColumns];
  float heap_spread;          // LeafSample::HeapSpread
  float crowding[kMaxLevel];  // of the nodes of a level, the mean (core/estimate/crowding.h)
};

// What is written of a node: where it is and what its downlink must say.
struct WrittenNode {
  BlockNumber block;
  Box bounds;
};

class NodeWriter {
 public:
  NodeWriter(const KeyLayout& layout, const BulkOptions& options, PageSink& sink, BulkEnvironment& environment);

  // `marks`: some row has marks, so pages are planned with room for them.
  void Expect(uint64_t rows, bool marks) {
    rows_ = rows;
    marks_ = marks;
  }

  // Entries that a node is planned to hold, `payload`: mean bytes of an INCLUDE payload on the page.
  size_t LeafCapacity(double payload) const;
  size_t DirectoryCapacity() const;

  // Pages of a supernode of `entries`; more than kMaxSupernodePages where that is too many for any.
  int SupernodePages(size_t entries) const;

  // `block`: kRootBlock, or kInvalidBlock for one of the sink's. False, and nothing written, when the rows do not fit
  // the page.
  bool WriteLeaf(const Records& rows, size_t begin, size_t end, const uint8_t* payloads, BlockNumber block, WrittenNode* node);

  // `entries`: `count` packed directory records. One page when they fit, else a supernode.
  void WriteDirectory(const RecordFormat& format, const uint8_t* entries, size_t count, int level, BlockNumber block, WrittenNode* node);

  BulkStatistics Statistics() const;  // but for the columns'
  LeafSample& leaf_sample() { return leaf_sample_; }

  // Entries that fit one directory page, if some of them have marks.
  size_t PageLimit(bool marks) const { return layout_->Block(false, marks).max_entries; }

 private:
  size_t HeadRoom(int pages) const;
  size_t FollowerCapacity() const;
  bool AppendRows(const Records& rows, size_t begin, size_t end, const uint8_t* payloads, NodeEditor* page);
  bool FillRows(const Records& rows, size_t begin, size_t end, NodeEditor* page);
  void Append(const RecordFormat& format, const uint8_t* entries, size_t count, NodeEditor* page, Box* bounds);
  void WriteSupernode(const RecordFormat& format, const uint8_t* entries, size_t count, int level, WrittenNode* node);
  void Emit(BlockNumber block);
  void CountNode(int level, size_t entries, int pages);
  void MeasureCrowding(const RecordFormat& format, const uint8_t* entries, size_t count, int level);
  void SampleOverlap(const RecordFormat& format, const uint8_t* entries, size_t count, int level);

  const KeyLayout* layout_;
  BulkOptions options_;
  PageSink* sink_;
  BulkEnvironment* environment_;
  uint64_t rows_ = 0;
  bool marks_ = false;
  PageImage image_;
  LevelStatistics level_[kMaxLevel] = {};
  double overlap_[kMaxLevel] = {};
  uint64_t pairs_[kMaxLevel] = {};
  double crowding_[kMaxLevel] = {};
  BulkRandom random_{0xB0C5};
  LeafSample leaf_sample_;
};

}  // namespace xtree
