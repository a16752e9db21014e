// See scan_parts.h. EXPLAIN reads the catalog for names.
#include "join/scan_parts.h"

#include "deferred/build_state.h"

extern "C" {
#include "access/genam.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "utils/datum.h"
#include "utils/ruleutils.h"
}

#include "pg/compat_explain.h"

namespace xtree {

JoinInputSide* OpenInput(ScanState* scan, MemoryContext context, Index range, const JoinPlanSide& window, List* conditions, List* arguments,
                         int eflags) {
  const Relation table = ExecOpenScanRelation(scan->ps.state, range, eflags);
  const Relation index = index_open(window.index, AccessShareLock);
  IndexState* index_state = CopyIndexState(index, MetaUse::kRequired);
  RequireBuilt(index, index_state);
  auto* side = new (palloc(sizeof(JoinInputSide))) JoinInputSide(table, index, index_state, range, context);
  side->SetColumns(reinterpret_cast<const CustomScan*>(scan->ps.plan)->custom_scan_tlist, scan->ss_ScanTupleSlot->tts_tupleDescriptor);
  side->SetConditions(conditions, &scan->ps);
  side->SetWindows(window, arguments, &scan->ps);
  return side;
}

KeptRow KeepRow(TupleTableSlot* row, TupleDesc descriptor, int columns, MemoryContext memory) {
  slot_getsomeattrs(row, columns);
  const MemoryContext old = MemoryContextSwitchTo(memory);
  auto* value = static_cast<Datum*>(palloc((sizeof(Datum) + sizeof(bool)) * std::max(columns, 1)));
  auto* null = reinterpret_cast<bool*>(value + columns);
  for (int i = 0; i < columns; i++) {
    const FormData_pg_attribute* attribute = TupleDescAttr(descriptor, i);
    null[i] = row->tts_isnull[i];
    value[i] = null[i] ? Datum{0} : datumCopy(row->tts_values[i], attribute->attbyval, attribute->attlen);
  }
  MemoryContextSwitchTo(old);
  return value;
}

void FillFrom(KeptRow row, int columns, TupleTableSlot* tuple) {
  std::copy_n(row, columns, tuple->tts_values);
  std::copy_n(reinterpret_cast<const bool*>(row + columns), columns, tuple->tts_isnull);
}

TupleTableSlot* Projected(ScanState* scan) {
  return scan->ps.ps_ProjInfo != nullptr ? ExecProject(scan->ps.ps_ProjInfo) : scan->ss_ScanTupleSlot;
}

TupleTableSlot* Nothing(ScanState* scan) {
  return scan->ps.ps_ProjInfo != nullptr ? ExecClearTuple(scan->ps.ps_ResultTupleSlot) : ExecClearTuple(scan->ss_ScanTupleSlot);
}

const char* JoinTypeName(JoinType type) {
  switch (type) {
    case JOIN_LEFT:
      return "Left";
    case JOIN_SEMI:
      return "Semi";
    case JOIN_ANTI:
      return "Anti";
    default:
      return "Inner";
  }
}

void ShowConditions(const char* label, int place, const ScanState& scan, List* ancestors, ExplainState* explain) {
  auto* conditions = static_cast<List*>(list_nth(reinterpret_cast<const CustomScan*>(scan.ps.plan)->custom_exprs, place));
  if (conditions == NIL) return;
  List* context = set_deparse_context_plan(explain->deparse_cxt, scan.ps.plan, ancestors);
  ExplainPropertyText(label, deparse_expression(reinterpret_cast<Node*>(make_ands_explicit(conditions)), context, true, false), explain);
}

}  // namespace xtree
