// See build_estimate.h.
#include "build/build_estimate.h"

#include <chrono>
#include <cmath>

#include "build/build_dimensions.h"
#include "core/cluster/train.h"
#include "core/bulk/bulk_load.h"
#include "core/estimate/build_size.h"
#include "index/index_state.h"
#include "index/key_box.h"
#include "index/payload.h"
#include "pg/guard.h"

extern "C" {
#include "access/tableam.h"
#include "miscadmin.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "storage/bufmgr.h"
}

namespace xtree {

namespace {

constexpr BlockNumber kSampledBlocks = 1000;

// Memory of the sample, which is the context's; no progress is reported, because nothing is built.
class SampleEnvironment final : public BulkEnvironment {
 public:
  explicit SampleEnvironment(MemoryContext memory) : memory_(memory) {}
  void* Reallocate(void* old, size_t bytes) override {
    return PgCall([&] { return old == nullptr ? MemoryContextAllocHuge(memory_, bytes) : repalloc_huge(old, bytes); });
  }
  void Free(void* memory) noexcept override { pfree(memory); }
  void CheckInterrupts() override {
    PgCall([] { CHECK_FOR_INTERRUPTS(); });
  }
  void Progress(BulkPhase, uint64_t, uint64_t) override {}

 private:
  MemoryContext memory_;
};

// Pages are made, and forgotten.
class ForgetfulSink final : public PageSink {
 public:
  BlockNumber Reserve(int count) override {
    const BlockNumber first = next_;
    next_ += static_cast<BlockNumber>(count);
    return first;
  }
  void Write(BlockNumber, const PageImage&) override {}

 private:
  BlockNumber next_ = kRootBlock + 1;
};

// The sample has all the memory that it takes.
class NoFiles final : public SpillFiles {
 public:
  int Create() override { Fail(); }
  void Write(int, const void*, size_t) override { Fail(); }
  void Rewind(int) override { Fail(); }
  void Read(int, void*, size_t) override { Fail(); }
  void Drop(int) override { Fail(); }

 private:
  [[noreturn]] static void Fail() { throw std::logic_error("a sample of rows does not fit the memory"); }
};

struct Sample {
  Relation index;
  const IndexState* state;
  TupleDesc include;
  VectorCoder* coder;
  MemoryContext row;
  BulkLoader* loader;
  double payload_bytes;  // lengths included
  bool marks;
};

double Seconds(std::chrono::steady_clock::duration time) { return std::chrono::duration<double>(time).count(); }

class StopWatch {
 public:
  double Lap() {
    const auto now = std::chrono::steady_clock::now(), begin = begin_;
    begin_ = now;
    return Seconds(now - begin);
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

extern "C" void xtree_estimate_row(Relation index, ItemPointer tuple, Datum* values, bool* isnull, bool, void* argument) {
  auto* sample = static_cast<Sample*>(argument);
  const MemoryContext old = MemoryContextSwitchTo(sample->row);
  Box box;
  FormBox(index, *sample->state, sample->coder, tuple, values, isnull, &box);
  const Payload payload = FormPayload(index, *sample->state, sample->coder, sample->include, values, isnull);
  Guarded(index, [&] { sample->loader->Add(box, ToTupleId(*tuple), payload.bytes, payload.length); });
  if (sample->state->layout.include) sample->payload_bytes += sizeof(payload.length) + payload.length;
  sample->marks |= box.marks != 0;
  MemoryContextSwitchTo(old);
  MemoryContextReset(sample->row);
}

namespace {

struct SampledBlocks {
  BlockNumber looked_at;
  BlockNumber all;
  double share() const { return all == 0 ? 1 : static_cast<double>(looked_at) / all; }
  bool whole() const { return looked_at == all; }
};

// So many blocks in an order in which any first part of them is spread over the table evenly, for as long as their rows fit the memory.
SampledBlocks SampleBlocks(Relation heap, IndexInfo* info, size_t row_bytes, Sample* sample) {
  SampledBlocks blocks = {0, RelationGetNumberOfBlocks(heap)};
  const BlockNumber count = std::min(blocks.all, kSampledBlocks);
  BlockNumber step = 1;
  if (count > 2) {
    constexpr double kGoldenRatio = 0.6180339887;
    const auto coprime = [=](BlockNumber a) {
      BlockNumber b = count;
      while (b != 0) a = std::exchange(b, a % b);
      return a == 1;
    };
    step = static_cast<BlockNumber>(count * kGoldenRatio);
    while (!coprime(step)) step++;
  }
  const double room = static_cast<double>(maintenance_work_mem) * 1024 / 2;
  for (uint64 i = 0; i < count; i++) {
    const uint64 place = i * step % count;
    const auto block = static_cast<BlockNumber>(place * blocks.all / count);
    table_index_build_range_scan(heap, sample->index, info, false, false, false, block, 1, xtree_estimate_row, sample, nullptr);
    blocks.looked_at++;
    if (static_cast<double>(sample->loader->rows()) * static_cast<double>(row_bytes) + sample->payload_bytes > room) break;
  }
  return blocks;
}

bool IsParallelSafe(const IndexInfo* info) {
  PlannerInfo* root = makeNode(PlannerInfo);
  root->parse = makeNode(Query);
  root->glob = makeNode(PlannerGlobal);
  root->glob->maxParallelHazard = PROPARALLEL_UNSAFE;  // look
  return is_parallel_safe(root, reinterpret_cast<Node*>(info->ii_Expressions)) &&
         is_parallel_safe(root, reinterpret_cast<Node*>(info->ii_Predicate));
}

// As the server's planner counts them for a build (plan_create_index_workers), which needs an index to be asked.
int PlanWorkers(Relation heap, const IndexInfo* info) {
  const int most = max_parallel_maintenance_workers;
  if (heap->rd_rel->relpersistence == RELPERSISTENCE_TEMP || most == 0 || !IsUnderPostmaster) return 0;
  if (!IsParallelSafe(info)) return 0;
  int workers = RelationGetParallelWorkers(heap, -1);
  if (workers >= 0) return std::min({workers, most, max_worker_processes});
  workers = 0;
  const auto least = static_cast<double>(std::max(min_parallel_table_scan_size, 1));
  for (double blocks = RelationGetNumberOfBlocks(heap); blocks >= least && workers < most; blocks /= 3) workers++;
  constexpr int kLeastMemory = 32 * 1024;
  while (workers > 0 && maintenance_work_mem / (workers + 1) < kLeastMemory) workers--;
  return workers;
}

struct Times {
  double rows;  // of the sample: to read and pack them
  double tree;  // to make a tree of them
};

// What the sample took, for all rows; sorting them takes a logarithm more. The table is read from its start to its end then, and in parallel; or its
// pages have left the memory, and those of the index go to a slow disk.
void FillTimes(const Times& times, const SampledBlocks& blocks, double rows, double sampled, const BuildSize& size, int workers,
               BuildEstimate* estimate) {
  constexpr double kMuchFaster = 0.4, kSlower = 3, kFilesSlower = 2, kPage[] = {2e-6, 100e-6}, kAlways[] = {0, 0.05};
  const double more = sampled > 0 ? rows / sampled : 1;
  const double logarithm = sampled > 1 ? std::max(std::log(rows + 1) / std::log(sampled + 1), 1.0) : 1;
  const double work = times.rows / blocks.share() + times.tree * more * logarithm;
  estimate->seconds[0] = kAlways[0] + (work * kMuchFaster) / (workers + 1) + size.AllPages() * kPage[0] / (workers + 1);
  estimate->seconds[1] = kAlways[1] + work * kSlower * (size.in_memory ? 1 : kFilesSlower) + size.AllPages() * kPage[1];
}

double ModelPagesFor(Relation index, int dimensions, double rows) {
  if (dimensions == 0) return 0;
  const int wanted = ClustersOf(index);
  const int clusters = wanted > 0 ? wanted : RecommendedClusters(static_cast<uint64_t>(rows));
  return ModelPages(static_cast<uint32_t>(VectorModel::BytesFor(dimensions, clusters)));
}

BuildEstimate EstimateFrom(Relation heap, const SketchedIndex& sketch, MemoryContext memory) {
  uint16 dimensions[kMaxColumns] = {};
  FindDimensions(heap, sketch.index, sketch.info, dimensions);
  const MemoryContext row = AllocSetContextCreate(memory, "xtree estimate row", ALLOCSET_DEFAULT_SIZES);
  const IndexState* state = NewIndexState(sketch.index, dimensions);
  const TupleDesc include = IncludeDescriptor(sketch.index);
  const int vector_dimensions = state->vectors.dimensions;
  VectorCoder* coder = nullptr;
  if (vector_dimensions != 0)
    coder = VectorCoder::Make(*state, ModelOf({.id = 0, .scale = 1, .bytes = nullptr, .size = 0}, vector_dimensions), 0);
  const int workers = PlanWorkers(heap, sketch.info);
  return Guarded(sketch.index, [&] {
    SampleEnvironment environment(memory);
    ForgetfulSink sink;
    NoFiles files;
    const KeyLayout& layout = state->layout;
    const BulkOptions options = {state->tree_options, state->fillfactor};
    constexpr size_t kAsMuchAsItTakes = SIZE_MAX / 8;
    BulkLoader loader(layout, options, kAsMuchAsItTakes, environment, sink, files);
    Sample sample = {sketch.index, state, include, coder, row, &loader, 0, false};
    StopWatch watch;
    const size_t row_bytes = Records::BytesPerRecord(RecordFormat(layout, true));
    const SampledBlocks blocks = PgCall([&] { return SampleBlocks(heap, sketch.info, row_bytes, &sample); });
    Times times = {watch.Lap(), 0};
    BuildEstimate estimate = {};
    estimate.sampled = static_cast<double>(loader.rows());
    estimate.rows = std::round(estimate.sampled / blocks.share());
    const BulkStatistics built = loader.Finish();
    times.tree = watch.Lap();
    const RowsToLoad some = {estimate.sampled, estimate.sampled > 0 ? sample.payload_bytes / estimate.sampled : 0, sample.marks};
    RowsToLoad all = some;
    all.rows = estimate.rows;
    const BuildRoom room = {static_cast<size_t>(maintenance_work_mem) * 1024, workers + 1};
    BuildSize size = SizeByExample(layout, options, all, room, some, built);
    if (blocks.whole() && size.in_memory) {  // then it is the tree
      size.levels = built.levels;
      for (int level = 0; level < built.levels; level++) size.pages[level] = built.level[level].pages;
    }
    estimate.height = size.levels;
    estimate.bytes = (std::round(size.AllPages()) + 1 + ModelPagesFor(sketch.index, vector_dimensions, estimate.rows)) * kPageSize;
    estimate.memory = MemoryToLoad(layout, all);
    FillTimes(times, blocks, estimate.rows, estimate.sampled, size, workers, &estimate);
    return estimate;
  });
}

}  // namespace

BuildEstimate EstimateIndexBuild(Relation heap, const SketchedIndex& sketch) {
  const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "xtree estimate", ALLOCSET_DEFAULT_SIZES);
  const BuildEstimate estimate = EstimateFrom(heap, sketch, memory);
  MemoryContextDelete(memory);
  return estimate;
}

void AddEstimate(const BuildEstimate& more, BuildEstimate* all) {
  all->rows += more.rows;
  all->sampled += more.sampled;
  all->bytes += more.bytes;
  all->height = std::max(all->height, more.height);
  all->memory = std::max(all->memory, more.memory);
  for (int i = 0; i < 2; i++) all->seconds[i] += more.seconds[i];
}

}  // namespace xtree
