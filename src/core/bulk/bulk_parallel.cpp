// Bulk load by several processes: what each of them does.
#include "core/bulk/bulk_parallel.h"

#include <algorithm>

namespace xtree {

namespace {

constexpr uint64_t kInterruptEvery = 4096;

static_assert(std::is_trivially_copyable_v<BulkShare> && std::is_trivially_copyable_v<BulkPlan>);

// Calls use(record, payload, length) for each.
template <class F>
void ForEach(RecordMemory& memory, F use) {
  for (size_t i = 0; i < memory.size(); i++) {
    uint16_t length;
    const uint8_t* payload = memory.Payload(i, &length);
    use(memory.record(i), payload, length);
  }
}

template <class F>
void ForEach(SpillReader& reader, F use) {
  while (reader.Next()) use(reader.record(), reader.payload(), reader.payload_length());
}

// The overlap of a level's nodes was measured by whoever wrote their parents.
void AddStatistics(const BulkStatistics& from, BulkStatistics* to) {
  to->levels = std::max(to->levels, from.levels);
  for (int l = 0; l < std::min(to->levels, kMaxLevel - 1); l++) {
    const LevelStatistics& more = from.level[l];
    LevelStatistics& level = to->level[l];
    const double parents = to->level[l + 1].nodes, more_parents = from.level[l + 1].nodes;
    if (more_parents > 0)
      level.overlap = static_cast<float>((level.overlap * parents + more.overlap * more_parents) / (parents + more_parents));
    if (more.nodes > 0)
      to->crowding[l] = (to->crowding[l] * static_cast<float>(level.nodes) + from.crowding[l] * static_cast<float>(more.nodes)) /
                        static_cast<float>(level.nodes + more.nodes);
    level.entries += more.entries;
    level.nodes += more.nodes;
    level.pages += more.pages;
    level.supernodes += more.supernodes;
  }
}

}  // namespace

BulkParticipant::BulkParticipant(const KeyLayout& layout, const BulkOptions& options, size_t memory_limit, BulkEnvironment& environment,
                                 PageSink& sink, SpillFiles& files, SpillFiles& published)
    : BulkLoader(layout, options, memory_limit, environment, sink, files), published_(&published) {}

void BulkParticipant::Describe(size_t bytes, uint8_t* sample, BulkShare* share) {
  RecordMemory& memory = store_.memory();
  if (store_.spilled()) spilled_ = store_.FinishRun();
  share->rows = store_.size();
  share->bytes = spilled_ ? spilled_->bytes : memory.size() * row_.stride() + memory.payload_bytes();
  share->marks = store_.marks();
  share->sampled = std::min<uint64_t>(bytes / row_.stride(), memory.size());
  BulkRandom random(0x9A17);
  for (uint64_t i = 0; i < share->sampled; i++)
    memcpy(sample + i * row_.stride(), memory.record(random.Below(memory.size())), row_.stride());
}

// A sampled record stands for as many rows in one share as in another.
void BulkParticipant::Plan(std::span<const BulkShare> shares, size_t bytes, const uint8_t* samples, BulkPlan* plan) {
  *plan = {};
  uint64_t all_bytes = 0;
  double rows_per_record = 0;
  for (const BulkShare& share : shares) {
    plan->rows += share.rows;
    plan->marks |= share.marks;
    all_bytes += share.bytes;
    if (share.rows > 0) rows_per_record = std::max(rows_per_record, static_cast<double>(share.rows) / static_cast<double>(share.sampled));
  }
  if (plan->rows == 0) return;
  Prepare(*plan);
  const size_t most = shares.size() * (bytes / row_.stride()) * Records::BytesPerRecord(row_);
  RecordMemory sample(row_, budget_);
  for (size_t s = 0; s < shares.size(); s++) {
    const auto wanted = static_cast<uint64_t>(std::ceil(static_cast<double>(shares[s].rows) / rows_per_record));
    for (uint64_t i = 0; i < std::min(wanted, shares[s].sampled); i++)
      sample.Append(samples + s * bytes + i * row_.stride(), nullptr, 0, most);
  }
  Partitioner partitioner(row_);
  plan->scales = partitioner.MeasureScales(sample.Order());
  plan->cut = SpaceCut::Make(sample, plan->scales, ChooseParts(*plan, all_bytes, shares.size()));
}

int BulkParticipant::ChooseParts(const BulkPlan& plan, uint64_t bytes, size_t participants) {
  const double payload = row_.payload() ? static_cast<double>(bytes) / static_cast<double>(plan.rows) - row_.stride() : 0;
  const double leaves = static_cast<double>(plan.rows) / static_cast<double>(writer_.LeafCapacity(payload));
  const double for_memory = std::ceil(static_cast<double>(bytes) / (kExpectedFill * static_cast<double>(PartMemory())));
  const double for_balance = static_cast<double>(kPartsPerParticipant * participants);
  const double files = static_cast<double>(budget_.limit() / 4 / kSpillFileMemory);
  const double most = std::min({leaves / kLeavesPerPart, files, static_cast<double>(kMaxParts)});
  return std::max(static_cast<int>(std::min(std::max(for_memory, for_balance), most)), 1);
}

void BulkParticipant::Distribute(const BulkPlan& plan, BulkShare* share) {
  uint64_t done = 0;
  budget_.environment().Progress(BulkPhase::kDistribute, done, rows());
  if (rows() == 0) return;
  Distributor distributor(row_, plan.cut, budget_, *published_);
  const auto send = [&](const uint8_t* record, const uint8_t* payload, uint16_t length) {
    distributor.Append(record, payload, length);
    if (++done % kInterruptEvery != 0) return;
    budget_.environment().CheckInterrupts();
    budget_.environment().Progress(BulkPhase::kDistribute, done, rows());
  };
  if (spilled_) {
    store_.memory().Reset();
    SpillReader reader(row_, budget_, *files_, *spilled_);
    ForEach(reader, send);
    files_->Drop(spilled_->file);
  } else {
    ForEach(store_.memory(), send);
    store_.memory().Reset();
  }
  const std::vector<SpillRun> runs = distributor.Finish();
  std::copy(runs.begin(), runs.end(), share->part);
  budget_.environment().Progress(BulkPhase::kDistribute, done, rows());
}

int BulkParticipant::ChooseHeight(const BulkPlan& plan, std::span<const BulkShare> shares, ExternalBuilder* external) const {
  std::vector<SpillRun> parts(plan.cut.parts());
  for (const BulkShare& share : shares) {
    for (size_t p = 0; p < parts.size(); p++) {
      parts[p].records += share.part[p].records;
      parts[p].bytes += share.part[p].bytes;
    }
  }
  return external->ChooseHeight(parts);
}

void BulkParticipant::BuildParts(const BulkPlan& plan, std::span<const BulkShare> shares, const std::function<int()>& next_part,
                                 BulkShare* share) {
  if (plan.cut.parts() == 1) return;
  Prepare(plan);
  budget_.environment().Progress(BulkPhase::kBuild, 0, plan.rows);
  TreeBuilder builder(*layout_, options_, MaxSupernodePages(), 0, writer_, budget_);
  RecordStore downlinks(entry_, budget_, DownlinkMemory(), *files_);
  ExternalBuilder external(row_, budget_, PartMemory(), *files_, builder, plan.scales, &downlinks);
  ChooseHeight(plan, shares, &external);
  for (int part = next_part(); part < plan.cut.parts(); part = next_part()) {
    std::vector<SpillRun> runs;
    for (const BulkShare& from : shares)
      if (from.rows > 0) runs.push_back(from.part[part]);
    external.BuildPart(runs, plan.cut.history(part), 1);
  }
  share->statistics = writer_.Statistics();
  if (downlinks.size() > 0) share->downlinks = PublishDownlinks(&downlinks);
  share->leaves_seen = writer_.leaf_sample().seen();
  share->heap_spread = writer_.leaf_sample().HeapSpread();
  if (share->leaves_seen > 0) share->leaf_sample = PublishLeafSample();
}

SpillRun BulkParticipant::PublishLeafSample() {
  SpillWriter writer(entry_, budget_, *published_);
  BulkBuffer record(budget_);
  record.Resize(entry_.stride());
  memset(record.data(), 0, entry_.stride());
  const LeafSample& sample = writer_.leaf_sample();
  Box pair[2];
  for (size_t i = 0; i < sample.size(); i++) {
    sample.Get(i, &pair[0], &pair[1]);
    for (const Box& box : pair) {
      entry_.SetBox(box, record.data());
      writer.Append(record.data(), nullptr, 0);
    }
  }
  return writer.Finish();
}

// Of each share as many as it has of all leaves.
LeafSample BulkParticipant::UniteLeafSamples(std::span<const BulkShare> shares) {
  LeafSample all(*layout_);
  double seen = 0;
  for (const BulkShare& share : shares) seen += static_cast<double>(share.leaves_seen);
  for (const BulkShare& share : shares) {
    if (share.leaf_sample.records == 0) continue;
    const double part = static_cast<double>(share.leaves_seen) / seen;
    const auto wanted = static_cast<size_t>(std::llround(part * static_cast<double>(LeafSample::kLimit)));
    SpillReader reader(entry_, budget_, *files_, share.leaf_sample);
    Box leaf, row;
    for (size_t i = 0; reader.Next(); i++) {
      entry_.GetBox(reader.record(), &leaf);
      reader.Next();
      entry_.GetBox(reader.record(), &row);
      if (i < wanted) all.Add(leaf, row, share.heap_spread);
    }
    files_->Drop(share.leaf_sample.file);
  }
  return all;
}

SpillRun BulkParticipant::PublishDownlinks(RecordStore* downlinks) {
  SpillWriter writer(entry_, budget_, *published_);
  const auto publish = [&](const uint8_t* record, const uint8_t*, uint16_t) { writer.Append(record, nullptr, 0); };
  if (downlinks->spilled()) {
    const SpillRun run = downlinks->FinishRun();
    SpillReader reader(entry_, budget_, *files_, run);
    ForEach(reader, publish);
    files_->Drop(run.file);
  } else {
    ForEach(downlinks->memory(), publish);
  }
  return writer.Finish();
}

void BulkParticipant::ReadInto(const RecordFormat& format, const SpillRun& run, RecordStore* store) {
  SpillReader reader(format, budget_, *files_, run);
  uint64_t done = 0;
  ForEach(reader, [&](const uint8_t* record, const uint8_t* payload, uint16_t length) {
    store->Append(record, payload, length);
    if (++done % kInterruptEvery == 0) budget_.environment().CheckInterrupts();
  });
  files_->Drop(run.file);
}

BulkStatistics BulkParticipant::Finish(const BulkPlan& plan, std::span<const BulkShare> shares, const BulkShare* own) {
  Prepare(plan);
  budget_.environment().Progress(BulkPhase::kBuild, writer_.Statistics().level[0].entries, plan.rows);
  const bool parts = plan.cut.parts() > 1;
  const RecordFormat& format = parts ? entry_ : row_;
  RecordStore store(format, budget_, parts ? DownlinkMemory() : RowMemory(), *files_);
  for (const BulkShare& share : shares) {
    const SpillRun& run = parts ? share.downlinks : share.part[0];
    if (run.records > 0) ReadInto(format, run, &store);
  }
  int level = 0;
  if (parts) {
    TreeBuilder builder(*layout_, options_, MaxSupernodePages(), 0, writer_, budget_);
    ExternalBuilder external(row_, budget_, PartMemory(), *files_, builder, plan.scales, nullptr);
    level = ChooseHeight(plan, shares, &external) + 1;
  }
  BuildTree(level, &store);
  BulkStatistics all = writer_.Statistics();
  for (const BulkShare& share : shares)
    if (&share != own) AddStatistics(share.statistics, &all);
  const LeafSample& sample = parts ? UniteLeafSamples(shares) : writer_.leaf_sample();
  sample.Fit(all.level[0].nodes, all.column);
  all.heap_spread = sample.HeapSpread();
  return all;
}

}  // namespace xtree
