// aminsert: one entry into the index, unless that is not built yet (deferred/build_state.h). Locks and WAL:
// core/write/tree_writer.h, storage/buffer_store.h.
#include "deferred/build_state.h"
#include "am/entry_points.h"
#include "am/first_row.h"
#include "am/held_entries.h"
#include "index/key_box.h"
#include "index/payload.h"
#include "core/write/tree_writer.h"
#include "pg/guard.h"
#include "storage/buffer_store.h"

namespace xtree {

namespace {

// Kept in IndexInfo for the rows of one statement.
struct InsertState {
  IndexState* index;
  TupleDesc include;
  VectorCoder* coder;
  HeldPlace held;
  MemoryContext row;  // reset after each row
};

InsertState* GetInsertState(Relation index, IndexInfo* info) {
  if (info->ii_AmCache != nullptr) return static_cast<InsertState*>(info->ii_AmCache);
  const MemoryContext old = MemoryContextSwitchTo(info->ii_Context);
  auto* state = static_cast<InsertState*>(palloc0(sizeof(InsertState)));
  state->index = CopyIndexState(index, MetaUse::kRequired);
  state->include = IncludeDescriptor(index);
  state->coder = state->index->undecided || !TakesRows(*state->index) ? nullptr : VectorCoder::Make(index, *state->index);
  state->row = AllocSetContextCreate(CurrentMemoryContext, "xtree insert", ALLOCSET_SMALL_SIZES);
  MemoryContextSwitchTo(old);
  info->ii_AmCache = state;
  return state;
}

}  // namespace

}  // namespace xtree

extern "C" bool xtreeinsert(Relation index, Datum* values, bool* isnull, ItemPointer tuple, Relation heap, IndexUniqueCheck, bool,
                            IndexInfo* info) {
  using namespace xtree;
  InsertState* state = GetInsertState(index, info);
  if (!TakesRows(*state->index)) {
    // Before it is valid, CREATE INDEX CONCURRENTLY goes over the rows that were there.
    if (index->rd_index->indisvalid) MarkStale(index, state->index);
    return false;
  }
  const MemoryContext old = MemoryContextSwitchTo(state->row);
  if (state->index->undecided) {
    DecideDimensions(index, heap, *state->index, values, isnull);
    MemoryContextSwitchTo(info->ii_Context);
    state->index = CopyIndexState(index, MetaUse::kRequired);
    state->coder = VectorCoder::Make(index, *state->index);
    MemoryContextSwitchTo(state->row);
  }
  Box box;
  FormBox(index, *state->index, state->coder, tuple, values, isnull, &box);
  const Payload payload = FormPayload(index, *state->index, state->coder, state->include, values, isnull);
  const HeldEntry entry{&box, ToTupleId(*tuple), payload.bytes, payload.length};
  const bool held = state->coder == nullptr && HoldEntry(index, *state->index, entry, &state->held);
  if (!held)
    Guarded(index, [&] {
      BufferStore store(index, heap, state->index->layout);
      TreeWriter(store, state->index->layout, state->index->tree_options).Insert(box, ToTupleId(*tuple), payload.bytes, payload.length);
    });
  MemoryContextSwitchTo(old);
  MemoryContextReset(state->row);
  return false;
}
