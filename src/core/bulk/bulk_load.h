// Bulk load: CREATE INDEX on existing rows.
//
// For the access method's build. Rows are added one after another; Finish builds the tree and writes every page but the
// meta page, in memory when all rows fit the limit, else through temporary files, with the same quality of the tree.
// The index cannot be seen by anybody yet, so nothing is locked; logging the pages is the sink's business. Functions
// throw what the environment, the sink and the spill files throw.
#pragma once

#include "core/bulk/bulk_store.h"
#include "core/bulk/bulk_write.h"

namespace xtree {

// Less memory than this is rounded up to it.
inline constexpr size_t kMinBulkMemory = 1024 * 1024;

// How it is shared out. While rows come in they have most of it; once they are in files, the part under construction, the
// downlinks of finished parts, and files' buffers or a sample share it.
inline constexpr size_t kQuartersForRows = 3, kQuartersForPart = 2, kQuartersForDownlinks = 1;

class BulkLoader {
 public:
  // Everything is to outlive the loader. `memory_limit`: bytes that it may have from the environment at any time.
  BulkLoader(const KeyLayout& layout, const BulkOptions& options, size_t memory_limit, BulkEnvironment& environment, PageSink& sink,
             SpillFiles& files);

  // `payload`: INCLUDE columns as they lie on a page.
  void Add(const Box& box, TupleId tuple, const uint8_t* payload, uint16_t payload_length);

  uint64_t rows() const { return store_.size(); }

  BulkStatistics Finish();  // once

 protected:
  size_t RowMemory() const { return budget_.limit() / 4 * kQuartersForRows; }
  size_t PartMemory() const { return budget_.limit() / 4 * kQuartersForPart; }
  size_t DownlinkMemory() const { return budget_.limit() / 4 * kQuartersForDownlinks; }
  int MaxSupernodePages() const;

  // The rest of the tree and its root. `level`: of the nodes that the records of the store become entries of.
  void BuildTree(int level, RecordStore* store);

  const KeyLayout* layout_;
  BulkOptions options_;
  MemoryBudget budget_;
  SpillFiles* files_;
  RecordFormat row_;
  RecordFormat entry_;
  RecordStore store_;
  NodeWriter writer_;

 private:
  int BuildParts(int level, RecordStore* store, RecordStore* next);

  BulkBuffer scratch_;
};

}  // namespace xtree
