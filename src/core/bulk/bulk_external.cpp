// Bulk load of more records than memory holds.
#include "core/bulk/bulk_external.h"

#include <algorithm>

namespace xtree {

namespace {

constexpr int kMaxDepth = 16;  // of cuts within parts
constexpr uint64_t kInterruptEvery = 4096;

SpillRun Total(std::span<const SpillRun> runs) {
  SpillRun total{};
  for (const SpillRun& run : runs) {
    total.records += run.records;
    total.bytes += run.bytes;
  }
  return total;
}

}  // namespace

// Makes the cuts of a SpaceCut over a sample.
class SpaceCutter {
 public:
  SpaceCutter(Records& sample, const ColumnScales& scales, SpaceCut* out)
      : sample_(sample), scales_(scales), out_(*out), partitioner_(sample.format()) {}

  // Code of the subtree: a cut, or ~part.
  int16_t Divide(size_t begin, size_t end, int parts, const SplitHistory& history) {
    size_t middle = begin + (end - begin) * (parts / 2) / parts;
    int dimension = -1;
    if (parts > 1 && end - begin > 1) dimension = Place(begin, &middle, end);
    if (dimension < 0) return Part(history);
    const int16_t at = static_cast<int16_t>(out_.cuts_++);
    out_.cut_[at].key = LowestKey(middle, end, dimension);
    out_.cut_[at].dimension = static_cast<int16_t>(dimension);
    SplitHistory divided = history;
    divided.Add(dimension);
    out_.cut_[at].next[0] = Divide(begin, middle, parts / 2, divided);
    out_.cut_[at].next[1] = Divide(middle, end, parts - parts / 2, divided);
    return at;
  }

 private:
  int16_t Part(const SplitHistory& history) {
    const int part = out_.parts_++;
    out_.history_[part] = history;
    return static_cast<int16_t>(~part);
  }

  int64_t LowestKey(size_t begin, size_t end, int d) const {
    int64_t lowest = Key(begin, d);
    for (size_t i = begin; i < end; i++) lowest = std::min(lowest, Key(i, d));
    return lowest;
  }

  int64_t Key(size_t i, int d) const { return sample_.format().Key(sample_[i], d); }

  // Orders the range into records below a key and from it on, near the wanted place; *middle: the first of the latter.
  // The dimension, or -1 when all lie at one place.
  int Place(size_t begin, size_t* middle, size_t end) {
    for (const int d : partitioner_.Rank(sample_, begin, end, scales_, false)) {
      sample_.Select(begin, *middle, end, d);
      const std::optional<int64_t> key = CutKey(begin, *middle, end, d);
      if (!key) continue;
      size_t below = begin;
      for (size_t i = begin; i < end; i++) below += Key(i, d) < *key;
      sample_.Select(begin, below, end, d);
      *middle = below;
      return d;
    }
    return -1;
  }

  // The key at the wanted place, or the next one where nothing is below that. Nothing when all keys are equal.
  std::optional<int64_t> CutKey(size_t begin, size_t wanted, size_t end, int d) const {
    const int64_t key = Key(wanted, d);
    int64_t lowest = key, above = key;
    for (size_t i = begin; i < end; i++) {
      const int64_t other = Key(i, d);
      lowest = std::min(lowest, other);
      if (other > key && (above == key || other < above)) above = other;
    }
    if (lowest < key) return key;
    if (above > key) return above;
    return std::nullopt;
  }

  Records& sample_;
  const ColumnScales& scales_;
  SpaceCut& out_;
  Partitioner partitioner_;
};

SpaceCut SpaceCut::Make(RecordMemory& sample, const ColumnScales& scales, int parts) {
  SpaceCut cut;
  cut.parts_ = 0;
  Records records = sample.Order();
  SpaceCutter(records, scales, &cut).Divide(0, records.size(), std::clamp(parts, 1, kMaxParts), SplitHistory{});
  return cut;
}

int SpaceCut::PartOf(const RecordFormat& format, const uint8_t* record) const {
  if (cuts_ == 0) return 0;
  int at = 0;
  while (at >= 0) at = cut_[at].next[format.Key(record, cut_[at].dimension) >= cut_[at].key];
  return ~at;
}

Distributor::Distributor(const RecordFormat& format, const SpaceCut& cut, MemoryBudget& budget, SpillFiles& files)
    : format_(&format), cut_(&cut) {
  writers_.reserve(cut.parts());
  for (int p = 0; p < cut.parts(); p++) writers_.emplace_back(format, budget, files);
}

std::vector<SpillRun> Distributor::Finish() {
  std::vector<SpillRun> runs;
  runs.reserve(writers_.size());
  for (SpillWriter& writer : writers_) runs.push_back(writer.Finish());
  writers_.clear();
  return runs;
}

ExternalBuilder::ExternalBuilder(const RecordFormat& format, MemoryBudget& budget, size_t part_memory, SpillFiles& files,
                                 TreeBuilder& builder, const ColumnScales& scales, RecordStore* output)
    : format_(&format), budget_(&budget), part_memory_(part_memory), files_(&files), builder_(&builder), scales_(scales), output_(output) {}

int ExternalBuilder::Build(const SpillRun& run, RecordMemory& sample) {
  Distribute({&run, 1}, sample, SplitHistory{}, 0);
  return height_;
}

int ExternalBuilder::ChooseHeight(std::span<const SpillRun> parts) {
  const SpillRun total = Total(parts);
  uint64_t fewest = total.records;
  for (const SpillRun& part : parts) fewest = std::min(fewest, part.records);
  const double bytes = static_cast<double>(total.bytes) / static_cast<double>(total.records);
  // Parts that are too large yet will be cut again.
  const double fitting = kExpectedFill / 2 * static_cast<double>(part_memory_) / bytes;
  const double mean = std::min(static_cast<double>(total.records) / static_cast<double>(parts.size()), fitting);
  const double payload = bytes - static_cast<double>(format_->stride());
  height_ = builder_->SubtreeHeight(mean, std::min(static_cast<double>(fewest), fitting), payload);
  return height_;
}

bool ExternalBuilder::Fits(std::span<const SpillRun> runs) const {
  const SpillRun total = Total(runs);
  const size_t items = Records::BytesPerRecord(*format_) - format_->stride();
  return total.bytes + total.records * items <= part_memory_;
}

int ExternalBuilder::PartsFor(std::span<const SpillRun> runs) const {
  const SpillRun total = Total(runs);
  const double wanted = static_cast<double>(total.bytes) / (kExpectedFill * static_cast<double>(part_memory_));
  const auto most = static_cast<double>(std::clamp<size_t>(part_memory_ / 2 / kSpillFileMemory, 2, kMaxParts));
  return static_cast<int>(std::clamp(std::ceil(wanted), 2.0, most));
}

// Cuts the records of the runs into parts and builds each.
void ExternalBuilder::Distribute(std::span<const SpillRun> runs, RecordMemory& sample, const SplitHistory& history, int depth) {
  const SpaceCut cut = SpaceCut::Make(sample, scales_, PartsFor(runs));
  sample.Reset();
  const bool first = depth == 0 && format_->leaf();
  const uint64_t total = Total(runs).records;
  const auto report = [&](BulkPhase phase, uint64_t done) {
    if (first) budget_->environment().Progress(phase, done, total);
  };
  if (cut.parts() == 1) {
    report(BulkPhase::kBuild, 0);
    return BuildInMemory(runs, history);
  }
  report(BulkPhase::kDistribute, 0);
  Distributor distributor(*format_, cut, *budget_, *files_);
  uint64_t done = 0;
  for (const SpillRun& run : runs) {
    SpillReader reader(*format_, *budget_, *files_, run);
    while (reader.Next()) {
      distributor.Append(reader.record(), reader.payload(), reader.payload_length());
      if (++done % kInterruptEvery != 0) continue;
      budget_->environment().CheckInterrupts();
      report(BulkPhase::kDistribute, done);
    }
    files_->Drop(run.file);
  }
  const std::vector<SpillRun> parts = distributor.Finish();
  if (depth == 0) ChooseHeight(parts);
  report(BulkPhase::kDistribute, total);
  report(BulkPhase::kBuild, 0);
  for (size_t p = 0; p < parts.size(); p++) BuildPart({&parts[p], 1}, history | cut.history(static_cast<int>(p)), depth + 1);
}

void ExternalBuilder::BuildPart(std::span<const SpillRun> runs, const SplitHistory& history, int depth) {
  if (Fits(runs) || depth >= kMaxDepth) return BuildInMemory(runs, history);
  RecordMemory sample(*format_, *budget_);
  TakeSample(runs, &sample);
  Distribute(runs, sample, history, depth);
}

void ExternalBuilder::TakeSample(std::span<const SpillRun> runs, RecordMemory* sample) {
  const size_t limit = SampleLimit(*format_, part_memory_);
  BulkRandom random(0x7A3);
  uint64_t seen = 0;
  for (const SpillRun& run : runs) {
    SpillReader reader(*format_, *budget_, *files_, run);
    while (reader.Next()) {
      AddToSample(reader.record(), ++seen, limit, part_memory_, &random, sample);
      if (seen % kInterruptEvery == 0) budget_->environment().CheckInterrupts();
    }
  }
}

// All at once, or, where nothing tells the records apart, as many at a time as memory holds.
void ExternalBuilder::BuildInMemory(std::span<const SpillRun> runs, const SplitHistory& history) {
  RecordMemory memory(*format_, *budget_);
  const auto build = [&](bool whole) {
    SplitHistory cut_off = history;
    if (!whole) cut_off.Add(0);
    if (memory.size() > 0) builder_->BuildSubtrees(memory, height_, scales_, cut_off, output_);
    memory.Clear();
  };
  bool whole = true;
  for (const SpillRun& run : runs) {
    SpillReader reader(*format_, *budget_, *files_, run);
    while (reader.Next()) {
      if (memory.Append(reader.record(), reader.payload(), reader.payload_length(), part_memory_)) continue;
      whole = false;
      build(whole);
      memory.Append(reader.record(), reader.payload(), reader.payload_length(), part_memory_);
    }
    files_->Drop(run.file);
  }
  build(whole);
}

}  // namespace xtree
