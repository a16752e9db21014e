// What the custom scans of all joins have in common, and their EXPLAIN.
#pragma once

#include "join/join_side.h"

namespace xtree {

// Opens a table and its index as a side of the join that `scan` is, in the current memory context; `context`: lives as long as the join.
// `conditions`: on the table; `arguments`: of the window's keys.
JoinInputSide* OpenInput(ScanState* scan, MemoryContext context, Index range, const JoinPlanSide& window, List* conditions, List* arguments,
                         int eflags);

// The first columns of a row, as they are kept; their types by a descriptor that begins with them.
KeptRow KeepRow(TupleTableSlot* row, TupleDesc descriptor, int columns, MemoryContext memory);
// Puts them in the first columns of a virtual tuple, which is not stored yet.
void FillFrom(KeptRow row, int columns, TupleTableSlot* tuple);

// The scan's tuple as the node returns it, and what it returns at its end.
TupleTableSlot* Projected(ScanState* scan);
TupleTableSlot* Nothing(ScanState* scan);

const char* JoinTypeName(JoinType type);

// A line of EXPLAIN with the conditions in this place of the node's custom_exprs, if there are any.
void ShowConditions(const char* label, int place, const ScanState& scan, List* ancestors, ExplainState* explain);

}  // namespace xtree
