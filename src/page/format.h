// The on-disk format of an xtree index, whole, at one glance. src/README.md explains it; nothing else defines a disk struct.
//
// A page is a standard PostgreSQL page: 24-byte header (pd_lsn .. pd_prune_xid), content growing from pd_lower, a hole that WAL
// leaves out, content growing down to pd_upper, and NodeOpaque in the special space. Block 0 is the meta page, block 1 the root,
// for ever. Everything is read as untrusted bytes and checked once on entry (page/validate.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace xtree {

using BlockNumber = uint32_t;
using Lsn = uint64_t;

inline constexpr uint32_t kPageSize = 8192;
inline constexpr uint32_t kPageHeaderSize = 24;  // SizeOfPageHeaderData, asserted in src/pg
inline constexpr BlockNumber kMetaBlock = 0;
inline constexpr BlockNumber kRootBlock = 1;
inline constexpr BlockNumber kInvalidBlock = 0xFFFFFFFF;
inline constexpr int kMaxDimensions = 100;
inline constexpr int kMaxColumns = 32;
inline constexpr int kMaxLevel = 24;             // height of a tree is bounded, so that a damaged page cannot loop a descent
inline constexpr int kMaxEntriesPerPage = 1024;  // of any layout (816 one-dimensional 32-bit keys is the most that fits)
inline constexpr int kMaxSupernodePages = 512;   // that any reader must bear; writers make smaller ones (index/options.cpp)

// Bytes [begin, end) of a page.
struct ByteRange {
  uint16_t begin;
  uint16_t end;
};

// The fields of PageHeaderData that this project touches, by offset.
struct PageHeader {
  uint32_t lsn_high;  // pd_lsn, PostgreSQL's {xlogid, xrecoff}
  uint32_t lsn_low;
  uint16_t checksum;
  uint16_t flags;
  uint16_t lower;    // end of the blocks of entries
  uint16_t upper;    // start of extent list / INCLUDE payload
  uint16_t special;  // start of NodeOpaque
  uint16_t size_version;
  uint32_t prune_xid;
};
static_assert(sizeof(PageHeader) == kPageHeaderSize);
static_assert(offsetof(PageHeader, lower) == 12);

inline constexpr uint16_t kPageSizeVersion = kPageSize | 4;  // PageSetPageSizeAndVersion(.., PG_PAGE_LAYOUT_VERSION)

enum NodeFlags : uint8_t {
  kNodeLeaf = 0x01,
  kNodeDeleted = 0x02,            // emptied and unlinked by VACUUM; DeletedContent follows the header
  kNodeSupernodeHead = 0x04,      // the list of its followers' blocks lies at pd_upper
  kNodeSupernodeFollower = 0x08,  // `link` names the head
  kNodeHasMarks = 0x10,           // blocks carry an array of marks (some entry is NULL or empty in a column)
  kNodeMeta = 0x20,
  kNodeModel = 0x40,  // a part of what the codes of vectors mean (core/cluster/vector_model.h); no node: nothing but these bytes
};

inline constexpr uint16_t kNodePageId = 0xF5E7;  // last two bytes of the page, as pg_filedump's readers expect an id there

// Special space of every page. 24 bytes.
struct NodeOpaque {
  uint64_t nsn;          // node sequence number: insert LSN of the split that last moved entries to the right sibling; 0 never
  uint32_t link;         // right sibling of that split (kInvalidBlock: none); of a follower: its head; of a model's page: the next one
  uint16_t entries;      // on this page
  uint8_t level;         // 0 = leaf
  uint8_t flags;         // NodeFlags
  uint16_t dimensions;   // of the index: a page of another index is noticed
  uint16_t block_bytes;  // of the layout in force on this page, likewise
  uint16_t block_capacity;
  uint16_t page_id;  // kNodePageId
};
static_assert(sizeof(NodeOpaque) == 24);
static_assert(offsetof(NodeOpaque, page_id) == 22);

inline constexpr uint32_t kSpecialOffset = kPageSize - sizeof(NodeOpaque);

// Content of a deleted page, right after the page header.
struct DeletedContent {
  uint64_t delete_xid;  // FullTransactionId: recycled once no snapshot can still be on its way here
};

// A heap tuple's address, byte for byte PostgreSQL's ItemPointerData.
struct TupleId {
  uint16_t block_high;
  uint16_t block_low;
  uint16_t offset;
  friend bool operator==(const TupleId&, const TupleId&) = default;
  uint64_t Packed() const { return (uint64_t{block_high} << 32) | (uint64_t{block_low} << 16) | offset; }
  static TupleId FromPacked(uint64_t packed) {
    return {static_cast<uint16_t>(packed >> 32), static_cast<uint16_t>(packed >> 16), static_cast<uint16_t>(packed)};
  }
};
static_assert(sizeof(TupleId) == 6 && alignof(TupleId) == 2);

// Marks of an entry: two bits a column. On a leaf: of that row; on a directory page: of some row below.
enum ColumnMark : uint8_t {
  kMarkNull = 1,
  kMarkEmpty = 2,  // an empty range or multirange: contains nothing, is contained in everything
  // The same bit in columns that are never empty (ColumnShape.nearer): a value with a box, but one that may be nearer to something than
  // its box is.
  kMarkNearer = 2,
};
inline constexpr uint64_t ColumnMarks(int column, uint8_t marks) { return uint64_t{marks} << (2 * column); }

inline constexpr uint32_t kMetaMagic = 0x58545245;  // "XTRE"
inline constexpr uint16_t kFormatVersion = 1;

enum class MetaBuildState : uint8_t {
  kUnbuilt = 0,  // deferred: nothing leads beyond the meta page
  kReady = 1,    // takes inserts, not yet complete for every snapshot
  kBuilt = 2,
};

enum MetaBuildFlags : uint32_t {
  kMetaBuildStale = 1,  // rows were written to the table while the index was not built
};

// What the meta page remembers of a level for the planner and for xtree_index_info.
struct LevelStatistics {
  uint64_t entries;
  uint32_t nodes;
  uint32_t pages;  // more than nodes where there are supernodes
  uint32_t supernodes;
  float overlap;  // mean intersection over union of sibling boxes, 0..1
};
static_assert(sizeof(LevelStatistics) == 24);

// Likewise of a column, for the planner (core/leaf_share.h). dimension 0: not known.
struct ColumnStatistics {
  float cuts;
  float dimension;
};
static_assert(sizeof(ColumnStatistics) == 8);

struct ColumnEncoding {
  uint16_t id;  // XtreeTypeRoutine.encoding_id of the column's operator class
  uint16_t version;
  uint16_t dimensions;
  uint8_t width;     // bytes of an ordinal: 4 or 8
  uint8_t extended;  // 1: lo and hi are stored on leaves
};
static_assert(sizeof(ColumnEncoding) == 8);

// XtreeTypeRoutine.order_version of a column, zeros behind it; all zeros: none. Whole, because a hash would let some change pass.
inline constexpr int kOrderVersionBytes = 32;
struct OrderVersion {
  char text[kOrderVersionBytes];
};

// Of an index of clusters: one of the models that its codes are relative to (core/cluster/cluster_models.h), and what the last build or VACUUM saw of
// the rows in its clusters, whose numbers are its own for ever.
inline constexpr int kMaxGenerations = 8;
inline constexpr int kMaxClusters = 65535;  // of a generation
inline constexpr uint32_t kMaxFirstCluster = 1 << 30;
struct VectorGeneration {
  uint64_t model_id;      // on each of the model's pages, and of no other model; 0: there is none, codes have one scale alone
  uint64_t trained_rows;  // of the table, when the model was made; 0: it was not made from rows
  uint64_t rows;          // with vectors, in its clusters
  uint64_t
      superseded_xid;  // next full xid when the next generation came: statements that are older may still insert into this one; 0: it is the newest
  BlockNumber model_block;  // first of the model's pages, each of which names the next one (NodeOpaque.link)
  uint32_t model_bytes;     // of the model
  uint32_t first_cluster;
  uint32_t clusters;
  float scale;  // of codes without a model (VectorModel::MakeFromScale); 0: there is one
  float drift;  // mean distance of the rows from their centroids, beside that of those which the centroids were made from; 0: not known
};
static_assert(sizeof(VectorGeneration) == 56);

// Content of block 0, right after the page header.
struct MetaContent {
  uint32_t magic;
  uint16_t version;
  uint8_t build_state;       // MetaBuildState
  uint8_t columns;           // key columns
  uint64_t feature_flags;    // a bit that this code does not know refuses the index
  uint64_t usable_from_xid;  // snapshots older than this treat the index as unbuilt; 0: every snapshot may use it
  uint64_t statistics_xid;   // next full xid when the statistics below were taken
  uint16_t levels;           // entries of level[] in use
  uint16_t dimensions;
  uint32_t build_flags;    // MetaBuildFlags
  uint64_t counted_rows;   // that the last build put in
  uint64_t distinct_keys;  // of them, estimated
  LevelStatistics level[kMaxLevel];
  ColumnEncoding column[kMaxColumns];
  ColumnStatistics column_statistics[kMaxColumns];
  OrderVersion order_version[kMaxColumns];
  // Since 1.1; pages of before end here, and have zeros in their hole.
  float heap_spread;     // pages of the table that a leaf's rows are on, per row, the mean of a sample: 1: each on its own; 0: not known
  uint32_t built_at;     // when the last build ended: seconds since 2000; 0: not known
  float built_crowding;  // how many nodes lay over one place then (core/estimate/crowding.h); 0: not known
  // Of an index of clusters.
  uint16_t vector_dimensions;  // 0: no column is kept in clusters
  uint16_t vector_column;
  uint16_t generations;  // in use: at least one where a column is kept in clusters
  uint16_t unused[3];
  VectorGeneration generation[kMaxGenerations];  // the newest is last
};
static_assert(offsetof(MetaContent, level) == 56);
static_assert(sizeof(MetaContent) == 80 + 24 * kMaxLevel + (16 + kOrderVersionBytes) * kMaxColumns + 56 * kMaxGenerations);
inline constexpr uint32_t kLeastMetaBytes = offsetof(MetaContent, heap_spread);

inline constexpr uint64_t kFeatureInclude = 1;  // leaves carry an INCLUDE payload
inline constexpr uint64_t kFeatureClusters =
    4;  // one of the columns is kept in clusters; its codes begin the payloads (2 was a format of one model)
inline constexpr uint64_t kKnownFeatures = kFeatureInclude | kFeatureClusters;

// Bytes of a model on a page.
inline constexpr uint32_t kModelPageBytes = kSpecialOffset - kPageHeaderSize;

}  // namespace xtree
