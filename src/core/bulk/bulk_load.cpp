// Bulk load: in memory or level by level through temporary files.
#include "core/bulk/bulk_load.h"

#include <algorithm>

#include "core/bulk/bulk_external.h"

namespace xtree {

namespace {

constexpr uint64_t kInterruptEvery = 4096;

}  // namespace

BulkLoader::BulkLoader(const KeyLayout& layout, const BulkOptions& options, size_t memory_limit, BulkEnvironment& environment,
                       PageSink& sink, SpillFiles& files)
    : layout_(&layout),
      options_(options),
      budget_(environment, std::max(memory_limit, kMinBulkMemory)),
      files_(&files),
      row_(layout, true),
      entry_(layout, false),
      store_(row_, budget_, RowMemory(), files),
      writer_(layout, options, sink, environment),
      scratch_(budget_) {
  scratch_.Resize(row_.stride());
  memset(scratch_.data(), 0, row_.stride());
}

void BulkLoader::Add(const Box& box, TupleId tuple, const uint8_t* payload, uint16_t payload_length) {
  row_.SetBox(box, scratch_.data());
  row_.SetTuple(tuple, scratch_.data());
  store_.Append(scratch_.data(), payload, payload_length);
  if (store_.size() % kInterruptEvery != 0) return;
  budget_.environment().CheckInterrupts();
  budget_.environment().Progress(BulkPhase::kRows, store_.size(), 0);
}

// A supernode's entries collect in memory.
int BulkLoader::MaxSupernodePages() const {
  return static_cast<int>(std::min<size_t>(options_.tree.max_supernode_pages, budget_.limit() / 32 / kPageSize));
}

BulkStatistics BulkLoader::Finish() {
  writer_.Expect(store_.size(), store_.marks());
  if (!store_.spilled()) budget_.environment().Progress(BulkPhase::kBuild, 0, store_.size());
  BuildTree(0, &store_);
  BulkStatistics statistics = writer_.Statistics();
  writer_.leaf_sample().Fit(statistics.level[0].nodes, statistics.column);
  statistics.heap_spread = writer_.leaf_sample().HeapSpread();
  return statistics;
}

void BulkLoader::BuildTree(int level, RecordStore* store) {
  std::optional<RecordStore> stores[2];
  for (int round = 0; store->spilled(); round++) {
    std::optional<RecordStore>& next = stores[round % 2];
    next.emplace(entry_, budget_, DownlinkMemory(), *files_);
    level = BuildParts(level, store, &*next);
    store = &*next;
  }
  TreeBuilder builder(*layout_, options_, MaxSupernodePages(), level, writer_, budget_);
  builder.BuildRoot(store->memory());
}

// Subtrees over the records of a store that spilled, those of `level`; their downlinks go to `next`. The level of
// these.
int BulkLoader::BuildParts(int level, RecordStore* store, RecordStore* next) {
  const SpillRun run = store->FinishRun();
  RecordMemory& sample = store->memory();
  Partitioner partitioner(sample.format());
  const ColumnScales scales = partitioner.MeasureScales(sample.Order());
  TreeBuilder builder(*layout_, options_, MaxSupernodePages(), level, writer_, budget_);
  ExternalBuilder external(sample.format(), budget_, PartMemory(), *files_, builder, scales, next);
  return level + external.Build(run, sample) + 1;
}

}  // namespace xtree
