// See join_pair.h.
#include "join/join_pair.h"

#include "join/scan_parts.h"

extern "C" {
#include "executor/executor.h"
#include "executor/instrument.h"
}

namespace xtree {

namespace {

void Load(TreeJoinState* state, KeptRow left, KeptRow right) {
  ScanState* scan = &state->custom.ss;
  ExprContext* values = scan->ps.ps_ExprContext;
  TupleTableSlot* tuple = scan->ss_ScanTupleSlot;
  ResetExprContext(values);
  ExecClearTuple(tuple);
  state->open->side[0]->Fill(left, tuple);
  if (right != nullptr)
    state->open->side[1]->Fill(right, tuple);
  else
    state->open->side[1]->FillMissing(tuple);
  ExecStoreVirtualTuple(tuple);
  values->ecxt_scantuple = tuple;
}

}  // namespace

KeptRow MakeFromEntry(TreeJoinState* state, JoinSide side, uint32_t entry, TupleId tuple) {
  OpenJoin* open = state->open;
  JoinInputSide* input = open->side[static_cast<int>(side)];
  ScanState* scan = &state->custom.ss;
  Box key;
  Payload payload = {nullptr, 0};
  open->join.GetKey(side, entry, &key);
  if (input->needs_include()) payload.bytes = open->join.GetPayload(side, entry, &payload.length);
  return input->Make(key, payload, tuple, scan->ps.state->es_snapshot, scan, open->batch);
}

bool JoinClausesHold(TreeJoinState* state, KeptRow left, KeptRow right, bool certain) {
  Load(state, left, right);
  if (ExecQual(certain ? state->open->uncertain_clauses : state->open->join_clauses, state->custom.ss.ps.ps_ExprContext)) return true;
  InstrCountFiltered1(&state->custom.ss.ps, 1);
  return false;
}

TupleTableSlot* ReturnTested(TreeJoinState* state) {
  ScanState* scan = &state->custom.ss;
  if (state->open->filter != nullptr && !ExecQual(state->open->filter, scan->ps.ps_ExprContext)) {
    InstrCountFiltered2(&scan->ps, 1);
    return nullptr;
  }
  return Projected(scan);
}

TupleTableSlot* ReturnPair(TreeJoinState* state, KeptRow left, KeptRow right) {
  Load(state, left, right);
  return ReturnTested(state);
}

}  // namespace xtree
