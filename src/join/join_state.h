// What a tree join keeps while it is executed. Plain data: PostgreSQL may longjmp at any call.
#pragma once

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
  uint64_t asked[2];  // of the columns of each side's index (shmem/column_use.h)
  bool started;
  bool ended;
  size_t taken;   // of what the walk found last
  size_t wanted;  // pairs of the next batch
  // Of the batch: what the walk found, the rows once they were fetched, and the order in which they are.
  Scratch<JoinedRows> pairs;
  Scratch<KeptRow> rows[2];
  Scratch<uint64_t> order;
  size_t next;  // pair
  TreeJoin join;
};
static_assert(std::is_trivially_destructible_v<OpenJoin>);

struct TreeJoinState {
  CustomScanState custom;
  JoinPlan plan;
  OpenJoin* open;
};

const CustomExecMethods* TreeJoinExecMethods();

}  // namespace xtree
