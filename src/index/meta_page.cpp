// See meta_page.h.
#include "index/meta_page.h"

#include "pg/compat.h"
#include "storage/wal.h"

extern "C" {
#include "access/transam.h"
#include "utils/timestamp.h"
}

namespace xtree {

namespace {

void CommitMeta(Relation index, Buffer buffer, const PageImage* image, bool fresh) {
  const BufferChange change{buffer, image, fresh};
  CommitPages(index, {&change, 1});
}

}  // namespace

MetaContent TakeMeta(Buffer buffer) {
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  MetaContent meta;
  memcpy(&meta, pg::BufferBytes(buffer) + kPageHeaderSize, sizeof(meta));
  UnlockReleaseBuffer(buffer);
  return meta;
}

const MetaContent& CopyMetaPage(Relation index, PageImage* copy) {
  const Buffer buffer = ReadBuffer(index, kMetaBlock);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  memcpy(copy->bytes, pg::BufferBytes(buffer), kPageSize);
  UnlockReleaseBuffer(buffer);
  return MetaOn(copy);
}

bool ReadableFormat(const MetaContent& meta) {
  return meta.magic != kMetaMagic || (meta.version == kFormatVersion && (meta.feature_flags & ~kKnownFeatures) == 0);
}

void ReportFormat(Relation index, const MetaContent& meta) {
  ereport(ERROR,
          (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
           errmsg("index \"%s\" has another format than this version of xtree reads", RelationGetRelationName(index)),
           errdetail("It has format version %d with features %llx, this library reads version %d with features %llx.", meta.version,
                     static_cast<unsigned long long>(meta.feature_flags), kFormatVersion, static_cast<unsigned long long>(kKnownFeatures)),
           errhint("REINDEX it, or install the version of xtree that wrote it.")));
  pg_unreachable();
}

void InitializeMetaPage(const IndexState& state, MetaBuildState build_state, const LevelStatistics* level, int levels, PageImage* image) {
  memset(image->bytes, 0, kPageSize);
  NodeEditor editor(state.layout, image->bytes);
  editor.Initialize(0, 0);
  editor.opaque().flags = kNodeMeta;
  ReachEnd(image);
  MetaContent& meta = MetaOn(image);
  meta.magic = kMetaMagic;
  meta.version = kFormatVersion;
  meta.build_state = static_cast<uint8_t>(build_state);
  meta.columns = state.layout.columns;
  meta.feature_flags = (state.layout.include ? kFeatureInclude : 0) | (state.vectors.dimensions != 0 ? kFeatureClusters : 0);
  meta.statistics_xid = RecoveryInProgress() ? 0 : U64FromFullTransactionId(ReadNextFullTransactionId());
  meta.levels = static_cast<uint16_t>(levels);
  if (levels > 0) memcpy(meta.level, level, levels * sizeof(LevelStatistics));
  FillEncodings(state, meta.column);
  FillOrderVersions(state, meta.order_version);
  for (int i = 0; i < meta.columns; i++) meta.dimensions = static_cast<uint16_t>(meta.dimensions + meta.column[i].dimensions);
  NoteVectors(state.vectors, &meta);
}

VectorFacts VectorsOn(const MetaContent& meta) {
  VectorFacts vectors = {meta.vector_dimensions, meta.vector_column, std::min<uint16_t>(meta.generations, kMaxGenerations), {}};
  std::copy_n(meta.generation, kMaxGenerations, vectors.generation);
  return vectors;
}

void NoteVectors(const VectorFacts& vectors, MetaContent* meta) {
  meta->vector_dimensions = vectors.dimensions;
  meta->vector_column = vectors.column;
  meta->generations = vectors.generations;
  std::copy_n(vectors.generation, kMaxGenerations, meta->generation);
  if (vectors.dimensions != 0) meta->feature_flags |= kFeatureInclude | kFeatureClusters;
}

void NoteColumns(const ColumnStatistics* column, float heap_spread, PageImage* image) {
  MetaContent& meta = MetaOn(image);
  std::copy_n(column, meta.columns, meta.column_statistics);
  meta.heap_spread = heap_spread;
}

void NoteBuild(uint64_t rows, uint64_t distinct_keys, double crowding, MetaContent* meta) {
  meta->counted_rows = rows;
  meta->distinct_keys = distinct_keys;
  meta->built_crowding = static_cast<float>(crowding);
  meta->built_at = static_cast<uint32_t>(std::max<TimestampTz>(GetCurrentTimestamp() / USECS_PER_SEC, 0));
}

void ReachEnd(PageImage* image) {
  auto& header = *reinterpret_cast<PageHeader*>(image->bytes);
  header.lower = std::max<uint16_t>(header.lower, kPageHeaderSize + sizeof(MetaContent));
}

void AppendMetaPage(Relation index, const PageImage& image) {
  const Buffer buffer = pg::ExtendLocked(index);
  CommitMeta(index, buffer, &image, true);
  UnlockReleaseBuffer(buffer);
}

MetaEdit::MetaEdit(Relation index) : index_(index), buffer_(ReadBuffer(index, kMetaBlock)) {
  LockBuffer(buffer_, BUFFER_LOCK_EXCLUSIVE);
  memcpy(image_.bytes, pg::BufferBytes(buffer_), kPageSize);
}

void MetaEdit::Finish() {
  if (memcmp(image_.bytes, pg::BufferBytes(buffer_), kPageSize) != 0) {
    ReachEnd(&image_);
    CommitMeta(index_, buffer_, &image_, false);
  }
  UnlockReleaseBuffer(buffer_);
}

}  // namespace xtree
