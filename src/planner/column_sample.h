// Values of a column, wherever it comes from: a table, by an xtree index over it or else by what ANALYZE keeps; the partitions of one; a list of
// values; a subquery or a CTE, by what its target is made of, as if its conditions left it as it is.
//
// Runs in the planner: reads pages of indexes, palloc and ereport as they come.
#pragma once

#include "core/estimate/row_estimate.h"
#include "index/index_state.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

struct ArgumentSample {
  static constexpr int kMost = 48;
  int count;  // 0: nothing is known
  Datum value[kMost];
  bool null[kMost];
};

// Entries of an index, which stand for what it is asked.
struct IndexSample {
  int count;
  const SampledEntry* entry;
};

// At most so many, of at most so many leaves.
IndexSample SampleOfIndex(Relation index, const IndexState& state, int leaves, int most);

// The values that these entries have in a column, if it is of this type and an index-only scan could return them. False: not. They are added.
bool ValuesOfSample(const IndexState& state, int column, const IndexSample& sample, Oid type, ArgumentSample* out);

// At most so many, added to what there is. False: nothing is known of the column.
bool SampleOfColumn(PlannerInfo* root, const Var* column, int most, ArgumentSample* out);

// May the user read the table's rows? Functions of the query see them.
bool MayRead(PlannerInfo* root, const RelOptInfo* table);

}  // namespace xtree
