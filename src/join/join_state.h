// What a tree join keeps while it is executed. Plain data: PostgreSQL may longjmp at any call.
#pragma once

#include "join/join_plan.h"
#include "join/join_side.h"

namespace xtree {

// A pair that the walk found, by the addresses of its rows, and these once they were fetched.
struct PairOfRows {
  uint64_t address[2];
  const KeptRow* row[2];
};

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
  size_t taken;              // of what the walk found last
  size_t wanted;             // pairs of the next batch
  Scratch<PairOfRows> pairs;  // of the batch
  size_t next;               // of them
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
