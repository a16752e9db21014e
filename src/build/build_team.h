// The participants of a parallel build: what they share, and what each of them does.
//
// For build_parallel.cpp. The Team lies in the shared memory of the parallel context. A participant writes its own
// share, next_part and next_block are atomic, the plan is written by one between two meetings at the barrier; so no
// lock is needed.
#pragma once

#include <algorithm>
#include <atomic>

#include "build/build_environment.h"
#include "build/build_steps.h"
#include "core/bulk/bulk_parallel.h"
#include "storage/shared_build_writer.h"

extern "C" {
#include "storage/barrier.h"
#include "storage/sharedfileset.h"
}

namespace xtree {

inline constexpr int kMaxParticipants = 33;  // the leader is number 0

// Of each participant's sample. The samples of all must fit the memory of the one who plans, beside its rows.
inline Size SampleBytes(int participants) {
  const Size memory = maintenance_work_mem * Size{1024} / static_cast<Size>(participants);
  return std::clamp<Size>(memory / 8 / static_cast<Size>(participants), 8 * 1024, 256 * 1024);
}

struct Team {
  Oid heap;
  Oid index;
  bool concurrent;
  int participants;                // planned
  uint16 dimensions[kMaxColumns];  // see build_dimensions.h
  Barrier barrier;
  SharedFileSet files;
  std::atomic<uint32_t> next_block;
  std::atomic<uint32_t> next_part;
  std::atomic<uint64_t> rows_distributed;
  std::atomic<uint64_t> rows_built;
  BulkPlan plan;
  BulkShare share[kMaxParticipants];
  DistinctCount keys[kMaxParticipants];
  double heap_tuples[kMaxParticipants];
  bool broken_hot_chain[kMaxParticipants];

  std::span<const BulkShare> shares() const { return {share, static_cast<size_t>(participants)}; }
};

void InitializeTeam(Oid heap, Oid index, bool concurrent, int participants, dsm_segment* segment, Team* team);

// This process's place in the team. Plain data.
struct Seat {
  Team* team;
  uint8_t* samples;  // of all participants, SampleBytes each, in shared memory
  int number;
  bool leader() const { return number == 0; }
};

// A process's temporary files, and those that participants published.
class TeamFiles final : public SpillFiles {
 public:
  TeamFiles(MemoryContext memory, const Seat& seat) : memory_(memory), seat_(seat), own_(memory) {}
  int Create() override { return own_.Create(); }
  void Write(int file, const void* bytes, size_t count) override;
  void Rewind(int file) override;
  void Read(int file, void* bytes, size_t count) override;
  void Drop(int file) override;

  int CreateShared();
  void Publish();  // what CreateShared made

 private:
  static constexpr int kFirstShared = 1 << 24;       // own ones have lower numbers
  static constexpr int kSharedEach = kMaxParts + 2;  // downlinks, sample of leaves

  void SetName(int file);

  MemoryContext memory_;
  Seat seat_;
  TemporaryFiles own_;
  std::unordered_map<int, BufFile*> shared_;
  int created_ = 0;
  char name_[MAXPGPATH];
};

// Creates files that others can read once they are published.
class PublishedFiles final : public SpillFiles {
 public:
  explicit PublishedFiles(TeamFiles& files) : files_(&files) {}
  int Create() override { return files_->CreateShared(); }
  void Write(int file, const void* bytes, size_t count) override { files_->Write(file, bytes, count); }
  void Rewind(int file) override { files_->Rewind(file); }
  void Read(int file, void* bytes, size_t count) override { files_->Read(file, bytes, count); }
  void Drop(int file) override { files_->Drop(file); }

 private:
  TeamFiles* files_;
};

// The leader's reports show the rows of all. REQUIRES: a plan, once a phase has begun that follows it.
class TeamEnvironment final : public BulkEnvironment {
 public:
  TeamEnvironment(MemoryContext memory, const Seat& seat) : own_(memory), seat_(seat) {}
  void* Reallocate(void* old, size_t bytes) override { return own_.Reallocate(old, bytes); }
  void Free(void* memory) noexcept override { own_.Free(memory); }
  void CheckInterrupts() override { own_.CheckInterrupts(); }
  void Progress(BulkPhase phase, uint64_t done, uint64_t total) override;

 private:
  BuildEnvironment own_;
  Seat seat_;
  uint64_t counted_[2] = {};  // distributed, built
};

class TeamMember {
 public:
  TeamMember(const Seat& seat, Build* build, MemoryContext memory);

  // Everything that is done in parallel. REQUIRES: attached to the barrier before the scan's end.
  void Work(Relation heap, IndexInfo* info, TableScanDesc scan);

  // The rest, by the leader. REQUIRES: all others have ended.
  void Finish();

 private:
  bool Meet();  // true for one of all

  Seat seat_;
  Build* build_;
  TeamFiles files_;
  PublishedFiles published_;
  TeamEnvironment environment_;
  SharedBuildWriter writer_;
  BulkParticipant participant_;
};

}  // namespace xtree
