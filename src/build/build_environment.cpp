#include "build/build_environment.h"

#include "core/page_store.h"
#include "pg/guard.h"

extern "C" {
#include "commands/progress.h"
#include "commands/tablespace.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
}

namespace xtree {

void ReportProgressPhase(ProgressPhase phase) { pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, phase); }

void* BuildEnvironment::Reallocate(void* old, size_t bytes) {
  return PgCall([&] { return old == nullptr ? MemoryContextAllocHuge(memory_, bytes) : repalloc_huge(old, bytes); });
}

void BuildEnvironment::Free(void* memory) noexcept { pfree(memory); }

void BuildEnvironment::CheckInterrupts() {
  PgCall([] { CHECK_FOR_INTERRUPTS(); });
}

void BuildEnvironment::Progress(BulkPhase phase, uint64_t done, uint64_t total) {
  if (phase == BulkPhase::kRows) return;  // the table scan reports its blocks
  // Together, so that nobody reads the counts of one phase beside the name of another. The blocks are the table scan's.
  const int parameters[] = {PROGRESS_CREATEIDX_SUBPHASE, PROGRESS_CREATEIDX_TUPLES_TOTAL, PROGRESS_CREATEIDX_TUPLES_DONE,
                            PROGRESS_SCAN_BLOCKS_TOTAL, PROGRESS_SCAN_BLOCKS_DONE};
  const int64 values[] = {phase == BulkPhase::kDistribute ? kPhaseDistribute : kPhaseBuild, static_cast<int64>(total),
                          static_cast<int64>(done), 0, 0};
  pgstat_progress_update_multi_param(phase == phase_ ? 3 : 5, parameters, values);
  phase_ = phase;
  XTREE_STOP_POINT(phase == BulkPhase::kDistribute ? "build-distribute" : "build-tree");
}

int TemporaryFiles::Create() {
  BufFile* file = PgCall([&] {
    const MemoryContext old = MemoryContextSwitchTo(memory_);
    PrepareTempTablespaces();
    BufFile* created = BufFileCreateTemp(false);
    MemoryContextSwitchTo(old);
    return created;
  });
  files_[next_] = file;
  return next_++;
}

void TemporaryFiles::Write(int file, const void* bytes, size_t count) {
  BufFile* target = File(file);
  PgCall([&] { BufFileWrite(target, const_cast<void*>(bytes), count); });
}

void TemporaryFiles::Rewind(int file) {
  BufFile* target = File(file);
  PgCall([&] {
    if (BufFileSeek(target, 0, 0, SEEK_SET) != 0)
      ereport(ERROR, (errcode_for_file_access(), errmsg("could not rewind a temporary file of an index build: %m")));
  });
}

void TemporaryFiles::Read(int file, void* bytes, size_t count) {
  BufFile* source = File(file);
  PgCall([&] {
    if (BufFileRead(source, bytes, count) != count)
      ereport(ERROR, (errcode_for_file_access(), errmsg("could not read a temporary file of an index build: it is too short")));
  });
}

void TemporaryFiles::Drop(int file) {
  BufFile* target = File(file);
  PgCall([&] { BufFileClose(target); });
  files_.erase(file);
}

}  // namespace xtree

extern "C" char* xtreebuildphasename(int64 phase) {
  using namespace xtree;
  const char* name = nullptr;
  switch (phase) {
    case kPhaseInitialize:
      name = "initializing";
      break;
    case kPhaseScan:
      name = "scanning table";
      break;
    case kPhaseDistribute:
      name = "distributing rows to parts";
      break;
    case kPhaseTrain:
      name = "finding clusters";
      break;
    case kPhaseBuild:
      name = "building tree";
      break;
    case kPhaseFinish:
      name = "writing meta page";
      break;
  }
  return const_cast<char*>(name);
}
