// Validation of untrusted page bytes, run by the stores and readers on each page that they hand out. Reads only the
// header, the special space and the meta page's own fields; locks nothing (the caller holds the page), writes nothing.
#include "page/validate.h"

#include "page/node.h"

#include <atomic>
#include <cstring>
#include <limits>

namespace xtree {
namespace {

bool Has(const PageFrame& f, uint8_t flag) { return f.opaque.flags & flag; }

// Bytes between pd_upper and the special space.
uint32_t ContentBytes(const PageFrame& f) { return f.header.special - f.header.upper; }

constexpr uint8_t kStates = kNodeDeleted | kNodeSupernodeHead | kNodeSupernodeFollower | kNodeHasMarks;

const char* CheckFrame(const PageFrame& f) {
  if (f.header.upper == 0) return "page is not initialized";
  if (f.header.special != kSpecialOffset) return "special space has a wrong size";
  if (f.header.size_version != kPageSizeVersion) return "page size or page layout version is wrong";
  if (f.header.lower < kPageHeaderSize || f.header.lower > f.header.upper || f.header.upper > f.header.special) {
    return "page pointers are out of order";
  }
  if (f.opaque.page_id != kNodePageId) return "page does not belong to an xtree index";
  return nullptr;
}

const char* CheckKind(const KeyLayout& layout, const PageFrame& f, int expected_level) {
  if (Has(f, kNodeMeta)) return "meta page where a node is expected";
  if (Has(f, kNodeModel)) return "page of a model where a node is expected";
  if (f.opaque.flags & ~(kNodeLeaf | kStates)) return "unknown page flags";
  if (f.opaque.level >= kMaxLevel) return "level is too high";
  if (Has(f, kNodeLeaf) != (f.opaque.level == 0)) return "level contradicts the leaf flag";
  if (expected_level >= 0 && f.opaque.level != expected_level) return "node is at another level than its parent says";
  if (f.opaque.dimensions != layout.dimensions) return "number of dimensions is that of another index";
  const BlockLayout& block = layout.Block(Has(f, kNodeLeaf), Has(f, kNodeHasMarks));
  if (f.opaque.block_bytes != block.bytes || f.opaque.block_capacity != block.capacity) return "block layout is that of another index";
  return nullptr;
}

const char* CheckDeleted(const PageFrame& f) {
  if (Has(f, kNodeSupernodeHead) || Has(f, kNodeHasMarks)) return "deleted page has flags of a node";
  if (f.opaque.entries != 0) return "deleted page has entries";
  if (f.header.lower != kPageHeaderSize + sizeof(DeletedContent) || ContentBytes(f) != 0) return "deleted page has content";
  return nullptr;
}

const char* CheckEntries(const KeyLayout& layout, const PageFrame& f) {
  const BlockLayout& block = layout.Block(Has(f, kNodeLeaf), Has(f, kNodeHasMarks));
  if (f.opaque.entries > block.max_entries) return "more entries than a page can hold";
  const uint32_t blocks = (f.opaque.entries + block.capacity - 1u) / block.capacity;
  if (f.header.lower != kPageHeaderSize + blocks * block.bytes) return "number of entries contradicts the size of their blocks";
  return nullptr;
}

// What lies between pd_upper and the special space.
const char* CheckUpper(const KeyLayout& layout, const PageFrame& f) {
  const uint32_t bytes = ContentBytes(f);
  if (Has(f, kNodeSupernodeHead)) {
    if (Has(f, kNodeLeaf) || Has(f, kNodeSupernodeFollower)) return "supernode head is a leaf or a follower as well";
    const uint32_t followers = bytes / sizeof(BlockNumber);
    if (bytes % sizeof(BlockNumber) != 0 || followers >= kMaxSupernodePages) return "list of a supernode's pages has a wrong size";
    return nullptr;
  }
  if (Has(f, kNodeLeaf) && layout.include) {
    if (bytes % 2 != 0 || bytes < f.opaque.entries * PayloadBytes(0)) return "payload area is too small for the entries";
    if (f.opaque.entries == 0 && bytes != 0) return "payload on a page without entries";
    return nullptr;
  }
  return bytes == 0 ? nullptr : "unexpected content at the end of the page";
}

const char* CheckGeneration(const VectorGeneration& generation, uint32_t first_free) {
  if (!(generation.scale >= 0 && generation.scale < std::numeric_limits<float>::infinity())) return "scale of codes is out of range";
  if ((generation.model_bytes == 0) != (generation.model_id == 0)) return "model has no number, or number no model";
  if (generation.clusters < 1 || generation.clusters > kMaxClusters) return "number of clusters is out of range";
  if (generation.first_cluster < first_free || generation.first_cluster > kMaxFirstCluster) return "clusters' numbers are out of order";
  if (!(generation.drift >= 0 && generation.drift < std::numeric_limits<float>::infinity())) return "drift is out of range";
  return nullptr;
}

const char* CheckMetaFields(const MetaContent& meta) {
  if (meta.magic != kMetaMagic) return "page is not the meta page of an xtree index";
  if (meta.version != kFormatVersion) return "index has the format of another version of xtree";
  if (meta.feature_flags & ~kKnownFeatures) return "index uses features of a newer version of xtree";
  if (meta.build_state > static_cast<uint8_t>(MetaBuildState::kBuilt)) return "build state is unknown";
  if (meta.build_flags & ~kMetaBuildStale) return "build flags are unknown";
  if (meta.levels > kMaxLevel) return "number of levels is too high";
  for (const ColumnStatistics& column : meta.column_statistics)
    if (!(column.cuts >= 0 && column.cuts <= 2 && column.dimension >= 0 && column.dimension <= 2 * kMaxDimensions))
      return "statistics of a column are out of range";
  if (!(meta.built_crowding >= 0 && meta.built_crowding < 1e12F)) return "what the build measured is out of range";
  if (!(meta.heap_spread >= 0 && meta.heap_spread <= 1)) return "statistics of the table's pages are out of range";
  return ValidateVectors(meta);
}

}  // namespace

const char* ValidateVectors(const MetaContent& meta) {
  if (meta.vector_dimensions == 0) return meta.generations == 0 ? nullptr : "there is a model, but no column of vectors";
  if (meta.vector_column >= meta.columns) return "column of vectors is not in the index";
  const bool built = meta.build_state != static_cast<uint8_t>(MetaBuildState::kUnbuilt);
  if (meta.generations < built || meta.generations > kMaxGenerations) return "number of models is out of range";
  uint32_t first_free = 0;
  for (int i = 0; i < meta.generations; ++i) {
    if (const char* wrong = CheckGeneration(meta.generation[i], first_free)) return wrong;
    first_free = meta.generation[i].first_cluster + meta.generation[i].clusters;
  }
  return nullptr;
}

namespace {

bool SameEncoding(const ColumnEncoding& a, const ColumnEncoding& b) {
  return a.id == b.id && a.version == b.version && a.dimensions == b.dimensions && a.width == b.width && a.extended == b.extended;
}

}  // namespace

// The fence keeps the compiler from looking at the page again instead of at the copies.
void PageFrame::Read(const uint8_t* page) {
  memcpy(&header, page, sizeof(header));
  memcpy(&opaque, page + kSpecialOffset, sizeof(opaque));
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

const char* ValidateNode(const KeyLayout& layout, const uint8_t* page, int expected_level) {
  PageFrame frame;
  frame.Read(page);
  return ValidateNode(layout, frame, expected_level);
}

const char* ValidateNode(const KeyLayout& layout, const PageFrame& frame, int expected_level) {
  if (const char* wrong = CheckFrame(frame)) return wrong;
  if (const char* wrong = CheckKind(layout, frame, expected_level)) return wrong;
  if (Has(frame, kNodeSupernodeFollower)) {
    if (Has(frame, kNodeLeaf)) return "leaf is flagged as part of a supernode";
    if (frame.opaque.link == kMetaBlock || frame.opaque.link == kInvalidBlock) return "part of a supernode names no head";
  }
  if (Has(frame, kNodeDeleted)) return CheckDeleted(frame);
  if (const char* wrong = CheckEntries(layout, frame)) return wrong;
  return CheckUpper(layout, frame);
}

bool IsModelPage(const uint8_t* page) {
  PageFrame frame;
  frame.Read(page);
  return CheckFrame(frame) == nullptr && frame.opaque.flags == kNodeModel;
}

const char* ValidateMeta(const uint8_t* page, const ColumnEncoding* columns, int column_count) {
  PageFrame frame;
  frame.Read(page);
  if (const char* wrong = CheckFrame(frame)) return wrong;
  if (frame.opaque.flags != kNodeMeta) return "page is not flagged as meta page";
  if (frame.header.lower < kPageHeaderSize + kLeastMetaBytes) return "meta page is too short";
  MetaContent meta;
  memcpy(&meta, page + kPageHeaderSize, sizeof(meta));
  if (const char* wrong = CheckMetaFields(meta)) return wrong;
  if (meta.columns != column_count) return "number of key columns differs from the catalog's";
  int dimensions = 0;
  for (int c = 0; c < column_count; ++c) {
    if (!SameEncoding(meta.column[c], columns[c])) return "encoding of a column differs from that of its operator class";
    dimensions += columns[c].dimensions;
  }
  return meta.dimensions == dimensions ? nullptr : "number of dimensions differs from the columns'";
}

}  // namespace xtree
