// Bulk load of more records than memory holds: the space is cut into parts, records are distributed to temporary files
// by part, and each part is built in memory as subtrees of one height. Their downlinks are the records of the level
// above.
//
// For bulk_load.cpp. "Distribute" and "build a part" are separate, and the cut is plain data, so that several processes
// can share one cut: each distributes its own records, then each builds some of the parts from everybody's runs.
// Nothing is locked; no WAL.
#pragma once

#include "core/bulk/bulk_build.h"

namespace xtree {

inline constexpr int kMaxParts = 128;
inline constexpr double kExpectedFill = 0.7;  // of the memory, by a part: sampling errs by some 10 %

// A k-d tree of cuts. Plain data; may be copied bytewise to processes with the same layout.
class SpaceCut {
 public:
  // Cuts along the widest spread of the sample, which is reordered, into at most `parts` parts of as many sampled
  // records each. One part when all sampled records lie at one place.
  static SpaceCut Make(RecordMemory& sample, const ColumnScales& scales, int parts);

  int parts() const { return parts_; }
  int PartOf(const RecordFormat& format, const uint8_t* record) const;
  const SplitHistory& history(int part) const { return history_[part]; }  // dimensions along which it was cut off

 private:
  friend class SpaceCutter;
  struct Cut {
    int64_t key;  // records below it go one way, those from it on the other
    int16_t dimension;
    int16_t next[2];  // a cut, or ~part
  };
  int parts_ = 1;
  int cuts_ = 0;
  Cut cut_[kMaxParts - 1];
  SplitHistory history_[kMaxParts];
};

// Sends records to one file per part.
class Distributor {
 public:
  Distributor(const RecordFormat& format, const SpaceCut& cut, MemoryBudget& budget, SpillFiles& files);
  void Append(const uint8_t* record, const uint8_t* payload, uint16_t length) {
    writers_[cut_->PartOf(*format_, record)].Append(record, payload, length);
  }
  std::vector<SpillRun> Finish();  // by part

 private:
  const RecordFormat* format_;
  const SpaceCut* cut_;
  std::vector<SpillWriter> writers_;
};

// Builds subtrees of one height over all records in files.
class ExternalBuilder {
 public:
  // `part_memory`: what a part that is built in memory may take. `output`: the downlinks.
  ExternalBuilder(const RecordFormat& format, MemoryBudget& budget, size_t part_memory, SpillFiles& files, TreeBuilder& builder,
                  const ColumnScales& scales, RecordStore* output);

  // `sample`: of the records, uniform; it is given back. The height of the subtrees.
  int Build(const SpillRun& run, RecordMemory& sample);

  // Of the subtrees, for parts as a distribution made them. The same for the same parts and memory.
  int ChooseHeight(std::span<const SpillRun> parts);

  // REQUIRES: a height. One part from everybody's runs of it, which are dropped. `history`: what cut the part off.
  void BuildPart(std::span<const SpillRun> runs, const SplitHistory& history, int depth);

 private:
  bool Fits(std::span<const SpillRun> runs) const;
  int PartsFor(std::span<const SpillRun> runs) const;
  void Distribute(std::span<const SpillRun> runs, RecordMemory& sample, const SplitHistory& history, int depth);
  void TakeSample(std::span<const SpillRun> runs, RecordMemory* sample);
  void BuildInMemory(std::span<const SpillRun> runs, const SplitHistory& history);

  const RecordFormat* format_;
  MemoryBudget* budget_;
  size_t part_memory_;
  SpillFiles* files_;
  TreeBuilder* builder_;
  ColumnScales scales_;
  RecordStore* output_;
  int height_ = 0;
};

}  // namespace xtree
