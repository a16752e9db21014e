// What a lookup join keeps while it is executed. Plain data: PostgreSQL may longjmp at any call.
#pragma once

#include "am/limit_keys.h"
#include "core/join/batch_lookup.h"
#include "join/join_side.h"
#include "join/lookup_plan.h"
#include "join/shared_counts.h"

namespace xtree {

// An outer row that is to be joined with an inner one.
struct LookupPair {
  uint32_t row;  // of the batch
  bool recheck;
  TupleId tuple;
  KeptRow made;  // of the key, where that is all that has to be known of the inner row; else nullptr
};

// What was done, for EXPLAIN.
struct LookupCounts {
  uint64_t batches;
  uint64_t nodes;
  uint64_t pairs;          // by the keys
  uint64_t removed;        // of them: by the join's clauses
  uint64_t filtered;       // rows: after them
  uint64_t fetched;        // inner rows that were looked for
  uint64_t fetched_wrong;  // of them: that conditions on the table removed
};

// Of a join that is run, not merely explained; in its own memory context.
struct OpenLookup {
  MemoryContext context;
  MemoryContext batch;      // outer rows, and what their lookups are made of
  MemoryContext made_rows;  // inner rows that were made of keys, for the pairs at hand
  MemoryContext row;        // the inner row that was fetched last, or what a constraint is made of
  MemoryContextCallback end_use;
  JoinInputSide* inner;
  PlanState* outer;
  ExprState* clauses;
  ExprState* other_clauses;
  ExprState* filters;
  int keys;              // of a lookup
  ScanKeyData* key;      // without arguments
  ExprState** argument;  // of each key; nullptr: it has none
  uint64_t asked;        // columns of the index (shmem/column_use.h)

  bool started;
  bool nothing;  // the inner table has no row
  bool keeps;    // constraints of lookups point to what must be kept with them
  bool outer_ended;
  bool in_batch;  // its matches have not all been taken
  size_t wanted;  // outer rows of the next batch
  size_t taken;   // of what the walk found last
  size_t wanted_pairs;
  Scratch<KeptRow> rows;      // of the batch
  Scratch<uint8_t> matched;   // of each: has it found a partner?
  Scratch<LookupPair> pairs;  // of the batch, some at a time
  Scratch<uint64_t> order;    // of pairs, by the addresses of rows
  Scratch<MadeRow> entries;   // of the leaf whose matches are taken
  size_t next;                // of order
  size_t unmatched;           // row of the batch that is looked at next: has it been left without a partner?
  uint64_t address;           // of the inner row at hand
  KeptRow inner_row;          // nullptr: it is not visible, or its conditions do not hold
  BatchLookup lookup;

  bool rechecking;                     // for EvalPlanQual: inner_row is the row that it gives
  LookupCounts counts;                 // Counts() has all of them
  SharedCounts<LookupCounts>* shared;  // nullptr: the join is one process's
  LookupCounts handed_in;
  LookupCounts total;  // of all participants, once this one has ended; else zeroes

  LookupCounts Counts() const {
    LookupCounts all = counts;
    all.nodes = lookup.work().nodes;
    all.pairs = lookup.work().matches;
    all.fetched = inner->fetched;
    all.fetched_wrong = inner->removed_by_conditions;
    return all;
  }
};
static_assert(std::is_trivially_destructible_v<OpenLookup>);

struct LookupState {
  CustomScanState custom;
  LookupPlan plan;
  OpenLookup* open;
};

const CustomExecMethods* LookupExecMethods();

}  // namespace xtree
