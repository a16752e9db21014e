// Differences between PostgreSQL's versions: what VACUUM, builds and checks call. See compat.h.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "access/multixact.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/vacuum.h"
#include "nodes/execnodes.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "postmaster/autovacuum.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/tuplesort.h"
}

namespace pg {

// From 18 on ANALYZE, which calls no function of ours, says so.
inline void VacuumDelayPoint() {
#if PG_VERSION_NUM >= 180000
  vacuum_delay_point(false);
#else
  vacuum_delay_point();
#endif
}

// From 17 on in parallel mode too, as a VACUUM with parallel workers is.
inline bool MayBeginSubtransaction() {
#if PG_VERSION_NUM >= 170000
  return true;
#else
  return !IsInParallelMode();
#endif
}

inline bool IsAutovacuumWorker() {
#if PG_VERSION_NUM >= 170000
  return AmAutoVacuumWorkerProcess();
#else
  return IsAutoVacuumWorkerProcess();
#endif
}

// From 18 on with the number of frozen pages, which an index has not.
inline void UpdateIndexStatistics(Relation index, BlockNumber pages, double entries) {
#if PG_VERSION_NUM >= 180000
  vac_update_relstats(index, pages, entries, 0, 0, false, InvalidTransactionId, InvalidMultiXactId, nullptr, nullptr, false);
#else
  vac_update_relstats(index, pages, entries, 0, false, InvalidTransactionId, InvalidMultiXactId, nullptr, nullptr, false);
#endif
}

// One function for all classes of objects from 16 on.
inline bool OwnsRelation(Oid relation, Oid role) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(RelationRelationId, relation, role);
#else
  return pg_class_ownercheck(relation, role);
#endif
}

// May the role maintain the index: as its owner, or, from 17 on, by the privilege MAINTAIN on the table?
inline bool MayMaintain([[maybe_unused]] Oid table, Oid index, Oid role) {
#if PG_VERSION_NUM >= 170000
  if (pg_class_aclcheck(table, role, ACL_MAINTAIN) == ACLCHECK_OK) return true;
#endif
  return OwnsRelation(index, role);
}

// From 17 on whoever runs functions of a table's owner in maintenance has them look names up in pg_catalog and pg_temp alone.
inline void RestrictNames() {
#if PG_VERSION_NUM >= 170000
  RestrictSearchPath();
#endif
}

// From 16 on the caller says whether a copy is wanted, which numbers need not.
inline bool NextSortedDatum(Tuplesortstate* sort, Datum* value, bool* isnull) {
#if PG_VERSION_NUM >= 160000
  return tuplesort_getdatum(sort, true, false, value, isnull, nullptr);
#else
  return tuplesort_getdatum(sort, true, value, isnull, nullptr);
#endif
}

// How many workers the planner grants a build that begins with CREATE INDEX or REINDEX. From 17 on core has asked it before (amcanbuildparallel).
inline int PlannedBuildWorkers(Relation heap, Relation index, [[maybe_unused]] const IndexInfo* info) {
#if PG_VERSION_NUM >= 170000
  (void)heap, (void)index;
  return info->ii_ParallelWorkers;
#else
  return plan_create_index_workers(RelationGetRelid(heap), RelationGetRelid(index));
#endif
}

}  // namespace pg
