// See explain_workers.h.
#include "am/explain_workers.h"

#ifdef XTREE_EXPLAIN_OPTION

#include "index/index_access.h"
#include "pg/compat_process.h"

extern "C" {
#include "access/parallel.h"
#include "common/hashfn.h"
#include "nodes/nodeFuncs.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
}

namespace xtree {

namespace {

constexpr int kReportsWanted = 1 << 30;  // of instrument_options, of which core uses the lowest bits
constexpr int kPlaces = 256;
constexpr char kTrancheName[] = "XtreeExplain";

struct Place {
  int leader;  // its process; 0: the place is free
  int node;    // plan_node_id
  Oid index;
  uint64_t query;
  ScanReport report;
};

struct Segment {
  LWLock lock;
  int tranche;
  Place place[kPlaces];
};

int asking = 0;       // EXPLAINs of this process that want reports
bool forget = false;  // before the next query with workers: what was left of the ones before
ExecutorStart_hook_type next_start_hook;
ExecutorEnd_hook_type next_end_hook;

void InitializeSegment(void* memory) {
  auto* segment = static_cast<Segment*>(memory);
  memset(static_cast<void*>(segment), 0, sizeof(*segment));
  segment->tranche = pg::NewTranche(kTrancheName);
  LWLockInitialize(&segment->lock, segment->tranche);
}

// Attached for the life of the process.
Segment* AttachSegment() {
  static Segment* segment = nullptr;
  if (segment == nullptr) {
    segment = static_cast<Segment*>(pg::NamedSegment("xtree explain", sizeof(Segment), InitializeSegment));
    pg::NameTranche(segment->tranche, kTrancheName);
  }
  return segment;
}

uint64_t HashOf(const char* query) {
  return query == nullptr ? 0 : hash_bytes_extended(reinterpret_cast<const unsigned char*>(query), static_cast<int>(strlen(query)), 0);
}

bool Matches(const Place& a, const Place& b) {
  return a.leader == b.leader && a.node == b.node && a.index == b.index && a.query == b.query;
}

// What a leader left that did not come to print it goes with the process.
void FreePlacesOfTheDead(Segment* segment) {
  for (Place& place : segment->place)
    if (place.leader != 0 && BackendPidGetProc(place.leader) == nullptr) place.leader = 0;
}

Place* FindPlace(Segment* segment, const Place& wanted) {
  Place* free = nullptr;
  for (Place& place : segment->place) {
    if (Matches(place, wanted)) return &place;
    if (place.leader == 0 && free == nullptr) free = &place;
  }
  return free;
}

void AddReport(const Place& report) {
  Segment* segment = AttachSegment();
  LWLockAcquire(&segment->lock, LW_EXCLUSIVE);
  Place* place = FindPlace(segment, report);
  if (place == nullptr) {
    FreePlacesOfTheDead(segment);
    place = FindPlace(segment, report);
  }
  if (place != nullptr && place->leader != 0)
    place->report.Add(report.report);
  else if (place != nullptr)
    *place = report;
  LWLockRelease(&segment->lock);
}

// Of queries that this process, or one that had its number, has explained and did not come to print.
void ForgetReports() {
  Segment* segment = AttachSegment();
  LWLockAcquire(&segment->lock, LW_EXCLUSIVE);
  for (Place& place : segment->place)
    if (place.leader == MyProcPid) place.leader = 0;
  LWLockRelease(&segment->lock);
  forget = false;
}

struct Leader {
  int process;
  uint64_t query;
};

bool ReportNodes(PlanState* plan, void* context) {
  const auto* leader = static_cast<const Leader*>(context);
  ExplainNode node;
  if (FindExplainNode(plan, &node) && node.scan != nullptr && IsXtreeIndex(node.scan->indexRelation))
    AddReport({leader->process, plan->plan->plan_node_id, node.index, leader->query, ReportOf(node.scan)});
  return planstate_tree_walker(plan, ReportNodes, context);
}

void StartExecutor(QueryDesc* query, int flags) {
  if (asking > 0 && query->instrument_options != 0 && !IsParallelWorker() && query->plannedstmt->parallelModeNeeded) {
    if (forget) ForgetReports();
    query->instrument_options |= kReportsWanted;
  }
  if (next_start_hook != nullptr)
    next_start_hook(query, flags);
  else
    standard_ExecutorStart(query, flags);
}

void EndExecutor(QueryDesc* query) {
  if (IsParallelWorker() && (query->instrument_options & kReportsWanted) != 0 && MyProc->lockGroupLeader != nullptr) {
    Leader leader = {MyProc->lockGroupLeader->pid, HashOf(query->sourceText)};
    ReportNodes(query->planstate, &leader);
  }
  if (next_end_hook != nullptr)
    next_end_hook(query);
  else
    standard_ExecutorEnd(query);
}

void StopAsking(void*) { asking--; }

}  // namespace

void OfferReportsOfWorkers() {
  next_start_hook = ExecutorStart_hook;
  ExecutorStart_hook = StartExecutor;
  next_end_hook = ExecutorEnd_hook;
  ExecutorEnd_hook = EndExecutor;
}

void AskWorkersForReports() {
  auto* stop = static_cast<MemoryContextCallback*>(palloc0(sizeof(MemoryContextCallback)));
  stop->func = StopAsking;
  MemoryContextRegisterResetCallback(CurrentMemoryContext, stop);
  asking++;
  forget = true;
}

ScanReport TakeReportOfWorkers(PlanState* plan, const ExplainNode& node) {
  ScanReport report = {};
  uint64_t searches = 0;
  for (int i = 0; i < node.workers->num_workers; i++) searches += node.workers->winstrument[i].nsearches;
  if (searches == 0) return report;
  Segment* segment = AttachSegment();
  const Place wanted = {MyProcPid, plan->plan->plan_node_id, node.index, HashOf(plan->state->es_sourceText), {}};
  LWLockAcquire(&segment->lock, LW_EXCLUSIVE);
  for (Place& place : segment->place) {
    if (!Matches(place, wanted)) continue;
    report = place.report;
    place.leader = 0;
  }
  LWLockRelease(&segment->lock);
  report.lost_searches = searches > report.searches ? searches - report.searches : 0;
  return report;
}

}  // namespace xtree

#endif
