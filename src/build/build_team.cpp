// See build_team.h.
#include "build/build_team.h"

#include <utility>

#include "pg/guard.h"

extern "C" {
#include "utils/wait_event.h"
}

namespace xtree {

void InitializeTeam(Oid heap, Oid index, bool concurrent, int participants, dsm_segment* segment, Team* team) {
  memset(static_cast<void*>(team), 0, sizeof(Team));
  team->heap = heap;
  team->index = index;
  team->concurrent = concurrent;
  team->participants = participants;
  BarrierInit(&team->barrier, 0);
  SharedFileSetInit(&team->files, segment);
  new (&team->next_block) std::atomic<uint32_t>(kRootBlock + 1);
  new (&team->next_part) std::atomic<uint32_t>(0);
  new (&team->rows_distributed) std::atomic<uint64_t>(0);
  new (&team->rows_built) std::atomic<uint64_t>(0);
}

void TeamFiles::SetName(int file) {
  const int shared = file - kFirstShared;
  snprintf(name_, sizeof name_, "%d.%d", shared / kSharedEach, shared % kSharedEach);
}

int TeamFiles::CreateShared() {
  const int file = kFirstShared + seat_.number * kSharedEach + created_++;
  SetName(file);
  shared_[file] = PgCall([&] {
    const MemoryContext old = MemoryContextSwitchTo(memory_);
    BufFile* created = BufFileCreateFileSet(&seat_.team->files.fs, name_);
    MemoryContextSwitchTo(old);
    return created;
  });
  return file;
}

void TeamFiles::Publish() {
  for (const auto& [file, buffered] : shared_) {
    BufFile* target = buffered;
    PgCall([&] {
      BufFileExportFileSet(target);
      BufFileClose(target);
    });
  }
  shared_.clear();
}

void TeamFiles::Write(int file, const void* bytes, size_t count) {
  if (file < kFirstShared) return own_.Write(file, bytes, count);
  BufFile* target = shared_.at(file);
  PgCall([&] { BufFileWrite(target, const_cast<void*>(bytes), count); });
}

// Files that others published are opened here.
void TeamFiles::Rewind(int file) {
  if (file < kFirstShared) return own_.Rewind(file);
  if (const auto open = shared_.find(file); open != shared_.end()) {
    BufFile* target = open->second;
    PgCall([&] {
      if (BufFileSeek(target, 0, 0, SEEK_SET) != 0)
        ereport(ERROR, (errcode_for_file_access(), errmsg("could not rewind a temporary file of an index build: %m")));
    });
    return;
  }
  SetName(file);
  shared_[file] = PgCall([&] {
    const MemoryContext old = MemoryContextSwitchTo(memory_);
    BufFile* opened = BufFileOpenFileSet(&seat_.team->files.fs, name_, O_RDONLY, false);
    MemoryContextSwitchTo(old);
    return opened;
  });
}

void TeamFiles::Read(int file, void* bytes, size_t count) {
  if (file < kFirstShared) return own_.Read(file, bytes, count);
  BufFile* source = shared_.at(file);
  PgCall([&] {
    if (BufFileRead(source, bytes, count) != count)
      ereport(ERROR, (errcode_for_file_access(), errmsg("could not read a temporary file of an index build: it is too short")));
  });
}

void TeamFiles::Drop(int file) {
  if (file < kFirstShared) return own_.Drop(file);
  BufFile* target = shared_.at(file);
  SetName(file);
  PgCall([&] {
    BufFileClose(target);
    BufFileDeleteFileSet(&seat_.team->files.fs, name_, false);
  });
  shared_.erase(file);
}

void TeamEnvironment::Progress(BulkPhase phase, uint64_t done, uint64_t) {
  if (phase == BulkPhase::kRows) return;
  Team* team = seat_.team;
  const bool built = phase == BulkPhase::kBuild;
  const uint64_t more = done - std::exchange(counted_[built], done);
  const uint64_t all = (built ? team->rows_built : team->rows_distributed).fetch_add(more) + more;
  if (seat_.leader()) own_.Progress(phase, all, team->plan.rows);
}

TeamMember::TeamMember(const Seat& seat, Build* build, MemoryContext memory)
    : seat_(seat),
      build_(build),
      files_(memory, seat),
      published_(files_),
      environment_(memory, seat),
      writer_(build->index, &seat.team->next_block),
      participant_(build->state->layout, {build->state->tree_options, build->state->fillfactor},
                   maintenance_work_mem * size_t{1024} / static_cast<size_t>(seat.team->participants), environment_, writer_, files_,
                   published_) {
  build->loader = &participant_;
}

bool TeamMember::Meet() {
  return PgCall([&] { return BarrierArriveAndWait(&seat_.team->barrier, WAIT_EVENT_PARALLEL_CREATE_INDEX_SCAN); });
}

void TeamMember::Work(Relation heap, IndexInfo* info, TableScanDesc scan) {
  Team* team = seat_.team;
  BulkShare* share = &team->share[seat_.number];
  team->heap_tuples[seat_.number] = AddRows(heap, info, build_, scan, seat_.leader());
  team->keys[seat_.number] = *build_->keys;
  team->broken_hot_chain[seat_.number] = info->ii_BrokenHotChain;
  XTREE_STOP_POINT(seat_.leader() ? "build-leader-scanned" : "build-worker-scanned");
  const Size sample = SampleBytes(team->participants);
  participant_.Describe(sample, seat_.samples + seat_.number * sample, share);
  if (Meet()) participant_.Plan(team->shares(), sample, seat_.samples, &team->plan);
  Meet();
  participant_.Distribute(team->plan, share);
  files_.Publish();
  XTREE_STOP_POINT(seat_.leader() ? "build-leader-distributed" : "build-worker-distributed");
  Meet();
  const auto next_part = [&] {
    XTREE_STOP_POINT(seat_.leader() ? "build-leader-part" : "build-worker-part");
    return static_cast<int>(team->next_part.fetch_add(1));
  };
  participant_.BuildParts(team->plan, team->shares(), next_part, share);
  files_.Publish();
  writer_.Flush();
}

void TeamMember::Finish() {
  const Team* team = seat_.team;
  const BulkStatistics statistics = participant_.Finish(team->plan, team->shares(), &team->share[seat_.number]);
  for (int p = 0; p < team->participants; p++) build_->keys->Merge(team->keys[p]);
  FinishIndex(build_, statistics, &writer_);
}

}  // namespace xtree
