// SQL function xtree_check(index regclass, heapallindexed boolean): core/tree_check.h says what is checked.
//
// Takes ShareLock on table and index (reads go on, writes wait), so that pages which nothing leads to can be told from pages in the
// making; on a standby, which knows no such lock, AccessShareLock, and that part is left out. There replay may decide the dimensions of an
// index meanwhile, and with them its root's layout; so where they are undecided the tree is not walked, and a snapshot that was taken before
// that was looked at must see no row.
#include "am/held_entries.h"
#include "check/heap_check.h"
#include "index/index_access.h"
#include "index/vector_coder.h"
#include "core/cluster/cluster_scan.h"
#include "core/tree_check.h"
#include "pg/guard.h"
#include "storage/buffer_store.h"
#include "testing/stop_point.h"

extern "C" {
#include "access/xlog.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(xtree_check);
}

namespace xtree {

namespace {

// nullptr: nothing. `models`: of an index of clusters. While a standby replays, a model may come that is not among them.
const char* ProblemOfVector(const IndexState& state, const ClusterModels* models, bool quiescent, const NodeView& page, int entry) {
  if (models == nullptr || (page.Marks(entry) & ColumnMarks(state.vectors.column, kMarkNull)) != 0) return nullptr;
  uint16_t length;
  if (page.Payload(entry, &length) == nullptr || length < VectorCodeBytes(state.vectors.dimensions))
    return "an entry has no code of its vector";
  const Ordinal cluster = page.Lo(entry, state.layout.first_dimension[state.vectors.column] + kClusterDimension);
  return quiescent && models->GenerationOf(cluster) < 0 ? "an entry is in a cluster of no model" : nullptr;
}

void Check(const OpenIndex& open, const IndexState& state, HeapCheck* heap_check, bool quiescent) {
  if (state.undecided && !quiescent) return;
  const BlockNumber pages = RelationGetNumberOfBlocks(open.index);
  const ClusterModels* models = nullptr;
  if (state.vectors.dimensions != 0) {
    CheckModels(open.index);
    models = &UseModels(open.index, CurrentMemoryContext).models;
  }
  Guarded(open.index, [&] {
    BufferStore store(open.index, open.heap, state.layout, GetAccessStrategy(BAS_BULKREAD));
    TreeCheck check(store, state.layout, [&](BlockNumber block, const NodeView& page, int entry) {
      if (const char* problem = ProblemOfVector(state, models, quiescent, page, entry)) throw CorruptPage(block, problem);
      if (heap_check != nullptr) PgCall([&] { heap_check->AddEntry(page, entry); });
    });
    check.Walk();
    if (quiescent) check.CheckUnreached(pages);
  });
}

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_check(PG_FUNCTION_ARGS) {
  using namespace xtree;
  const LOCKMODE lock = RecoveryInProgress() ? AccessShareLock : ShareLock;
  const OpenIndex open = OpenXtreeIndex(PG_GETARG_OID(0), lock);
  BeforeLook(open.index);
  const OwnerContext owner = SwitchToOwner(open.heap);  // index expressions are the table owner's code
  const Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  const IndexState* state = CopyIndexState(open.index, MetaUse::kRequired);
  XTREE_SCAN_STOP_POINT("check-begin");
  if (state->build_state != MetaBuildState::kBuilt) {
    ereport(NOTICE, (errmsg("index \"%s\" is not built yet: there is nothing to check", RelationGetRelationName(open.index))));
  } else if (PG_GETARG_BOOL(1)) {
    HeapCheck heap_check(open, *state, snapshot, lock == ShareLock);
    Check(open, *state, &heap_check, lock == ShareLock);
    heap_check.CompareWithHeap();
  } else {
    Check(open, *state, nullptr, lock == ShareLock);
  }
  UnregisterSnapshot(snapshot);
  SwitchBack(owner);
  CloseIndex(open, lock);
  PG_RETURN_VOID();
}
