// The inner side of a nested loop, LATERAL (SELECT ... ORDER BY column <-> outer value LIMIT n), as a nearest join uses it without running it: its
// scan keys, its conditions and what it returns of a row, by the server's own expressions. So they say what they would say in the nested loop.
//
// In the executor, in its memory. A row's values are given to the inner plan as the nested loop gives them, by parameters.
#pragma once

#include "core/scan/distance_rank.h"
#include "join/join_side.h"

namespace xtree {

struct NearestInner {
  NestLoopState* loop;
  PlanState* outer;
  PlanState* top;               // returns the rows
  SubqueryScanState* subquery;  // nullptr: the server has dropped it
  LimitState* limit;
  ScanState* scan;  // of the index
  bool index_only;
  Relation index;
  ScanKeyData* keys;
  int key_count;
  ScanKeyData* order;
  IndexRuntimeKeyInfo* runtime;  // arguments that are to be evaluated
  int runtime_count;
  bool keys_vary;       // by these
  ExprState* recheck;   // the index's conditions
  ExprState* distance;  // of a row; nullptr where index-only
  // Index-only: columns that are looked at, all of the index's.
  bool wanted[INDEX_MAX_KEYS];
  bool wants_include;
};

// False: it is none that is understood.
bool UnderstandInner(PlanState* child, NearestInner* out);

// The number of rows that are wanted, now. 0: whatever the statement says, it is not for a nearest join.
int LimitOf(const NearestInner& inner);

// The inner plan has this outer row's values, which outlive the next call. `changed`: it is going to be run with them.
void GiveParameters(const NearestInner& inner, KeptRow outer, bool changed);

// The row that is in the scan's tuple, as the inner plan returns it; nullptr: its conditions do not hold. *exact: its distance, where that is not
// nullptr.
TupleTableSlot* ReturnRow(const NearestInner& inner, bool recheck, DistanceRank* exact);

// Puts what an index's entry says into the scan's tuple. False: the entry does not have it.
bool FillFromEntry(const NearestInner& inner, const IndexState& state, TupleDesc include, const NodeView& page, int slot);

}  // namespace xtree
