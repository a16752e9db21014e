// ambeginscan .. amendscan: plain, index-only, ordered and bitmap scans over core/scan/window_scan.h and core/scan/nearest_scan.h.
//
// Snapshots. With an MVCC snapshot no pin outlives a page visit: a TID that is reused meanwhile belongs to a row that the snapshot does
// not see. An index-only scan, which may skip the heap, and any other snapshot keep the leaf pinned until its entries are returned, so
// that VACUUM cannot reuse their TIDs. An ordered scan returns entries of many leaves in turn: such a scan opens the leaf again for each
// row and looks whether the entry is still there. SERIALIZABLE: every visited node is predicate-locked.
#include "deferred/build_state.h"
#include "am/held_entries.h"
#include "am/entry_points.h"
#include "pg/compat_am.h"
#include "pg/guard.h"
#include "am/tree_scan.h"
#include "testing/stop_point.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "pgstat.h"
#include "storage/predicate.h"
#include "utils/snapmgr.h"
}

namespace xtree {

namespace {

TreeScan* StateOf(IndexScanDesc scan) { return static_cast<TreeScan*>(scan->opaque); }

// Must TIDs stay valid until they are returned?
bool MustKeepLeaf(IndexScanDesc scan) { return scan->xs_want_itup || !IsMVCCSnapshot(scan->xs_snapshot); }

// What it keeps from one start to the next is the memory of the core's scan, and the models: its snapshot stays the same, so that it sees no row
// whose model came later (index/vector_models.h).
void PrepareClusters(IndexScanDesc scan, const ClusterSearch& search, TreeScan* state) {
  if (state->cluster_memory == nullptr) {
    state->cluster_memory = static_cast<ClusterOrder*>(MemoryContextAllocZero(state->context, sizeof(ClusterOrder)));
    state->models = &UseModels(scan->indexRelation, state->context).models;
  }
  state->clusters = state->cluster_memory;
  PrepareClusterOrder(search, *state->index, *state->models, state->clusters);
}

// The core orders by the first terms; where there are more of them than it takes, the executor sorts the ties (ReturnDistances).
void PrepareOrder(IndexScanDesc scan, TreeScan* state) {
  state->order_count = std::min(scan->numberOfOrderBys, kMaxOrderKeys);
  state->nearest_order = state->order_count > 0;
  state->clusters = nullptr;
  ClusterSearch search;
  if (FindClusterSearch(scan, *state->index, state->limits.of_clusters, &search)) return PrepareClusters(scan, search, state);
  if (!state->nearest_order) return;
  state->order = static_cast<OrderKey*>(palloc(sizeof(OrderKey) * state->order_count));
  for (int i = 0; i < state->order_count; i++) OrderFromKey(scan->indexRelation, *state->index, &scan->orderByData[i], &state->order[i]);
}

// Kill bits of the leaf whose entries were returned last.
void ApplyKilled(TreeScan* state) {
  if (state->killed_count > 0) state->buffers().Kill(state->batch.block, state->batch.lsn, state->killed, state->killed_count);
  state->killed_count = 0;
}

// The executor's verdict on the row that was returned before this call.
void NotePriorTuple(IndexScanDesc scan, TreeScan* state) {
  if (!scan->kill_prior_tuple) return;
  if (!state->nearest_order && state->next > 0)
    state->killed[state->killed_count++] = state->batch.slots[state->next - 1];
  else if (state->nearest_order && state->clusters == nullptr && state->row_returned)
    state->buffers().Kill(state->row.block, state->row.lsn, &state->row.slot, 1);
}

void CountScan(IndexScanDesc scan) {
  pgstat_count_index_scan(scan->indexRelation);
  pg::CountSearch(scan);
  StateOf(scan)->reader.counts().scans++;
}

// nullptr: the scan is not parallel. Else it is one scan, whoever takes part in it, and counted by the first.
ScanTeam* TeamOf(IndexScanDesc scan, TreeScan* state) {
  if (scan->parallel_scan == nullptr) return nullptr;
  state->team.Attach(scan, [](void* begun) { CountScan(static_cast<IndexScanDesc>(begun)); });
  return &state->team;
}

void StartNearest(IndexScanDesc scan, TreeScan* state) {
  DistanceKey keys[kMaxOrderKeys];
  for (int i = 0; i < state->order_count; i++) keys[i] = state->order[i].key;
  state->nearest.Begin(state->index->layout, state->constraint, keys, state->order_count,
                       {.ignore_killed = scan->ignore_killed_tuples, .team = TeamOf(scan, state)});
  state->row_returned = false;
}

// One process of a parallel scan does it all.
void StartClusters(IndexScanDesc scan, TreeScan* state) {
  ClusterOrder* order = state->clusters;
  ScanTeam* team = TeamOf(scan, state);
  order->nowhere = team != nullptr && !team->Begin();
  if (team != nullptr && !order->nowhere) team->EndVisit();
  order->options.ignore_killed = scan->ignore_killed_tuples;
  state->buffers().KeepPins(0);
  order->scan.Begin(state->index->layout, state->constraint, state->index->vectors.column, *state->models,
                    order->null_query ? nullptr : order->query, order->options);
}

// A mapped page is not pinned and not locked. So nothing that counts on a pin may read one, nor SERIALIZABLE, whose predicate locks must
// be there before a writer looks for them under the page's lock.
bool MayMap(IndexScanDesc scan) {
  return (!MustKeepLeaf(scan) || RuleBroken("pins")) && (!IsolationIsSerializable() || RuleBroken("serializable"));
}

// What the scan has conditions on, or an order by.
uint64_t AskedOf(IndexScanDesc scan) {
  uint64_t asked = scan->xs_want_itup ? kAskedForValues : 0;
  for (int i = 0; i < scan->numberOfKeys; i++) asked |= AskedColumn(scan->keyData[i].sk_attno - 1);
  for (int i = 0; i < scan->numberOfOrderBys; i++) asked |= AskedColumn(scan->orderByData[i].sk_attno - 1);
  return asked;
}

void Use(IndexScanDesc scan, TreeScan* state) {
  StartUse(scan->indexRelation, state->index->load_options, MayMap(scan), &state->use, &state->reader);
  state->reader.counts().asked |= AskedOf(scan);
}

// An index whose first row has not come when the scan begins holds none that its snapshot sees. Whoever inserts it puts it into the root.
void StartOnNothing(IndexScanDesc scan, TreeScan* state) {
  PredicateLockPage(scan->indexRelation, kRootBlock, scan->xs_snapshot);
  CountScan(scan);
  state->started = true;
}

// The executor reads each row from the heap as it comes (`fetches_rows`), so heap pages are visited in their order. CLUSTER, the only one to
// ask for all that there is, whoever sees it, lays rows out as they come.
WindowOrder OrderFor(IndexScanDesc scan, bool fetches_rows) {
  if (scan->xs_snapshot->snapshot_type == SNAPSHOT_ANY && scan->numberOfKeys == 0) return WindowOrder::kSpatial;
  return fetches_rows && !scan->xs_want_itup ? WindowOrder::kHeap : WindowOrder::kStored;
}

// `fetches_rows`: see OrderFor.
void Start(IndexScanDesc scan, TreeScan* state, bool fetches_rows) {
  RequireUsable(scan->indexRelation, *state->index, scan->xs_snapshot);
  if (state->index->undecided) return StartOnNothing(scan, state);
  Use(scan, state);
  state->buffers().SetPredicateSnapshot(scan->xs_snapshot);
  NarrowAlternatives(state->reader, state->index->layout, IsMVCCSnapshot(scan->xs_snapshot), &state->constraint);
  SettleLimits(state->reader, state->index->layout, IsMVCCSnapshot(scan->xs_snapshot), &state->limits, &state->constraint);
  state->started = true;
  if (scan->parallel_scan == nullptr) CountScan(scan);
  const bool keep = MustKeepLeaf(scan);
  if (state->clusters != nullptr) return StartClusters(scan, state);
  if (state->nearest_order) {
    SettleSlack(state->reader, state->index->layout, IsMVCCSnapshot(scan->xs_snapshot), state->order, state->order_count);
    state->buffers().KeepPins(keep ? BufferReader::kMaxPins : 0);
    StartNearest(scan, state);
    return;
  }
  state->buffers().KeepPins(keep ? 1 : 0);
  state->window.Begin(state->index->layout, state->constraint,
                      {.keep_pages = scan->xs_want_itup,
                       .ignore_killed = scan->ignore_killed_tuples,
                       .order = OrderFor(scan, fetches_rows),
                       .team = TeamOf(scan, state)});
  state->next = state->batch.count = state->killed_count = 0;
}

// An entry that names no row of any page is damage. (A bitmap would say so in other words, and the heap would find nothing.)
void RequireRows(IndexScanDesc scan, const LeafBatch& batch) {
  const auto names_none = [](const TupleId& tuple) { return tuple.offset == 0 || tuple.offset > MaxHeapTuplesPerPage; };
  if (std::any_of(batch.tuples, batch.tuples + batch.count, names_none))
    ReportCorruptPage(scan->indexRelation, batch.block, "an entry names no row of the table");
}

// What an index-only scan returns.
void ReturnTuple(IndexScanDesc scan, TreeScan* state, const uint8_t* page, int entry) {
  if (state->returned == nullptr) {
    const MemoryContext old = MemoryContextSwitchTo(state->context);
    state->returned = new (palloc(sizeof(IndexTupleForm))) IndexTupleForm(scan->indexRelation, state->index, state->row_context);
    MemoryContextSwitchTo(old);
  }
  scan->xs_itup = state->returned->Form(NodeView(state->index->layout, page), entry);
  scan->xs_itupdesc = RelationGetDescr(scan->indexRelation);
}

bool NextInWindow(IndexScanDesc scan, TreeScan* state) {
  if (state->next >= state->batch.count) {
    ApplyKilled(state);
    if (!state->window.Step(state->reader, &state->batch)) {
      state->reader.Reset();
      state->batch.count = state->next = 0;
      return false;
    }
    RequireRows(scan, state->batch);
    state->reader.counts().tuples += state->batch.count;
    state->next = 0;
    MemoryContextReset(state->row_context);
  }
  const int i = state->next++;
  scan->xs_heaptid = ToItemPointer(state->batch.tuples[i]);
  scan->xs_recheck = state->batch.MustRecheck(i);
  if (scan->xs_want_itup) ReturnTuple(scan, state, state->batch.page, state->batch.slots[i]);
  return true;
}

// Is the entry of a leaf whose pin was given back still in the index? Its leaf stays pinned.
bool FindAgain(TreeScan* state, NearestRow* row) {
  const KeyLayout& layout = state->index->layout;
  Box box, other;
  NodeView(layout, row->page).GetBox(row->slot, &box);
  for (BlockNumber block = row->block; block != kInvalidBlock;) {
    const NodeView leaf = state->reader.Open(0, block, 0);
    const bool unchanged = block == row->block && state->reader.PageLsn(0) == row->lsn;
    bool found = unchanged;
    for (int i = 0; i < leaf.entries() && !found; i++) {
      if (leaf.Tuple(i) != row->tuple) continue;
      leaf.GetBox(i, &other);
      found = Equal(layout, box, other);
    }
    const BlockNumber right = leaf.opaque().nsn >= row->lsn ? leaf.opaque().link : kInvalidBlock;
    state->reader.Close(0);
    if (found) return true;
    block = right;
  }
  return false;
}

// The executor looks at it only where it rechecks.
Datum DistanceDatum(const XtreeOrder& order, double distance) {
  return order.result != nullptr ? order.result(distance) : Float8GetDatum(distance);
}

// The next row of the tree. What distances and bounds palloc goes with the row after it.
bool FindNearest(TreeScan* state) {
  MemoryContextReset(state->row_context);
  const MemoryContext old = MemoryContextSwitchTo(state->row_context);
  const bool found = state->nearest.Next(state->reader, &state->row);
  MemoryContextSwitchTo(old);
  return found;
}

void ReturnDistances(IndexScanDesc scan, TreeScan* state) {
  scan->xs_recheckorderby = false;
  const MemoryContext old = MemoryContextSwitchTo(state->row_context);
  for (int i = 0; i < state->order_count; i++) {
    const OrderKey& order = state->order[i];
    scan->xs_orderbynulls[i] = state->row.null[i] || order.null_argument;
    // NaN is the value itself, or stands for an ERROR that is raised if the row gets so far (xtree.h).
    scan->xs_recheckorderby |= order.order.recheck && !scan->xs_orderbynulls[i] && !std::isnan(state->row.distance[i]);
    scan->xs_orderbyvals[i] = scan->xs_orderbynulls[i] ? 0 : DistanceDatum(order.order, state->row.distance[i]);
  }
  MemoryContextSwitchTo(old);
  for (int i = state->order_count; i < scan->numberOfOrderBys; i++) {
    scan->xs_recheckorderby = true;
    scan->xs_orderbynulls[i] = false;
    scan->xs_orderbyvals[i] = Float8GetDatum(-std::numeric_limits<double>::infinity());
  }
  state->distance_rechecks += scan->xs_recheckorderby;
}

bool NextNearest(IndexScanDesc scan, TreeScan* state) {
  const bool keep = MustKeepLeaf(scan);
  do {
    state->row_returned = false;
    if (!FindNearest(state)) return false;
    state->row_returned = true;
  } while (keep && !state->buffers().Pinned(state->row.block, state->row.lsn) && !FindAgain(state, &state->row));
  state->reader.counts().tuples++;
  scan->xs_heaptid = ToItemPointer(state->row.tuple);
  scan->xs_recheck = state->row.recheck;
  ReturnDistances(scan, state);
  if (scan->xs_want_itup) ReturnTuple(scan, state, state->row.page, state->row.slot);
  return true;
}

bool NextInClusters(IndexScanDesc scan, TreeScan* state) {
  ClusterOrder* order = state->clusters;
  if (order->nowhere || !order->scan.Next(state->reader, &order->row)) {
    state->reader.Reset();
    return false;
  }
  state->reader.counts().tuples++;
  scan->xs_heaptid = ToItemPointer(order->row.tuple);
  scan->xs_recheck = order->row.recheck;
  MemoryContextReset(state->row_context);
  const MemoryContext old = MemoryContextSwitchTo(state->row_context);
  ReturnClusterRow(scan, *order);
  MemoryContextSwitchTo(old);
  state->distance_rechecks += scan->xs_recheckorderby;
  return true;
}

// In runs of those that are to be rechecked and of those that are not.
void AddToBitmap(LeafBatch& batch, TIDBitmap* bitmap) {
  for (int from = 0, to; from < batch.count; from = to) {
    const bool recheck = batch.MustRecheck(from);
    to = batch.recheck_some ? from + 1 : batch.count;
    while (to < batch.count && batch.MustRecheck(to) == recheck) to++;
    tbm_add_tuples(bitmap, reinterpret_cast<ItemPointer>(batch.tuples + from), to - from, recheck);
  }
}

int64 ClustersToBitmap(TreeScan* state, TIDBitmap* bitmap) {
  ClusterOrder* order = state->clusters;
  int64 count = 0;
  for (; order->scan.Next(state->reader, &order->row); count++) {
    ItemPointerData tuple = ToItemPointer(order->row.tuple);
    tbm_add_tuples(bitmap, &tuple, 1, order->row.recheck);
  }
  state->reader.Reset();
  state->reader.counts().tuples += count;
  return count;
}

// Runs when the scan's memory goes, at its end or at an abort.
void EndScanUse(void* argument) {
  auto* state = static_cast<TreeScan*>(argument);
  state->buffers().GiveFramesBack();
  FinishUse(&state->use, &state->reader);
}

}  // namespace

}  // namespace xtree

extern "C" IndexScanDesc xtreebeginscan(Relation index, int keys, int orderbys) {
  using namespace xtree;
  const IndexScanDesc scan = RelationGetIndexScan(index, keys, orderbys);
  const MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "xtree scan", ALLOCSET_DEFAULT_SIZES);
  const MemoryContext old = MemoryContextSwitchTo(context);
  IndexState* index_state = CopyIndexState(index, MetaUse::kRequired);
  RequireBuilt(index, index_state);
  void* memory = palloc(sizeof(TreeScan));
  auto* state = new (memory) TreeScan(index, index_state, context);
  state->end_use = {EndScanUse, state, nullptr};
  MemoryContextRegisterResetCallback(context, &state->end_use);
  state->key_context = AllocSetContextCreate(context, "xtree scan keys", ALLOCSET_SMALL_SIZES);
  state->row_context = AllocSetContextCreate(context, "xtree scan row", ALLOCSET_SMALL_SIZES);
  if (orderbys > 0) {
    scan->xs_orderbyvals = static_cast<Datum*>(palloc0(sizeof(Datum) * orderbys));
    scan->xs_orderbynulls = static_cast<bool*>(palloc0(sizeof(bool) * orderbys));
  }
  MemoryContextSwitchTo(old);
  scan->opaque = state;
  return scan;
}

extern "C" void xtreerescan(IndexScanDesc scan, ScanKey keys, int key_count, ScanKey orderbys, int orderby_count) {
  using namespace xtree;
  BeforeLook(scan->indexRelation);
  TreeScan* state = StateOf(scan);
  ApplyKilled(state);
  state->reader.Reset();
  state->started = false;
  if (keys != nullptr && key_count > 0) memmove(scan->keyData, keys, key_count * sizeof(ScanKeyData));
  if (orderbys != nullptr && orderby_count > 0) memmove(scan->orderByData, orderbys, orderby_count * sizeof(ScanKeyData));
  if (state->index->undecided) return;
  MemoryContextReset(state->key_context);
  const MemoryContext old = MemoryContextSwitchTo(state->key_context);
  ConstraintFromKeys(scan->indexRelation, *state->index, scan->keyData, scan->numberOfKeys, &state->constraint);
  LimitsFromKeys(scan->indexRelation, *state->index, scan->keyData, scan->numberOfKeys, &state->constraint, &state->limits);
  PrepareOrder(scan, state);
  MemoryContextSwitchTo(old);
}

extern "C" bool xtreegettuple(IndexScanDesc scan, ScanDirection direction) {
  using namespace xtree;
  if (direction != ForwardScanDirection) elog(ERROR, "xtree supports only forward scans");
  TreeScan* state = StateOf(scan);
  if (!state->started)
    Start(scan, state, true);
  else
    NotePriorTuple(scan, state);
  if (state->index->undecided) return false;
  if (state->clusters != nullptr) return NextInClusters(scan, state);
  return state->nearest_order ? NextNearest(scan, state) : NextInWindow(scan, state);
}

extern "C" int64 xtreegetbitmap(IndexScanDesc scan, TIDBitmap* bitmap) {
  using namespace xtree;
  TreeScan* state = StateOf(scan);
  Start(scan, state, false);
  int64 count = 0;
  if (state->index->undecided) return count;
  if (state->clusters != nullptr) return ClustersToBitmap(state, bitmap);
  state->reader.AllowStreams();
  while (state->window.Step(state->reader, &state->batch)) {
    RequireRows(scan, state->batch);
    AddToBitmap(state->batch, bitmap);
    count += state->batch.count;
  }
  state->reader.Reset();
  state->reader.counts().tuples += count;
  return count;
}

extern "C" void xtreeendscan(IndexScanDesc scan) {
  using namespace xtree;
  TreeScan* state = StateOf(scan);
  ApplyKilled(state);
  state->reader.Reset();
  MemoryContextDelete(state->context);
}
