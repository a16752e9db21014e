// See build_facts.h.
#include "functions/build_facts.h"

#include "index/meta_page.h"
#include "registry/file_mapping.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "storage/lmgr.h"
#include "storage/sinval.h"
#include "utils/syscache.h"
}

namespace xtree {

namespace {

IndexFile FindFile(Oid index) {
  const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
  if (!HeapTupleIsValid(tuple)) return {};
  const IndexFile file = FileOf(*reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple)));
  ReleaseSysCache(tuple);
  return file;
}

double FillOfLeaves(const MetaContent& meta) {
  if (meta.level[0].pages == 0 || (meta.feature_flags & kFeatureInclude) != 0) return -1;
  double bytes = sizeof(TupleId);
  for (int i = 0; i < std::min<int>(meta.columns, kMaxColumns); i++)
    bytes += meta.column[i].dimensions * meta.column[i].width * (meta.column[i].extended + 1);
  return static_cast<double>(meta.level[0].entries) * bytes / (meta.level[0].pages * static_cast<double>(kSpecialOffset - kPageHeaderSize));
}

void AddVectors(const MetaContent& meta, BuildFacts* facts) {
  constexpr uint64_t kFar = 8;
  const int generations = std::min<int>(meta.generations, kMaxGenerations);
  for (int g = 0; g < generations; g++) facts->vectors += meta.generation[g].rows;
  double rows = 0, drift = 0;
  for (int g = 0; g < generations; g++) {
    const VectorGeneration& generation = meta.generation[g];
    if (generation.trained_rows * kFar <= facts->vectors) facts->outgrown_vectors += generation.rows;
    if (generation.drift == 0) continue;
    rows += static_cast<double>(generation.rows);
    drift += static_cast<double>(generation.drift) * static_cast<double>(generation.rows);
  }
  if (rows > 0) facts->drift = drift / rows;
}

BuildFacts FactsOn(const MetaContent& meta) {
  BuildFacts facts = {true, meta.build_state == static_cast<uint8_t>(MetaBuildState::kBuilt), (meta.build_flags & kMetaBuildStale) != 0,
                      meta.counted_rows, meta.distinct_keys};
  facts.built_at = meta.built_at;
  facts.built_crowding = meta.built_crowding;
  facts.dimensions = meta.dimensions;
  facts.height = std::min<int>(meta.levels, kMaxLevel);
  if (facts.height == 0) return facts;
  for (int level = 0; level < facts.height; level++) facts.pages += meta.level[level].pages;
  facts.entries = meta.level[0].entries;
  facts.fill = FillOfLeaves(meta);
  AddVectors(meta, &facts);
  return facts;
}

// REQUIRES: a lock on the index, taken before `file` was last known to be its file.
BuildFacts Read(const IndexFile& file, BufferAccessStrategy strategy) {
  if (!file.found) return {};
  if (file.temporary) return {true, true, false, 0, 0};  // never deferred; its pages are in its session's buffers
  uint64_t blocks;
  if (IdentifyFile(file.locator, &blocks).inode == 0 || blocks == 0) return {};
  const MetaContent meta = TakeMeta(pg::ReadBufferOfFile(file.locator, kMetaBlock, file.permanent, strategy));
  if (meta.magic != kMetaMagic) return {};
  return FactsOn(meta);
}

}  // namespace

IndexFile FileOf(const FormData_pg_class& row) {
  return {row.relkind == RELKIND_INDEX, row.relpersistence == RELPERSISTENCE_TEMP, row.relpersistence == RELPERSISTENCE_PERMANENT,
          pg::LocatorOf(row)};
}

BuildFacts FactsOf(Oid index) {
  if (!ConditionalLockRelationOid(index, AccessShareLock)) return {};
  const BuildFacts facts = Read(FindFile(index), nullptr);
  UnlockRelationOid(index, AccessShareLock);
  return facts;
}

// Whoever gives an index another file says so to all before it unlocks the index, and taking a lock has us listen.
BuildFacts FactsOf(Oid index, const IndexFile& file, uint64 invalidations, BufferAccessStrategy strategy) {
  if (!ConditionalLockRelationOid(index, AccessShareLock)) return {};
  const bool unchanged = SharedInvalidMessageCounter == invalidations;
  const BuildFacts facts = Read(unchanged ? file : FindFile(index), strategy);
  UnlockRelationOid(index, AccessShareLock);
  return facts;
}

}  // namespace xtree
