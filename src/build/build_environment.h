// What PostgreSQL lends to a bulk load: memory, interrupts, progress, temporary files.
//
// All functions throw PgError. Memory belongs to a MemoryContext and files to the resource owner, so an ERROR anywhere leaks nothing.
#pragma once

#include <unordered_map>

#include "core/bulk/bulk_load.h"
#include "pg/postgres_api.h"

extern "C" {
#include "storage/buffile.h"
}

namespace xtree {

// Sub-phases of pg_stat_progress_create_index; xtreebuildphasename names them.
enum ProgressPhase : int64_t {
  kPhaseInitialize = 1,  // PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE
  kPhaseScan = 2,
  kPhaseDistribute = 3,
  kPhaseBuild = 4,
  kPhaseFinish = 5,
  kPhaseTrain = 6,
};

void ReportProgressPhase(ProgressPhase phase);

class BuildEnvironment final : public BulkEnvironment {
 public:
  explicit BuildEnvironment(MemoryContext memory) : memory_(memory) {}
  void* Reallocate(void* old, size_t bytes) override;
  void Free(void* memory) noexcept override;
  void CheckInterrupts() override;
  void Progress(BulkPhase phase, uint64_t done, uint64_t total) override;

 private:
  MemoryContext memory_;
  BulkPhase phase_ = BulkPhase::kRows;
};

class TemporaryFiles final : public SpillFiles {
 public:
  explicit TemporaryFiles(MemoryContext memory) : memory_(memory) {}  // a file and its buffer outlive the row that it is created for
  int Create() override;
  void Write(int file, const void* bytes, size_t count) override;
  void Rewind(int file) override;
  void Read(int file, void* bytes, size_t count) override;
  void Drop(int file) override;

 private:
  BufFile* File(int file) const { return files_.at(file); }

  MemoryContext memory_;
  std::unordered_map<int, BufFile*> files_;
  int next_ = 0;
};

}  // namespace xtree
