// Index-only scans: the row's columns from the entry alone.
#include "am/entry_points.h"
#include "index/key_box.h"
#include "index/payload.h"
#include "am/tree_scan.h"

extern "C" {
#include "access/itup.h"
#include "access/xlog.h"
}

namespace xtree {

namespace {

void ReconstructKeys(const IndexState& state, const Box& box, Datum* values, bool* isnull) {
  for (int i = 0; i < state.layout.columns; i++) {
    isnull[i] = true;  // a column whose key is lossy is never asked for
    values[i] = state.column[i].routine->exact ? ReconstructKey(state, i, box, &isnull[i]) : Datum{0};
  }
}

}  // namespace

IndexTuple FormIndexTuple(Relation index, TreeScan* state, const NodeView& page, int entry) {
  MemoryContextReset(state->row_context);
  const MemoryContext old = MemoryContextSwitchTo(state->row_context);
  Datum values[INDEX_MAX_KEYS];
  bool isnull[INDEX_MAX_KEYS];
  Box box;
  page.GetBox(entry, &box);
  ReconstructKeys(*state->index, box, values, isnull);
  if (state->include != nullptr) {
    uint16_t length;
    const uint8_t* payload = page.Payload(entry, &length);
    const int keys = state->index->layout.columns;
    DeformPayload(state->include, payload, length, values + keys, isnull + keys);
  }
  IndexTuple tuple = index_form_tuple(RelationGetDescr(index), values, isnull);
  MemoryContextSwitchTo(old);
  return tuple;
}

}  // namespace xtree

extern "C" bool xtreecanreturn(Relation index, int column) {
  // A pin holds nothing back on a standby: Generic WAL is replayed without cleanup locks. There the rows themselves must be looked at.
  if (RecoveryInProgress()) return false;
  if (column > IndexRelationGetNumberOfKeyAttributes(index)) return true;
  return xtree::GetIndexState(index, xtree::MetaUse::kNone)->column[column - 1].routine->exact;
}
