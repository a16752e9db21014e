// Bulk load by several processes. Each collects rows of its own; one of them cuts the space into parts by samples of
// everybody's rows; each sends its rows to files by part; whoever takes a part builds it from everybody's files; one
// builds the rest of the tree.
//
// For the access method's parallel build, which has the shared memory, and lets everybody finish a step before anybody
// begins the next one. What the participants tell each other is plain data. Nothing is locked; no WAL. Functions throw
// what the environment, the sink and the files throw.
#pragma once

#include <functional>

#include "core/bulk/bulk_external.h"
#include "core/bulk/bulk_load.h"

namespace xtree {

inline constexpr size_t kPartsPerParticipant = 4;  // so that nobody waits long for the last one
inline constexpr double kLeavesPerPart = 16;       // fewer are not worth a part

// What one participant tells the others. All zero where it has no rows.
struct BulkShare {
  uint64_t rows;
  uint64_t bytes;    // of the rows in files
  uint64_t sampled;  // records of the sample
  bool marks;
  SpillRun part[kMaxParts];
  SpillRun downlinks;
  SpillRun leaf_sample;       // a leaf, then one of its rows, as directory records
  uint64_t leaves_seen;       // that it stands for
  float heap_spread;          // of them
  BulkStatistics statistics;  // of what it wrote
};

// What one participant decides for all.
struct BulkPlan {
  SpaceCut cut;  // one part: nobody builds parts, and Finish builds everything
  ColumnScales scales;
  uint64_t rows;
  bool marks;
};

class BulkParticipant final : public BulkLoader {
 public:
  // `files`: this process's, which also reads what others published. `published`: files that others can read after
  // their writing.
  BulkParticipant(const KeyLayout& layout, const BulkOptions& options, size_t memory_limit, BulkEnvironment& environment, PageSink& sink,
                  SpillFiles& files, SpillFiles& published);

  // Once all rows are added. `sample`: room for so many bytes of records, drawn at random with repetition.
  void Describe(size_t bytes, uint8_t* sample, BulkShare* share);

  // `samples`: those of the shares, each with room for `bytes`.
  void Plan(std::span<const BulkShare> shares, size_t bytes, const uint8_t* samples, BulkPlan* plan);

  // Publishes the rows by part.
  void Distribute(const BulkPlan& plan, BulkShare* share);

  // Builds the parts that next_part gives, until there is no such part, and publishes their downlinks.
  void BuildParts(const BulkPlan& plan, std::span<const BulkShare> shares, const std::function<int()>& next_part, BulkShare* share);

  // The rest of the tree. `own`: the share of this participant.
  BulkStatistics Finish(const BulkPlan& plan, std::span<const BulkShare> shares, const BulkShare* own);

 private:
  int ChooseParts(const BulkPlan& plan, uint64_t bytes, size_t participants);
  void Prepare(const BulkPlan& plan) { writer_.Expect(plan.rows, plan.marks); }
  int ChooseHeight(const BulkPlan& plan, std::span<const BulkShare> shares, ExternalBuilder* external) const;
  SpillRun PublishDownlinks(RecordStore* downlinks);
  SpillRun PublishLeafSample();
  LeafSample UniteLeafSamples(std::span<const BulkShare> shares);
  void ReadInto(const RecordFormat& format, const SpillRun& run, RecordStore* store);

  SpillFiles* published_;
  std::optional<SpillRun> spilled_;  // rows that did not fit the memory
};

}  // namespace xtree
