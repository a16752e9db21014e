// See admission.h. L0 is taken before the flush, so that a page that changes during it counts as newer than the file.
#include "worker/admission.h"

#include "pg/settings.h"
#include "shmem/event_log.h"
#include "testing/stop_point.h"
#include "worker/measure.h"
#include "worker/page_access.h"
#include "worker/prediction.h"
#include "worker/worker_process.h"

extern "C" {
#include "utils/resowner.h"
}

namespace xtree {

namespace {

struct Candidate {
  SharedIndex* index;
  IndexStatus status;
  bool flushed;  // or it needed none
  const char* problem;
};

struct Candidates {
  Candidate* item;
  int count;
};

Candidates FindWaiting(const IndexList& list) {
  Candidates out = {static_cast<Candidate*>(palloc(sizeof(Candidate) * std::max(1, list.count))), 0};
  for (int i = 0; i < list.count; i++) {
    const IndexStatus status = StatusOf(list.index[i]);
    if (status.state == LoadState::kLoading && !status.dropped && status.has_file())
      out.item[out.count++] = {list.index[i], status, status.admitted != InvalidXLogRecPtr, nullptr};
  }
  return out;
}

// False: an ERROR came; *message is why.
bool Flush(SMgrRelation* files, int count, const char** message) {
  const MemoryContext context = CurrentMemoryContext;
  volatile bool done = true;
  PG_TRY();
  { FlushRelationsAllBuffers(files, count); }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    const ErrorData* const error = CopyErrorData();
    FlushErrorState();
    ReleaseAfterError();
    *message = error->message;
    done = false;
  }
  PG_END_TRY();
  return done;
}

void FlushOneByOne(const Candidates& candidates) {
  for (int i = 0; i < candidates.count; i++) {
    Candidate* candidate = &candidates.item[i];
    if (candidate->flushed) continue;
    Breathe();
    SMgrRelation file = pg::OpenStorage(candidate->status.file.locator);
    candidate->flushed = Flush(&file, 1, &candidate->problem);
  }
}

void FlushAll(const Candidates& candidates) {
  auto* files = static_cast<SMgrRelation*>(palloc(sizeof(SMgrRelation) * candidates.count));
  int count = 0;
  for (int i = 0; i < candidates.count; i++) {
    if (!candidates.item[i].flushed) files[count++] = pg::OpenStorage(candidates.item[i].status.file.locator);
  }
  if (count == 0) return;
  const char* message;
  if (!Flush(files, count, &message)) {
    FlushOneByOne(candidates);
    return;
  }
  for (int i = 0; i < candidates.count; i++) candidates.item[i].flushed = true;
}

void Fail(SharedIndex* index, const char* problem) {
  const bool is_new = SetFailure(index, problem);
  LogEvent(EventKind::kFailure, index->key, 0, "not loaded: %s", problem);
  ereport(is_new ? LOG : DEBUG1, (errmsg("xtree index with OID %u of the database with OID %u was not loaded: %s", index->key.index,
                                         index->key.database, problem)));
}

// Whole indexes are kept only where there is room for them.
Strategy ChooseStrategy(const IndexStatus& status, uint64 blocks, int64 in_use) {
  if (status.options.strategy != Strategy::kAuto) return status.options.strategy;
  const int64 kilobytes = static_cast<int64>(blocks) * (kPageSize / 1024);
  if (kilobytes > settings.paged_threshold_kb) return Strategy::kStreamed;
  if (kilobytes > settings.resident_threshold_kb) return Strategy::kPaged;
  if (status.options.memory_quota_kb >= 0 && kilobytes > status.options.memory_quota_kb) return Strategy::kPaged;
  if (settings.memory_budget_kb >= 0 && kilobytes + in_use / 1024 > settings.memory_budget_kb) return Strategy::kPaged;
  return Strategy::kResident;
}

// Reads ahead what the strategy keeps. Returns the bytes in the page cache then.
int64 Warm(SharedIndex* index, FileMapping* mapping, Strategy strategy) {
  if (strategy == Strategy::kResident) Populate(*mapping, 0, mapping->file_blocks());
  if (strategy == Strategy::kPaged) {
    mapping->ReadPagesAlone();
    ForEachDirectoryPage(
        *mapping, [](BlockNumber, void*) {}, nullptr);  // walking reads them
  }
  return MeasureResident(index);
}

// Microseconds that loading took; -1: somebody else changed the entry meanwhile. *ahead: nobody had asked for it.
int64 MarkLoaded(SharedIndex* index, const FileIdentity& file, uint64 blocks, XLogRecPtr admitted, Strategy strategy, bool* ahead) {
  const TimestampTz now = GetCurrentTimestamp();
  SharedIndexLock lock(index);
  if (index->state != LoadState::kLoading || index->dropped || !(index->file == file)) return -1;
  index->load_us = std::max<int64>(0, now - index->state_since);
  index->state = admitted == InvalidXLogRecPtr ? LoadState::kRegistered : LoadState::kLoaded;
  index->state_since = now;
  index->failures = 0;
  index->admitted = admitted;
  index->blocks = blocks;
  index->strategy = strategy;
  *ahead = std::exchange(index->load_ahead, false);
  return index->load_us;
}

void CountAdmission() {
  LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
  shared->memory.admissions++;
  LWLockRelease(&shared->lock);
}

void Report(const Candidate& candidate, XLogRecPtr admitted, uint64 blocks, Strategy strategy) {
  const int64 bytes = static_cast<int64>(blocks) * kPageSize;
  if (admitted == InvalidXLogRecPtr) {
    LogEvent(EventKind::kLoad, candidate.index->key, bytes, "read ahead in recovery, strategy %s", NameOf(strategy));
  } else if (candidate.status.admitted != InvalidXLogRecPtr) {
    LogEvent(EventKind::kLoad, candidate.index->key, bytes, "loaded again, strategy %s", NameOf(strategy));
  } else {
    LogEvent(EventKind::kAdmit, candidate.index->key, bytes, "loaded up to %X/%X, strategy %s", static_cast<uint32>(admitted >> 32),
             static_cast<uint32>(admitted), NameOf(strategy));
    CountAdmission();
  }
}

// The file must be the one that was flushed: looked at after the flush.
void FinishLoad(const Candidate& candidate, XLogRecPtr admitted, int64* in_use) {
  SharedIndex* index = candidate.index;
  uint64 blocks;
  const FileIdentity file = IdentifyFile(candidate.status.file.locator, &blocks);
  FileMapping* mapping = NewPassingMapping();
  char problem[128];
  if (!(file == candidate.status.file)) {
    Fail(index, "its file went away while it was loaded");
  } else if (const char* why = mapping->Map(file.locator); why != nullptr) {
    Fail(index, why);
  } else if (settings.verify_on_load && !VerifyPages(*mapping, problem, sizeof(problem))) {
    Fail(index, problem);
  } else {
    const Strategy strategy = ChooseStrategy(candidate.status, blocks, *in_use - candidate.status.resident_bytes);
    bool ahead;
    const int64 load_us = MarkLoaded(index, file, blocks, admitted, strategy, &ahead);
    if (load_us >= 0) {
      Observe(Latency::kLoad, load_us * 1000);
      Report(candidate, admitted, blocks, strategy);
      if (ahead) ReadHotSetIn(index, *mapping);
      *in_use += Warm(index, mapping, strategy) - candidate.status.resident_bytes;
    }
  }
  mapping->Unmap();
}

}  // namespace

void LoadWaiting(const IndexList& list) {
  const Candidates candidates = FindWaiting(list);
  if (candidates.count == 0) return;
  const bool recovery = RecoveryInProgress();
  const XLogRecPtr limit = recovery ? InvalidXLogRecPtr : GetXLogInsertRecPtr();
  if (!recovery && !RuleBroken("admission")) FlushAll(candidates);
  int64 in_use = MemoryInUse(list);
  for (int i = 0; i < candidates.count; i++) {
    const Candidate& candidate = candidates.item[i];
    Breathe();
    if (!candidate.flushed && !recovery && !RuleBroken("admission")) {
      Fail(candidate.index, candidate.problem != nullptr ? candidate.problem : "its pages could not be written");
      continue;
    }
    const bool before = candidate.status.admitted != InvalidXLogRecPtr;
    FinishLoad(candidate, recovery || !before ? limit : candidate.status.admitted, &in_use);
  }
  pg::CloseAllStorage();
}

}  // namespace xtree
