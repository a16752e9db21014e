// The library's entry: module magic, _PG_init, and the handler that CREATE ACCESS METHOD names.
#include "am/compare_type.h"
#include "am/entry_points.h"
#include "am/explain.h"
#include "am/held_entries.h"
#include "join/join_path.h"
#include "planner/heap_work.h"
#include "planner/limit_paths.h"
#include "planner/planner_family.h"
#include "planner/row_counts.h"
#include "planner/explain_unbuilt.h"
#include "planner/unbuilt_indexes.h"
#include "index/options.h"
#include "pg/compat_am.h"
#include "pg/settings.h"
#include "registry/drop_watch.h"
#include "shmem/index_counters.h"
#include "shmem/shared_state.h"
#include "worker/worker.h"
#include "xtree.h"

extern "C" {
#include "utils/guc.h"

XTREE_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(xtree_handler);
void _PG_init(void);
}

#ifdef XTREE_STOP_POINTS
#include "testing/stop_point.h"
#endif

extern "C" void _PG_init(void) {
  xtree::RegisterOptions();
  xtree::DefineSettings();
  xtree::OfferPlannerFamilies();
  xtree::CorrectHeapWork();
  xtree::OfferLimitPaths();
  xtree::WithholdUnbuiltIndexes();
  xtree::ExplainUnbuiltIndexes();
  xtree::CorrectRowCounts();
  xtree::OfferTreeJoins();
  xtree::OfferExplainOption();
  xtree::HoldEntriesBack();
  if (process_shared_preload_libraries_in_progress) {
    xtree::RequestSharedMemory();
    xtree::RegisterWorker();
    xtree::RegisterIndexStatistics();
  }
  xtree::WatchDrops();
#ifdef XTREE_STOP_POINTS
  xtree::DefineStopPointSettings();
#endif
  MarkGUCPrefixReserved("xtree");
}

static IndexAmRoutine MakeRoutine() {
  IndexAmRoutine am = {};
  am.type = T_IndexAmRoutine;
  am.amstrategies = 0;  // an operator class numbers its strategies as its peers do
  am.amsupport = XTREE_SUPPORT_PROCS;
  am.amoptsprocnum = XTREE_OPTIONS_PROC;
  am.amcanorder = false;
  am.amcanorderbyop = true;
  am.amcanbackward = false;
  am.amcanunique = false;
  am.amcanmulticol = true;
  am.amoptionalkey = true;
  am.amsearcharray = true;
  am.amsearchnulls = true;
  am.amstorage = false;
  am.amclusterable = true;
  am.ampredlocks = true;
  am.amcanparallel = true;
  am.amcaninclude = true;
  am.amusemaintenanceworkmem = false;
  am.amparallelvacuumoptions = VACUUM_OPTION_PARALLEL_BULKDEL | VACUUM_OPTION_PARALLEL_COND_CLEANUP;
  am.amkeytype = InvalidOid;
  am.ambuild = xtreebuild;
  am.ambuildempty = xtreebuildempty;
  am.aminsert = xtreeinsert;
  am.ambulkdelete = xtreebulkdelete;
  am.amvacuumcleanup = xtreevacuumcleanup;
  am.amcanreturn = xtreecanreturn;
  am.amcostestimate = xtreecostestimate;
  am.amoptions = xtreeoptions;
  am.amproperty = xtreeproperty;
  am.ambuildphasename = xtreebuildphasename;
  am.amvalidate = xtreevalidate;
  am.amadjustmembers = xtreeadjustmembers;
  am.ambeginscan = xtreebeginscan;
  am.amrescan = xtreerescan;
  am.amgettuple = xtreegettuple;
  am.amgetbitmap = xtreegetbitmap;
  am.amendscan = xtreeendscan;
  am.ammarkpos = nullptr;
  am.amrestrpos = nullptr;
  pg::SetParallelScanBytes<xtreeestimateparallelscan>(&am);
  am.aminitparallelscan = xtreeinitparallelscan;
  am.amparallelrescan = xtreeparallelrescan;
  pg::SetFieldsOfVersion<xtree::EqualStrategyOf, xtreegettreeheight>(&am);
  return am;
}

extern "C" Datum xtree_handler(FunctionCallInfo) {
  static const IndexAmRoutine routine = MakeRoutine();
  PG_RETURN_POINTER(pg::Handed(routine));
}
