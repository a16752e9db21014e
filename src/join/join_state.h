// What a tree join keeps while it is executed. Plain data: PostgreSQL may longjmp at any call.
#pragma once

#include "join/join_parallel.h"
#include "join/join_plan.h"
#include "join/join_side.h"

namespace xtree {

// Of a join that is run, not merely explained; in its own memory context.
struct OpenJoin {
  MemoryContext context;
  MemoryContext batch;  // rows of the batch
  MemoryContextCallback end_uses;
  JoinInputSide* side[2];  // left, right
  ExprState* join_clauses;
  int clauses;  // of them, that the trees answer
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
};

const CustomExecMethods* TreeJoinExecMethods();

}  // namespace xtree
