// SQL functions that change what is in memory: xtree_load, xtree_unload, xtree_unload_cold, xtree_unload_idle, xtree_pin_hot,
// xtree_unpin and pg_stat_xtree_reset. Those about one index need its owner, as ALTER INDEX does; the others are revoked from PUBLIC.
//
// All but the last need the library to be preloaded; the last needs shared memory.
// Unloading and pinning are the worker's: a backend asks and waits, interruptibly, holding nothing but
// AccessShareLock on the index that it asks about. Nothing here writes WAL, so a standby does it as well.
#include "index/index_state.h"
#include "index/index_access.h"
#include "pg/compat_process.h"
#include "pg/settings.h"
#include "registry/index_registry.h"
#include "shmem/event_log.h"
#include "shmem/hot_pages.h"
#include "worker/requests.h"

extern "C" {
#include "access/xlog.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(xtree_load);
PG_FUNCTION_INFO_V1(xtree_unload);
PG_FUNCTION_INFO_V1(xtree_unload_cold);
PG_FUNCTION_INFO_V1(xtree_unload_idle);
PG_FUNCTION_INFO_V1(xtree_pin_hot);
PG_FUNCTION_INFO_V1(xtree_unpin);
PG_FUNCTION_INFO_V1(xtree_stat_reset);
}

namespace xtree {

namespace {

void RequirePreload() {
  if (Preloaded()) return;
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("xtree must be loaded via shared_preload_libraries"),
                  errhint("Without it indexes are read through shared buffers: nothing is mapped or pinned.")));
}

void RequireStatistics() {
  if (Counting()) return;
  if (pg::kNamedSegments && !Preloaded()) {
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("there is no shared memory for the statistics of xtree indexes"),
                    errhint("The server's log says why.")));
  }
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("xtree must be loaded via shared_preload_libraries"),
                  errhint("Without it nothing is counted before PostgreSQL 17.")));
}

void RequireArgument(FunctionCallInfo fcinfo, const char* name) {
  if (!PG_ARGISNULL(0)) return;
  ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
}

void RefuseBelow(int64 value, int64 least, const char* name) {
  if (value >= least) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("%s must be at least " INT64_FORMAT ", not " INT64_FORMAT, name, least, value)));
}

Hindrance WhyBuffers(Relation index) {
  const bool may_map = settings.use_mmap != static_cast<int>(UseMmap::kOff);
  if (may_map && GetIndexState(index, MetaUse::kRequired)->build_state != MetaBuildState::kBuilt)
    return {"it is not built yet", "CALL xtree_build() builds it."};
  return WhyNotMappable(index);
}

bool NotMappable(Relation index) {
  const Hindrance why = WhyBuffers(index);
  if (why.reason == nullptr) return false;
  ereport(NOTICE, (errmsg("index \"%s\" is not loaded: %s", RelationGetRelationName(index), why.reason), errhint("%s", why.hint)));
  return true;
}

bool TryToMap(Relation index) {
  IndexUse use;
  BeginUse(index, LoadOptionsOf(index), MapWhen::kNow, &use);
  const bool mapped = use.mapped;
  EndUse(&use);
  return mapped;
}

void ReportAnswer(Relation index, const RequestAnswer& answer, const char* what) {
  if (answer.problem[0] == '\0') return;
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("could not %s index \"%s\": %s", what, RelationGetRelationName(index), answer.problem)));
}

// What kept this backend from mapping an index that the worker has admitted.
struct Refusal {
  char message[sizeof(SharedIndex::last_error)];
};

Refusal LastError(IndexKey key) {
  Refusal refusal = {};
  SharedIndex* index = FindSharedIndex(key);
  if (index == nullptr) return refusal;
  {
    SharedIndexLock lock(index);
    memcpy(refusal.message, index->last_error, sizeof(refusal.message));
  }
  ReleaseSharedIndex(index);
  return refusal;
}

// Who asks for it by name does not wait until it would be tried again.
void ForgetFailure(IndexKey key) {
  SharedIndex* index = FindSharedIndex(key);
  if (index == nullptr) return;
  {
    SharedIndexLock lock(index);
    if (index->state == LoadState::kFailed) index->state = LoadState::kRegistered;
    index->failures = 0;
  }
  ReleaseSharedIndex(index);
}

// Between the worker's answer and ours somebody may have asked for the index to be unloaded: then once more.
constexpr int kAttempts = 5;

// The first try tells the worker which file it is about.
bool LoadNow(Relation index) {
  const IndexKey key = {MyDatabaseId, RelationGetRelid(index)};
  ForgetFailure(key);
  if (TryToMap(index)) return true;
  Refusal refusal = {};
  for (int attempt = 0; attempt < kAttempts && refusal.message[0] == '\0'; attempt++) {
    ReportAnswer(index, AskWorker(RequestKind::kLoad, key, 0), "load");
    if (TryToMap(index)) return true;
    refusal = LastError(key);
  }
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("could not load index \"%s\": %s", RelationGetRelationName(index),
                         refusal.message[0] != '\0' ? refusal.message : "it is being unloaded"),
                  errhint("See pg_stat_xtree_events; queries read the index through shared buffers meanwhile.")));
}

// Asks the worker for something about one index, which the caller must have the right to maintain.
RequestAnswer AskAboutIndex(FunctionCallInfo fcinfo, RequestKind kind, const char* what) {
  RequireArgument(fcinfo, "index");
  const OpenIndex open = OpenXtreeIndex(PG_GETARG_OID(0), AccessShareLock, IndexRight::kMaintain);
  RequirePreload();
  const RequestAnswer answer = AskWorker(kind, {MyDatabaseId, RelationGetRelid(open.index)}, 0);
  ReportAnswer(open.index, answer, what);
  if (answer.waiting > 0)
    ereport(NOTICE, (errmsg("index \"%s\" is still in use", RelationGetRelationName(open.index)),
                     errdetail("Sessions let go of it when the scans that they run now end.")));
  CloseIndex(open, AccessShareLock);
  return answer;
}

RequestAnswer AskAboutServer(RequestKind kind, int64 amount) {
  const RequestAnswer answer = AskWorker(kind, {InvalidOid, InvalidOid}, amount);
  if (answer.problem[0] != '\0') ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("%s", answer.problem)));
  if (answer.waiting > 0)
    ereport(NOTICE, (errmsg(INT64_FORMAT " of " INT64_FORMAT " indexes are still in use", answer.waiting, answer.indexes),
                     errdetail("Sessions let go of them when the scans that they run now end.")));
  return answer;
}

// A month has 30 days and a day 24 hours, as where intervals are compared.
int64 MicrosecondsOf(const Interval& interval) {
  const double seconds = static_cast<double>(interval.time) / USECS_PER_SEC + (interval.month * 30.0 + interval.day) * SECS_PER_DAY;
  if (seconds < 0) ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("idle must not be negative")));
  constexpr double kMostSeconds = 9e12;  // as microseconds within int64
  return static_cast<int64>(std::min(seconds, kMostSeconds) * USECS_PER_SEC);
}

void ResetIndex(SharedIndex* index, void*) {
  ResetOwnCounters(index);
  ResetColumnUse(&index->column_use);
  SharedIndexLock lock(index);
  index->last_error[0] = '\0';
  index->last_error_time = 0;
}

void ResetServer() {
  ForEachSharedIndex(ResetIndex, nullptr);
  ResetServersCounters({InvalidOid, InvalidOid});
  ResetPages({InvalidOid, InvalidOid});
  ClearEvents();
  ResetLatencies();
  const TimestampTz now = GetCurrentTimestamp();
  LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
  shared->reset_time = now;
  shared->memory.pin_failures = shared->memory.evicted_bytes = shared->memory.admissions = 0;
  shared->memory.pin_failure[0] = '\0';
  LWLockRelease(&shared->lock);
}

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_load(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RequireArgument(fcinfo, "index");
  const OpenIndex open = OpenXtreeIndex(PG_GETARG_OID(0), AccessShareLock, IndexRight::kMaintain);
  RequirePreload();
  const bool loaded = !NotMappable(open.index) && LoadNow(open.index);
  CloseIndex(open, AccessShareLock);
  PG_RETURN_BOOL(loaded);
}

extern "C" Datum xtree_unload(PG_FUNCTION_ARGS) {
  using namespace xtree;
  PG_RETURN_BOOL(AskAboutIndex(fcinfo, RequestKind::kUnload, "unload").waiting == 0);
}

extern "C" Datum xtree_unpin(PG_FUNCTION_ARGS) {
  using namespace xtree;
  PG_RETURN_INT64(AskAboutIndex(fcinfo, RequestKind::kUnpin, "unpin").bytes);
}

extern "C" Datum xtree_unload_cold(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RequireArgument(fcinfo, "bytes");
  RefuseBelow(PG_GETARG_INT64(0), 1, "bytes");
  RequirePreload();
  PG_RETURN_INT64(AskAboutServer(RequestKind::kUnloadCold, PG_GETARG_INT64(0)).bytes);
}

extern "C" Datum xtree_unload_idle(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RequireArgument(fcinfo, "idle");
  const int64 idle = MicrosecondsOf(*PG_GETARG_INTERVAL_P(0));
  RequirePreload();
  PG_RETURN_INT64(AskAboutServer(RequestKind::kUnloadIdle, idle).indexes);
}

// NULL: as much as xtree.pin_memory_limit allows.
extern "C" Datum xtree_pin_hot(PG_FUNCTION_ARGS) {
  using namespace xtree;
  if (!PG_ARGISNULL(0)) RefuseBelow(PG_GETARG_INT64(0), 1, "bytes");
  RequirePreload();
  PG_RETURN_INT64(AskAboutServer(RequestKind::kPinHot, PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0)).bytes);
}

// NULL: everything. An index that is gone or was never used has nothing to reset.
extern "C" Datum xtree_stat_reset(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RequireStatistics();
  if (PG_ARGISNULL(0)) {
    ResetServer();
    PG_RETURN_VOID();
  }
  const IndexKey key = {MyDatabaseId, PG_GETARG_OID(0)};
  ResetServersCounters(key);
  if (SharedIndex* index = FindSharedIndex(key)) {
    ResetIndex(index, nullptr);
    ReleaseSharedIndex(index);
    ResetPages(key);
  }
  PG_RETURN_VOID();
}
