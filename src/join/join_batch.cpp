// See join_batch.h.
#include "join/join_batch.h"

#include <boost/sort/pdqsort/pdqsort.hpp>

#include "testing/stop_point.h"

extern "C" {
#include "miscadmin.h"
}

namespace xtree {

namespace {

constexpr size_t kMostPairs = 1 << 16;

// The row of an entry whose key is all that has to be known of it, made once for all pairs that it is in. nullptr: its conditions do not hold.
KeptRow MakeRow(TreeJoinState* state, JoinSide side, uint32_t entry, TupleId tuple) {
  OpenJoin* open = state->open;
  const int number = static_cast<int>(side);
  Scratch<MadeRow>& made = open->made[number];
  while (made.size() <= entry) made.Append(open->side[0]->reader(), {nullptr, false});
  if (!made[entry].made) {
    Box key;
    open->join.GetKey(side, entry, &key);
    made[entry] = {open->side[number]->Make(key, tuple, state->custom.ss.ps.state->es_snapshot, &state->custom.ss, open->batch), true};
  }
  return made[entry].row;
}

// Adds a pair to the batch, with those rows that need not be fetched.
void AddPair(TreeJoinState* state, const JoinedRows& pair) {
  OpenJoin* open = state->open;
  KeptRow row[2] = {nullptr, nullptr};
  for (const JoinSide side : {JoinSide::kLeft, JoinSide::kRight}) {
    const int number = static_cast<int>(side);
    const uint32_t entry = number == 0 ? pair.left_entry : pair.right_entry;
    if (!open->join.Known(side, entry)) continue;
    row[number] = MakeRow(state, side, entry, number == 0 ? pair.left : pair.right);
    if (row[number] == nullptr) return;
  }
  PageReader& memory = open->side[0]->reader();
  open->pairs.Append(memory, pair);
  for (int i = 0; i < 2; i++) open->rows[i].Append(memory, row[i]);
}

void ForgetMade(OpenJoin* open) {
  for (Scratch<MadeRow>& made : open->made) made.Clear();
}

// Takes pairs from the walk. False: there are none.
bool TakePairs(TreeJoinState* state) {
  OpenJoin* open = state->open;
  open->pairs.Clear();
  for (Scratch<KeptRow>& rows : open->rows) rows.Clear();
  ForgetMade(open);
  while (open->pairs.size() < open->wanted) {
    if (open->taken == open->join.count()) {
      open->taken = 0;
      ForgetMade(open);
      if (!open->join.Step(open->side[0]->reader(), open->side[1]->reader())) break;
    }
    AddPair(state, open->join.rows()[open->taken++]);
  }
  return !open->pairs.empty();
}

// Fetches each row that is not there yet, once, in the order of the heap: of all pairs, or (number 1) of those whose left row is there. Returns
// how many pairs have it.
size_t FetchRows(TreeJoinState* state, int number) {
  OpenJoin* open = state->open;
  ScanState* scan = &state->custom.ss;
  const Snapshot snapshot = scan->ps.state->es_snapshot;
  PageReader& memory = open->side[0]->reader();
  const size_t count = open->pairs.size();
  open->order.Clear();
  open->order.Reserve(memory, count);
  static_assert(kMostPairs <= size_t{1} << 16, "a pair's number is in the lower 16 bits");
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    if (number == 1 && open->rows[0][i] == nullptr) continue;
    if (open->rows[number][i] != nullptr) {
      found++;
      continue;
    }
    const TupleId tuple = number == 0 ? open->pairs[i].left : open->pairs[i].right;
    open->order.AppendReserved(tuple.Packed() << 16 | i);
  }
  boost::sort::pdqsort_branchless(open->order.data(), open->order.data() + open->order.size());
  uint64_t last = 0;  // no address
  KeptRow row = nullptr;
  for (size_t i = 0; i < open->order.size(); i++) {
    const uint64_t address = open->order[i] >> 16;
    if (address != last) row = open->side[number]->Fetch(TupleId::FromPacked(address), snapshot, scan, open->batch);
    last = address;
    open->rows[number][open->order[i] & 0xFFFF] = row;
    found += row != nullptr;
  }
  return found;
}

// Batches grow as long as there is memory for their rows.
void ChooseSize(OpenJoin* open) {
  const size_t memory = MemoryContextMemAllocated(open->batch, false), most = work_mem * size_t{1024};
  if (memory < most / 2)
    open->wanted = std::min(open->wanted * 2, kMostPairs);
  else if (memory > most)
    open->wanted = std::max(open->wanted / 2, kFirstBatch);
}

}  // namespace

bool NextBatch(TreeJoinState* state) {
  OpenJoin* open = state->open;
  open->next = 0;
  for (;;) {
    MemoryContextReset(open->batch);
    XTREE_SCAN_STOP_POINT("join-batch");
    if (open->ended || !TakePairs(state)) {
      open->ended = true;
      open->pairs.Clear();
      return false;
    }
    const bool some = FetchRows(state, 0) > 0 && FetchRows(state, 1) > 0;
    for (JoinInputSide* side : open->side) side->LetGo();
    ChooseSize(open);
    if (some) return true;
  }
}

}  // namespace xtree
