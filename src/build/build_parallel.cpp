// See build_parallel.h: the leader's side, and what all participants do.
#include "build/build_parallel.h"

#include "build/build_team.h"
#include "pg/compat_commands.h"
#include "pg/guard.h"

extern "C" {
#include "access/parallel.h"
#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "executor/instrument.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
#include "utils/snapmgr.h"

PGDLLEXPORT void xtreeparallelbuildmain(dsm_segment* segment, shm_toc* toc);
}

namespace xtree {

struct ParallelBuild {
  ParallelContext* context;
  Snapshot snapshot;
  Seat seat;
  ParallelTableScanDesc scan;
  WalUsage* wal;
  BufferUsage* buffers;
};

namespace {

// Keys of the shared memory.
enum SharedKey : uint64 {
  kTeamKey = 0x7874726565000001,
  kScanKey,
  kSamplesKey,
  kQueryKey,
  kWalKey,
  kBuffersKey,
  kModelKey,
};

// The server's planner counts 32 MB a participant, but where the table says how many workers it wants. No command has asked it for a deferred build.
int PlanWorkers(Relation heap, Relation index, const IndexInfo* info, bool deferred) {
  if (!IsNormalProcessingMode() || RelationGetNumberOfBlocks(heap) == 0) return 0;
  const int workers =
      deferred ? plan_create_index_workers(RelationGetRelid(heap), RelationGetRelid(index)) : pg::PlannedBuildWorkers(heap, index, info);
  const auto shares = static_cast<int>(maintenance_work_mem * size_t{1024} / kMinBulkMemory);
  return std::min({workers, shares - 1, kMaxParticipants - 1});
}

void* Allocate(ParallelContext* context, uint64 key, Size size) {
  void* memory = shm_toc_allocate(context->toc, size);
  shm_toc_insert(context->toc, key, memory);
  return memory;
}

void Estimate(ParallelContext* context, Relation heap, Snapshot snapshot, const NewModel* model) {
  const auto add = [&](Size size) {
    shm_toc_estimate_chunk(&context->estimator, size);
    shm_toc_estimate_keys(&context->estimator, 1);
  };
  const int workers = context->nworkers;
  add(sizeof(Team));
  add(table_parallelscan_estimate(heap, snapshot));
  add((workers + 1) * SampleBytes(workers + 1));
  add(workers * sizeof(WalUsage));
  add(workers * sizeof(BufferUsage));
  if (debug_query_string != nullptr) add(strlen(debug_query_string) + 1);
  if (model != nullptr) add(MAXALIGN(sizeof(NewModel)) + model->size);
}

// All rows that somebody may still see; with CONCURRENTLY those that one snapshot sees.
Snapshot ScanSnapshot(bool concurrent) { return concurrent ? RegisterSnapshot(GetTransactionSnapshot()) : SnapshotAny; }

void FillSharedMemory(Relation heap, Relation index, bool concurrent, const uint16* dimensions, const NewModel* model,
                      ParallelBuild* parallel) {
  ParallelContext* context = parallel->context;
  const int workers = context->nworkers;
  Team* team = static_cast<Team*>(Allocate(context, kTeamKey, sizeof(Team)));
  InitializeTeam(RelationGetRelid(heap), RelationGetRelid(index), concurrent, workers + 1, context->seg, team);
  memcpy(team->dimensions, dimensions, sizeof team->dimensions);
  const Size scan_size = table_parallelscan_estimate(heap, parallel->snapshot);
  parallel->scan = static_cast<ParallelTableScanDesc>(Allocate(context, kScanKey, scan_size));
  table_parallelscan_initialize(heap, parallel->scan, parallel->snapshot);
  auto* samples = static_cast<uint8_t*>(Allocate(context, kSamplesKey, (workers + 1) * SampleBytes(workers + 1)));
  parallel->seat = {team, samples, 0};
  parallel->wal = static_cast<WalUsage*>(Allocate(context, kWalKey, workers * sizeof(WalUsage)));
  parallel->buffers = static_cast<BufferUsage*>(Allocate(context, kBuffersKey, workers * sizeof(BufferUsage)));
  memset(parallel->wal, 0, workers * sizeof(WalUsage));  // a worker that comes too late leaves them so
  memset(parallel->buffers, 0, workers * sizeof(BufferUsage));
  if (model != nullptr) {
    auto* shared = static_cast<uint8_t*>(Allocate(context, kModelKey, MAXALIGN(sizeof(NewModel)) + model->size));
    memcpy(shared, model, sizeof(NewModel));
    if (model->size > 0) memcpy(shared + MAXALIGN(sizeof(NewModel)), model->bytes, model->size);
  }
  if (debug_query_string == nullptr) return;
  const Size length = strlen(debug_query_string) + 1;
  memcpy(Allocate(context, kQueryKey, length), debug_query_string, length);
}

void ReportTeam(const ParallelBuild& parallel, Relation index) {
  int joined = 0;
  for (const BulkShare& share : parallel.seat.team->shares()) joined += share.rows > 0 || share.downlinks.records > 0;
  ereport(DEBUG1, (errmsg_internal("index \"%s\" was built by %d of %d planned processes in %d parts", RelationGetRelationName(index),
                                   joined, parallel.seat.team->participants, parallel.seat.team->plan.cut.parts())));
}

}  // namespace

ParallelBuild* BeginParallelBuild(Relation heap, Relation index, const IndexInfo* info, bool deferred, const uint16* dimensions,
                                  const NewModel* model) {
  const int workers = PlanWorkers(heap, index, info, deferred);
  if (workers <= 0) return nullptr;
  ParallelBuild* parallel = static_cast<ParallelBuild*>(palloc0(sizeof(ParallelBuild)));
  EnterParallelMode();
  parallel->context = CreateParallelContext("$libdir/xtree", "xtreeparallelbuildmain", workers);
  parallel->snapshot = ScanSnapshot(info->ii_Concurrent);
  Estimate(parallel->context, heap, parallel->snapshot, model);
  InitializeParallelDSM(parallel->context);
  if (parallel->context->seg != nullptr) {  // else there was no shared memory for it
    FillSharedMemory(heap, index, info->ii_Concurrent, dimensions, model, parallel);
    BarrierAttach(&parallel->seat.team->barrier);  // so that no worker goes on alone
    LaunchParallelWorkers(parallel->context);
    if (parallel->context->nworkers_launched > 0) return parallel;
  }
  EndParallelBuild(parallel);
  return nullptr;
}

IndexBuildResult BuildInParallel(Relation heap, IndexInfo* info, Build* build, MemoryContext memory, ParallelBuild* parallel) {
  const Team* team = parallel->seat.team;
  TeamMember leader(parallel->seat, build, memory);
  XTREE_STOP_POINT("build-leader-begin");
  leader.Work(heap, info, PgCall([&] { return pg::JoinParallelScan(heap, parallel->scan); }));
  PgCall([&] {
    WaitForParallelWorkersToFinish(parallel->context);
    ReportTeam(*parallel, build->index);
  });
  XTREE_STOP_POINT("build-leader-finish");
  leader.Finish();
  IndexBuildResult result{0, static_cast<double>(team->plan.rows)};
  for (int p = 0; p < team->participants; p++) {
    result.heap_tuples += team->heap_tuples[p];
    info->ii_BrokenHotChain |= team->broken_hot_chain[p];
  }
  return result;
}

void EndParallelBuild(ParallelBuild* parallel) {
  ParallelContext* context = parallel->context;
  if (context->seg != nullptr) WaitForParallelWorkersToFinish(context);
  for (int w = 0; w < context->nworkers_launched; w++) InstrAccumParallelQuery(&parallel->buffers[w], &parallel->wal[w]);
  if (IsMVCCSnapshot(parallel->snapshot)) UnregisterSnapshot(parallel->snapshot);
  DestroyParallelContext(context);
  ExitParallelMode();
}

namespace {

void WorkInTeam(Relation heap, Relation index, ParallelTableScanDesc scan, const NewModel* model, const Seat& seat) {
  const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "xtree build", ALLOCSET_DEFAULT_SIZES);
  Build build = PrepareBuild(index, seat.team->dimensions, model, memory);
  IndexInfo* info = BuildIndexInfo(index);
  info->ii_Concurrent = seat.team->concurrent;
  const TableScanDesc share = pg::JoinParallelScan(heap, scan);
  Guarded(index, [&] { TeamMember(seat, &build, memory).Work(heap, info, share); });
}

// nullptr: the build has none.
const NewModel* SharedModel(shm_toc* toc) {
  const auto* shared = static_cast<const uint8_t*>(shm_toc_lookup(toc, kModelKey, true));
  if (shared == nullptr) return nullptr;
  auto* model = static_cast<NewModel*>(palloc(sizeof(NewModel)));
  memcpy(model, shared, sizeof(NewModel));
  model->bytes = shared + MAXALIGN(sizeof(NewModel));
  return model;
}

}  // namespace
}  // namespace xtree

// The worker's entry. Lock modes are those that the leader has by then.
extern "C" void xtreeparallelbuildmain(dsm_segment* segment, shm_toc* toc) {
  using namespace xtree;
  debug_query_string = static_cast<char*>(shm_toc_lookup(toc, kQueryKey, true));
  pgstat_report_activity(STATE_RUNNING, debug_query_string);
  Team* team = static_cast<Team*>(shm_toc_lookup(toc, kTeamKey, false));
  if (BarrierAttach(&team->barrier) > 0) {  // the scan is over
    BarrierDetach(&team->barrier);
    return;
  }
  const Seat seat{team, static_cast<uint8_t*>(shm_toc_lookup(toc, kSamplesKey, false)), ParallelWorkerNumber + 1};
  SharedFileSetAttach(&team->files, segment);
  const LOCKMODE heap_lock = team->concurrent ? ShareUpdateExclusiveLock : ShareLock;
  const LOCKMODE index_lock = team->concurrent ? RowExclusiveLock : AccessExclusiveLock;
  Relation heap = table_open(team->heap, heap_lock);
  Relation index = index_open(team->index, index_lock);
  InstrStartParallelQuery();
  WorkInTeam(heap, index, static_cast<ParallelTableScanDesc>(shm_toc_lookup(toc, kScanKey, false)), SharedModel(toc), seat);
  auto* buffers = static_cast<BufferUsage*>(shm_toc_lookup(toc, kBuffersKey, false));
  auto* wal = static_cast<WalUsage*>(shm_toc_lookup(toc, kWalKey, false));
  InstrEndParallelQuery(&buffers[ParallelWorkerNumber], &wal[ParallelWorkerNumber]);
  index_close(index, index_lock);
  table_close(heap, heap_lock);
}
