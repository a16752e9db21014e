// See join_batch.h.
#include "join/join_batch.h"

#include <boost/sort/pdqsort/pdqsort.hpp>
#include <utility>

#include "join/join_pair.h"
#include "join/left_rows.h"
#include "testing/stop_point.h"

extern "C" {
#include "miscadmin.h"
}

namespace xtree {

namespace {

constexpr size_t kMostPairs = 1 << 16;
// By left leaves, of which the last may have so many rows that none of its pairs are in the batch.
constexpr size_t kMostByLeaf = kMostPairs / 2;
constexpr size_t kEnoughOfLeaf = 16;
constexpr size_t kEnoughOfRow = 8;
static_assert(kMostByLeaf + kMaxEntriesPerPage <= kMostPairs);

// The row of an entry whose key is all that has to be known of it, made once for all pairs that it is in. nullptr: its conditions do not hold.
KeptRow MakeRow(TreeJoinState* state, JoinSide side, uint32_t entry, TupleId tuple) {
  OpenJoin* open = state->open;
  const int number = static_cast<int>(side);
  Scratch<MadeRow>& made = open->made[number];
  while (made.size() <= entry) made.Append(open->side[0]->reader(), {nullptr, false});
  if (!made[entry].made) {
    made[entry] = {MakeFromEntry(state, side, entry, tuple), true};
  }
  return made[entry].row;
}

// Adds a pair to the batch, with those rows that need not be fetched.
void AddPair(TreeJoinState* state, JoinedRows pair) {
  OpenJoin* open = state->open;
  KeptRow row[2] = {nullptr, nullptr};
  if (state->by_leaf()) {
    LeftRow* left = LeftRowOfPair(state, pair.left_entry);
    if (left == nullptr) return;
    pair.left_entry = static_cast<uint32_t>(left - open->left_rows.data());
  } else if (open->join.Known(JoinSide::kLeft, pair.left_entry)) {
    row[0] = MakeRow(state, JoinSide::kLeft, pair.left_entry, pair.left);
    if (row[0] == nullptr) return;
  }
  if (open->join.Known(JoinSide::kRight, pair.right_entry)) {
    row[1] = MakeRow(state, JoinSide::kRight, pair.right_entry, pair.right);
    if (row[1] == nullptr) return;
  }
  PageReader& memory = open->side[0]->reader();
  open->pairs.Append(memory, pair);
  for (int i = 0; i < 2; i++) open->rows[i].Append(memory, row[i]);
}

void ForgetMade(OpenJoin* open) {
  for (Scratch<MadeRow>& made : open->made) made.Clear();
}

// Where one partner is all that matters: are there so many pairs of the left leaf at hand, from `first` on, that they are tested before more of
// the right tree is read for its rows?
bool IsEnoughOfLeaf(const TreeJoinState* state, size_t first) {
  const OpenJoin* open = state->open;
  return state->one_partner() && !open->join.leaf_ends() &&
         open->pairs.size() - first >= kEnoughOfLeaf + kEnoughOfRow * open->join.leaf_size();
}

// Takes pairs from the walk. False: there are none, and no left rows of which all pairs were found.
bool TakePairs(TreeJoinState* state) {
  OpenJoin* open = state->open;
  size_t first_of_leaf = 0;
  open->pairs.Clear();
  for (Scratch<KeptRow>& rows : open->rows) rows.Clear();
  ForgetMade(open);
  if (state->by_leaf()) CarryLeaf(state);
  while (open->pairs.size() + open->left_done < open->wanted) {
    if (open->taken < open->join.count()) {
      AddPair(state, open->join.rows()[open->taken++]);
      continue;
    }
    if (state->by_leaf() && open->join.leaf_ends()) EndLeaf(open);
    if (IsEnoughOfLeaf(state, first_of_leaf)) break;
    open->taken = 0;
    ForgetMade(open);
    if (!open->join.Step(open->side[0]->reader(), open->side[1]->reader())) break;
    if (!open->join.leaf_begins() || !state->by_leaf()) continue;
    BeginLeaf(state);
    first_of_leaf = open->pairs.size();
  }
  return !open->pairs.empty() || open->left_done > 0;
}

// A row to be fetched, and the number of what it is for.
void AppendToOrder(OpenJoin* open, TupleId tuple, size_t number) {
  static_assert(kMostPairs <= size_t{1} << 16, "a number is in the lower 16 bits");
  open->order.Append(open->side[0]->reader(), tuple.Packed() << 16 | number);
}

// Fetches each row of the order once, in the order of the heap, and calls take(number, row).
template <class Take>
void FetchInOrder(TreeJoinState* state, int side, Take&& take) {
  OpenJoin* open = state->open;
  ScanState* scan = &state->custom.ss;
  const Snapshot snapshot = scan->ps.state->es_snapshot;
  boost::sort::pdqsort_branchless(open->order.data(), open->order.data() + open->order.size());
  uint64_t last = 0;  // no address
  KeptRow row = nullptr;
  for (size_t i = 0; i < open->order.size(); i++) {
    const uint64_t address = open->order[i] >> 16;
    if (address != last) {
      row = open->side[side]->Fetch(TupleId::FromPacked(address), snapshot, scan, open->batch);
      open->side[side]->Prefetch(open->order.data() + i + 1, open->order.data() + open->order.size());
    }
    last = address;
    take(open->order[i] & 0xFFFF, row);
  }
}

// Fetches rows that are not there yet, of all pairs, or (side 1) of those whose left row is there. Returns how many pairs have it.
size_t FetchRows(TreeJoinState* state, int side) {
  OpenJoin* open = state->open;
  const size_t count = open->pairs.size();
  size_t found = 0;
  open->order.Clear();
  open->order.Reserve(open->side[0]->reader(), count);
  for (size_t i = 0; i < count; i++) {
    if (side == 1 && open->rows[0][i] == nullptr) continue;
    if (open->rows[side][i] != nullptr)
      found++;
    else
      AppendToOrder(open, side == 0 ? open->pairs[i].left : open->pairs[i].right, i);
  }
  FetchInOrder(state, side, [&](size_t i, KeptRow row) {
    open->rows[side][i] = row;
    found += row != nullptr;
  });
  return found;
}

// The left rows, of a join by leaves: those that are wanted, and from there those of the pairs.
void FetchLeftRows(TreeJoinState* state) {
  OpenJoin* open = state->open;
  open->order.Clear();
  for (size_t i = 0; i < open->left_rows.size(); i++)
    if (open->left_rows[i].state == LeftRow::kWanted) AppendToOrder(open, open->left_rows[i].tuple, i);
  FetchInOrder(state, 0, [&](size_t i, KeptRow row) {
    open->left_rows[i].row = row;
    open->left_rows[i].state = row != nullptr ? LeftRow::kThere : LeftRow::kGone;
  });
  for (size_t i = 0; i < open->pairs.size(); i++) open->rows[0][i] = open->left_rows[open->pairs[i].left_entry].row;
}

// Which left rows have a partner. Of each a pair is looked at, and if that is none, the next four, and so on: mostly pairs are what they seem.
void FindPartners(TreeJoinState* state) {
  OpenJoin* open = state->open;
  PageReader& memory = open->side[0]->reader();
  for (uint32_t most = 1;; most = std::min<uint32_t>(most * 4, kMostPairs)) {
    open->order.Clear();
    open->tried.Clear();
    for (size_t i = 0; i < open->left_rows.size(); i++) open->left_rows[i].tried = 0;
    for (size_t i = 0; i < open->pairs.size(); i++) {
      if (open->rows[0][i] == nullptr) continue;  // gone, or looked at
      LeftRow& left = open->left_rows[open->pairs[i].left_entry];
      if (left.matched || left.tried == most) continue;
      left.tried++;
      open->tried.Append(memory, static_cast<uint32_t>(i));
      if (open->rows[1][i] == nullptr) AppendToOrder(open, open->pairs[i].right, i);
    }
    if (open->tried.empty()) return;
    FetchInOrder(state, 1, [&](size_t i, KeptRow row) { open->rows[1][i] = row; });
    for (size_t t = 0; t < open->tried.size(); t++) {
      const uint32_t i = open->tried[t];
      LeftRow& left = open->left_rows[open->pairs[i].left_entry];
      const KeptRow row = std::exchange(open->rows[0][i], nullptr), right = open->rows[1][i];
      if (left.matched || right == nullptr || !JoinClausesHold(state, row, right, open->pairs[i].certain)) continue;
      left.matched = true;
      left.partner = i;
    }
    CHECK_FOR_INTERRUPTS();
  }
}

// False: nothing of the batch is returned.
bool FetchBatch(TreeJoinState* state) {
  if (!state->by_leaf()) return FetchRows(state, 0) > 0 && FetchRows(state, 1) > 0;
  FetchLeftRows(state);
  if (state->one_partner()) {
    FindPartners(state);
    state->open->next = state->open->pairs.size();
  } else {
    FetchRows(state, 1);
  }
  return true;
}

// Batches grow as long as there is memory for their rows.
void ChooseSize(OpenJoin* open, size_t most_pairs) {
  const size_t memory = MemoryContextMemAllocated(open->batch, false), most = work_mem * size_t{1024};
  if (memory < most / 2)
    open->wanted = std::min(open->wanted * 2, most_pairs);
  else if (memory > most)
    open->wanted = std::max(open->wanted / 2, kFirstBatch);
}

}  // namespace

bool NextBatch(TreeJoinState* state) {
  OpenJoin* open = state->open;
  open->next = open->next_left = 0;
  for (;;) {
    MemoryContextReset(open->batch);
    XTREE_SCAN_STOP_POINT("join-batch");
    if (open->ended || !TakePairs(state)) {
      open->ended = true;
      open->pairs.Clear();
      open->left_rows.Clear();
      open->left_done = 0;
      return false;
    }
    const bool some = FetchBatch(state);
    for (JoinInputSide* side : open->side) side->LetGo();
    ChooseSize(open, state->by_leaf() ? kMostByLeaf : kMostPairs);
    if (some) return true;
  }
}

}  // namespace xtree
