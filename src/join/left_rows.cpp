// See left_rows.h.
#include "join/left_rows.h"

namespace xtree {

namespace {

// The row is needed. From its key, if that is all that has to be known of it.
void Want(TreeJoinState* state, uint32_t entry, LeftRow* left) {
  OpenJoin* open = state->open;
  if (left->state != LeftRow::kNotAsked) return;
  if (!open->join.Known(JoinSide::kLeft, entry)) {
    left->state = LeftRow::kWanted;
    return;
  }
  ScanState* scan = &state->custom.ss;
  left->row = open->side[0]->Make(open->join, JoinSide::kLeft, entry, left->tuple, scan->ps.state->es_snapshot, scan, open->batch);
  left->state = left->row != nullptr ? LeftRow::kThere : LeftRow::kGone;
}

}  // namespace

void BeginLeaf(TreeJoinState* state) {
  OpenJoin* open = state->open;
  const size_t count = open->join.leaf_size();
  open->left_rows.Reserve(open->side[0]->reader(), open->left_done + count);
  for (size_t i = 0; i < count; i++) {
    LeftRow left = {open->join.leaf_tuple(i), nullptr, kNoPair, 0, LeftRow::kNotAsked, false};
    if (state->all_left()) Want(state, static_cast<uint32_t>(i), &left);
    open->left_rows.AppendReserved(left);
  }
}

void EndLeaf(OpenJoin* open) { open->left_done = open->left_rows.size(); }

void CarryLeaf(TreeJoinState* state) {
  OpenJoin* open = state->open;
  Scratch<LeftRow>& rows = open->left_rows;
  const size_t count = rows.size() - open->left_done;
  PageReader& memory = open->side[0]->reader();
  open->settled.Clear();
  open->settled.Reserve(memory, count);
  for (size_t i = 0; i < count; i++) {
    LeftRow left = rows[open->left_done + i];
    left.row = nullptr;
    left.partner = kNoPair;
    if (left.state != LeftRow::kGone) left.state = LeftRow::kNotAsked;
    if (state->all_left() && !left.matched) Want(state, static_cast<uint32_t>(i), &left);
    open->settled.AppendReserved(left.state == LeftRow::kGone || (left.matched && state->one_partner()));
    rows[i] = left;
  }
  rows.Truncate(count);
  open->left_done = 0;
  if (count > 0) open->join.Settle(open->settled.data());
}

LeftRow* LeftRowOfPair(TreeJoinState* state, uint32_t entry) {
  LeftRow* left = &state->open->left_rows[state->open->left_done + entry];
  if (left->matched && state->one_partner()) return nullptr;
  Want(state, entry, left);
  return left->state != LeftRow::kGone ? left : nullptr;
}

bool NextLeftRow(TreeJoinState* state, KeptRow* left, KeptRow* right) {
  OpenJoin* open = state->open;
  const bool with_partner = !state->all_left();
  const size_t end = with_partner ? open->left_rows.size() : open->left_done;
  while (open->next_left < end) {
    const LeftRow& row = open->left_rows[open->next_left++];
    if (row.row == nullptr || (with_partner ? row.partner == kNoPair : row.matched)) continue;
    *left = row.row;
    *right = with_partner ? open->rows[1][row.partner] : nullptr;
    return true;
  }
  return false;
}

}  // namespace xtree
