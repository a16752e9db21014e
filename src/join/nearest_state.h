// What a nearest join keeps while it is executed. Plain data: PostgreSQL may longjmp at any call.
#pragma once

#include "am/limit_keys.h"
#include "core/join/batch_nearest.h"
#include "join/join_side.h"
#include "join/nearest_inner.h"
#include "join/nearest_order.h"
#include "join/nearest_plan.h"

namespace xtree {

// An outer row of the batch, and which of the candidates are its.
struct NearestOuter {
  KeptRow row;
  DistanceRank bound;  // no other row's distance is below it; kNoDistance: there is no other
  uint32_t first;
  uint32_t count;
  bool lossy;   // candidates have bounds of their distances
  bool single;  // it is left to the inner plan
};

// A row that may be one of the nearest.
struct NearestFound {
  DistanceRank rank;
  KeptRow made;  // what the inner plan returns of it; nullptr: nothing so far, or none
  uint32_t outer;
  TupleId tuple;
  bool recheck;
  bool fetch;  // it is to be looked at in the heap
};
static_assert(sizeof(NearestFound) == 32);

// What a search is for: the distance from an outer row.
struct NearestQuery {
  ScanKeyData key;
  OrderKey order;
};

// A row that is to be fetched.
struct NearestFetch {
  uint64_t address;
  uint32_t number;  // of what was found
};

struct NearestCounts {
  uint64_t starts;
  uint64_t batches;
  uint64_t rows;  // outer
  uint64_t singles;
};

// Of a join that is run, not merely explained; in its own memory context.
struct OpenNearest {
  MemoryContext context;
  MemoryContext batch;  // outer rows, and what was found for them
  ExprContext* query;   // of one outer row: its arguments and what they are made into
  ExprContext* keys;    // its conditions
  MemoryContextCallback end_use;
  NearestInner inner;
  JoinInputSide* side;
  TupleDesc include;  // of the columns of INCLUDE that are looked at
  TupleDesc outer_descriptor;
  TupleDesc inner_descriptor;

  // The join's own expressions, over tuples of these slots.
  TupleTableSlot* outer_slot;
  TupleTableSlot* inner_slot;
  ExprState* clauses;
  ExprState* filters;
  ProjectionInfo* projection;
  uint64_t asked;  // columns of the index (shmem/column_use.h)

  bool started;
  bool by_child;    // the nested loop does it all
  bool one_by_one;  // so many outer rows had to be looked up singly that all others are too
  bool outer_ended;
  int limit;
  int candidates;  // for each outer row
  Box tree;        // bounds of the index
  Constraint constraint;
  LimitKeys limits;
  size_t wanted;  // outer rows of the next batch
  Scratch<NearestOuter> rows;
  NearestOrigins origins;      // of each
  Scratch<uint32_t> sequence;  // of outer rows, as they are searched for
  Scratch<NearestFound> found;
  Scratch<NearestFetch> fetches;  // in the order of the heap
  BatchNearest nearest;

  // The outer row whose rows leave.
  size_t row;
  size_t next;  // of its candidates
  bool begun;
  bool matched;
  bool ended;  // it has no more
  NearestCounts counts;
};
static_assert(std::is_trivially_destructible_v<OpenNearest>);

struct NearestState {
  CustomScanState custom;
  NearestPlan plan;
  OpenNearest* open;  // nullptr: the child does it all
};

const CustomExecMethods* NearestExecMethods();

}  // namespace xtree
