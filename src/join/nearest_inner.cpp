// See nearest_inner.h.
#include "join/nearest_inner.h"

#include "am/limit_keys.h"
#include "index/index_access.h"
#include "index/key_box.h"
#include "join/nearest_plan.h"

extern "C" {
#include "access/sysattr.h"
#include "executor/executor.h"
#include "optimizer/optimizer.h"
}

namespace xtree {

namespace {

// What runs a plan of its own might keep what it has of the row before.
bool IsPlain(const PlanState* state) { return state->initPlan == NIL && state->subPlan == NIL; }

bool IsSameForAll(const Node* count) {
  return IsA(count, Const) || (IsA(count, Param) && reinterpret_cast<const Param*>(count)->paramkind == PARAM_EXTERN);
}

bool UnderstandLimit(PlanState* state, NearestInner* out) {
  if (!IsA(state, LimitState) || !IsPlain(state)) return false;
  const auto* plan = reinterpret_cast<const Limit*>(state->plan);
  out->limit = reinterpret_cast<LimitState*>(state);
  return plan->limitOption == LIMIT_OPTION_COUNT && plan->limitOffset == nullptr && plan->limitCount != nullptr &&
         IsSameForAll(plan->limitCount);
}

// Which columns of the index the expressions name.
void FindWanted(List* expressions, NearestInner* out) {
  Bitmapset* columns = nullptr;
  pull_varattnos(reinterpret_cast<Node*>(expressions), INDEX_VAR, &columns);
  const int count = RelationGetNumberOfAttributes(out->index);
  const bool all = bms_is_member(-FirstLowInvalidHeapAttributeNumber, columns);
  for (int i = 0; i < count; i++) {
    out->wanted[i] = all || bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, columns);
    out->wants_include |= out->wanted[i] && i >= IndexRelationGetNumberOfKeyAttributes(out->index);
  }
}

bool UnderstandScan(PlanState* state, NearestInner* out) {
  out->scan = reinterpret_cast<ScanState*>(state);
  int orders = 0;
  if (IsA(state, IndexScanState)) {
    auto* scan = reinterpret_cast<IndexScanState*>(state);
    out->index = scan->iss_RelationDesc;
    out->keys = scan->iss_ScanKeys, out->key_count = scan->iss_NumScanKeys;
    out->order = scan->iss_OrderByKeys, orders = scan->iss_NumOrderByKeys;
    out->runtime = scan->iss_RuntimeKeys, out->runtime_count = scan->iss_NumRuntimeKeys;
    out->recheck = scan->indexqualorig;
    if (list_length(scan->indexorderbyorig) == 1) out->distance = static_cast<ExprState*>(linitial(scan->indexorderbyorig));
  } else if (IsA(state, IndexOnlyScanState)) {
    auto* scan = reinterpret_cast<IndexOnlyScanState*>(state);
    out->index_only = true;
    out->index = scan->ioss_RelationDesc;
    out->keys = scan->ioss_ScanKeys, out->key_count = scan->ioss_NumScanKeys;
    out->order = scan->ioss_OrderByKeys, orders = scan->ioss_NumOrderByKeys;
    out->runtime = scan->ioss_RuntimeKeys, out->runtime_count = scan->ioss_NumRuntimeKeys;
    out->recheck = scan->recheckqual;
  } else {
    return false;
  }
  if (orders != 1 || !IsPlain(state) || out->index == nullptr || !IsXtreeIndex(out->index)) return false;
  for (int i = 0; i < out->runtime_count; i++)
    out->keys_vary |= out->runtime[i].scan_key >= out->keys && out->runtime[i].scan_key < out->keys + out->key_count;
  if (out->index_only) {
    const auto* plan = reinterpret_cast<const IndexOnlyScan*>(state->plan);
    FindWanted(list_concat(list_copy(plan->scan.plan.targetlist), list_concat_copy(plan->scan.plan.qual, plan->recheckqual)), out);
  }
  return true;
}

}  // namespace

bool UnderstandInner(PlanState* child, NearestInner* out) {
  if (!IsA(child, NestLoopState) || !IsPlain(child)) return false;
  out->loop = reinterpret_cast<NestLoopState*>(child);
  if (out->loop->js.jointype != JOIN_INNER && out->loop->js.jointype != JOIN_LEFT) return false;
  out->outer = outerPlanState(child);
  out->top = innerPlanState(child);
  PlanState* limit = out->top;
  if (IsA(limit, SubqueryScanState)) {
    out->subquery = reinterpret_cast<SubqueryScanState*>(limit);
    // Its conditions come after the limit.
    if (limit->qual != nullptr || !IsPlain(limit)) return false;
    limit = out->subquery->subplan;
  }
  return UnderstandLimit(limit, out) && UnderstandScan(outerPlanState(limit), out);
}

int LimitOf(const NearestInner& inner) {
  bool null;
  const Datum count = ExecEvalExprSwitchContext(inner.limit->limitCount, inner.limit->ps.ps_ExprContext, &null);
  if (null) return 0;
  const int64 value = DatumGetInt64(count);
  return value > 0 && value <= kMostNearest ? static_cast<int>(value) : 0;
}

void GiveParameters(const NearestInner& inner, KeptRow outer, bool changed) {
  const auto* plan = reinterpret_cast<const NestLoop*>(inner.loop->js.ps.plan);
  const bool* null = reinterpret_cast<const bool*>(outer + ExecGetResultType(inner.outer)->natts);
  ParamExecData* parameters = inner.loop->js.ps.state->es_param_exec_vals;
  ListCell* cell;
  foreach (cell, plan->nestParams) {
    const auto* parameter = lfirst_node(NestLoopParam, cell);
    const int column = parameter->paramval->varattno - 1;
    ParamExecData* value = &parameters[parameter->paramno];
    value->value = outer[column];
    value->isnull = null[column];
    if (changed) inner.top->chgParam = bms_add_member(inner.top->chgParam, parameter->paramno);
  }
}

TupleTableSlot* ReturnRow(const NearestInner& inner, bool recheck, DistanceRank* exact) {
  PlanState* scan = &inner.scan->ps;
  ExprContext* values = scan->ps_ExprContext;
  TupleTableSlot* row = inner.scan->ss_ScanTupleSlot;
  values->ecxt_scantuple = row;
  if ((recheck && !ExecQual(inner.recheck, values)) || !ExecQual(scan->qual, values)) return nullptr;
  if (exact != nullptr) {
    bool null;
    const Datum distance = ExecEvalExprSwitchContext(inner.distance, values, &null);
    *exact = null ? kNullDistance : RankFromDistance(DatumGetFloat8(distance));
  }
  if (scan->ps_ProjInfo != nullptr) row = ExecProject(scan->ps_ProjInfo);
  if (inner.subquery == nullptr) return row;
  PlanState* subquery = &inner.subquery->ss.ps;
  ResetExprContext(subquery->ps_ExprContext);
  subquery->ps_ExprContext->ecxt_scantuple = row;
  return subquery->ps_ProjInfo != nullptr ? ExecProject(subquery->ps_ProjInfo) : row;
}

bool FillFromEntry(const NearestInner& inner, const IndexState& state, TupleDesc include, const NodeView& page, int slot) {
  TupleTableSlot* tuple = inner.scan->ss_ScanTupleSlot;
  const int keys = state.layout.columns, columns = tuple->tts_tupleDescriptor->natts;
  ExecClearTuple(tuple);
  Box box;
  page.GetBox(slot, &box);
  for (int i = 0; i < columns; i++) {
    tuple->tts_isnull[i] = true;
    tuple->tts_values[i] = 0;
    if (i < keys && inner.wanted[i] && state.column[i].routine->exact)
      tuple->tts_values[i] = ReconstructKey(state, i, box, &tuple->tts_isnull[i]);
  }
  if (inner.wants_include) {
    Payload part{nullptr, 0};
    part.bytes = page.Payload(slot, &part.length);
    if (part.bytes != nullptr) part = IncludePart(state, box.marks, part);
    if (part.bytes == nullptr) return false;
    DeformPayload(include, part.bytes, part.length, tuple->tts_values + keys, tuple->tts_isnull + keys);
  }
  ExecStoreVirtualTuple(tuple);
  return true;
}

}  // namespace xtree
