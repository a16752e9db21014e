// The access method's callbacks (IndexAmRoutine), one file per duty; src/am/handler.cpp puts them together.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "access/amapi.h"
#include "commands/vacuum.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"

// build.cpp
IndexBuildResult* xtreebuild(Relation heap, Relation index, IndexInfo* info);
void xtreebuildempty(Relation index);

// insert.cpp
bool xtreeinsert(Relation index, Datum* values, bool* isnull, ItemPointer tuple, Relation heap, IndexUniqueCheck check, bool unchanged,
                 IndexInfo* info);

// vacuum.cpp
IndexBulkDeleteResult* xtreebulkdelete(IndexVacuumInfo* info, IndexBulkDeleteResult* result, IndexBulkDeleteCallback dead, void* state);
IndexBulkDeleteResult* xtreevacuumcleanup(IndexVacuumInfo* info, IndexBulkDeleteResult* result);

// scan.cpp
IndexScanDesc xtreebeginscan(Relation index, int keys, int orderbys);
void xtreerescan(IndexScanDesc scan, ScanKey keys, int key_count, ScanKey orderbys, int orderby_count);
bool xtreegettuple(IndexScanDesc scan, ScanDirection direction);
int64 xtreegetbitmap(IndexScanDesc scan, TIDBitmap* bitmap);
void xtreeendscan(IndexScanDesc scan);
bool xtreecanreturn(Relation index, int column);

// parallel_scan.cpp
Size xtreeestimateparallelscan();
void xtreeinitparallelscan(void* target);
void xtreeparallelrescan(IndexScanDesc scan);

// cost.cpp
void xtreecostestimate(PlannerInfo* root, IndexPath* path, double loop_count, Cost* startup_cost, Cost* total_cost,
                       Selectivity* selectivity, double* correlation, double* pages);
int xtreegettreeheight(Relation index);

// property.cpp
bool xtreeproperty(Oid index, int column, IndexAMProperty property, const char* name, bool* result, bool* isnull);

// validate.cpp; src/build/build_environment.cpp; amoptions is in src/index/options.h
bool xtreevalidate(Oid opclass);
void xtreeadjustmembers(Oid opfamily, Oid opclass, List* operators, List* functions);
char* xtreebuildphasename(int64 phase);
}
