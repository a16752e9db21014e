// What a tree join keeps while it is executed. Plain data: PostgreSQL may longjmp at any call.
#pragma once

#include "join/join_parallel.h"
#include "join/join_plan.h"
#include "join/join_side.h"

namespace xtree {

// A left row of a join that goes by left leaves (left_rows.h).
struct LeftRow {
  enum State : uint8_t {
    kNotAsked,
    kWanted,  // is to be fetched
    kThere,   // in `row`
    kGone,    // the snapshot does not see it, or the table's conditions do not hold
  };

  TupleId tuple;
  KeptRow row;
  uint32_t partner;  // of a semi join: the number of the pair by which the row is returned, of this batch
  uint32_t tried;    // pairs of it that are looked at together
  State state;
  bool matched;  // it has a partner
};
inline constexpr uint32_t kNoPair = UINT32_MAX;

// Of a join that is run, not merely explained; in its own memory context.
struct OpenJoin {
  MemoryContext context;
  MemoryContext batch;  // rows of the batch
  MemoryContextCallback end_uses;
  JoinInputSide* side[2];  // left, right
  ExprState* join_clauses;
  ExprState* uncertain_clauses;  // of pairs that are certain, as far as the trees can tell
  ExprState* filter;             // conditions on what an outer join returns
  int clauses;                   // of them, that the trees answer
  JoinClause clause[INDEX_MAX_KEYS];
  ExprState* margin[INDEX_MAX_KEYS];  // of each clause that the trees answer; nullptr: it has none
  uint64_t asked[2];                  // of the columns of each side's index (shmem/column_use.h)
  bool started;
  bool ended;
  size_t taken;   // of what the walk found last
  size_t wanted;  // pairs of the next batch
  // Of the batch: what the walk found, the rows once they were fetched, and the order in which they are.
  Scratch<JoinedRows> pairs;
  Scratch<KeptRow> rows[2];
  Scratch<uint64_t> order;
  Scratch<MadeRow> made[2];  // of the entries that the walk found last
  size_t next;               // pair
  // By left leaves (left_rows.h):
  Scratch<LeftRow> left_rows;
  size_t left_done;         // so many are of leaves of which all pairs were found; the others are of the one at hand
  size_t next_left;         // to be returned by itself
  Scratch<uint32_t> tried;  // pairs
  Scratch<uint8_t> settled;
  TreeJoin join;
  SharedJoin* shared;  // nullptr: the join is one process's
  ParallelTeam team;   // with `shared`
  JoinCounts handed_in;
  JoinCounts total;  // of all participants, once this one has ended; else zeroes

  JoinCounts Counts() const {
    return {join.work(), {side[0]->fetched, side[1]->fetched}, {side[0]->removed_by_conditions, side[1]->removed_by_conditions}};
  }
};
static_assert(std::is_trivially_destructible_v<OpenJoin>);

struct TreeJoinState {
  CustomScanState custom;
  JoinPlan plan;
  OpenJoin* open;

  bool by_leaf() const { return plan.type != JOIN_INNER; }
  // Are left rows without a partner returned?
  bool all_left() const { return plan.type == JOIN_LEFT || plan.type == JOIN_ANTI; }
  // Is one partner all that matters?
  bool one_partner() const { return plan.type == JOIN_SEMI || plan.type == JOIN_ANTI; }
};

const CustomExecMethods* TreeJoinExecMethods();

}  // namespace xtree
