// Values that stand for an argument which is not known while a query is planned: a column of another table, a parameter.
//
// Of a column: what is known of it (column_sample.h). Of anything else: the values that the index itself holds, as if what it
// is asked for lay like them. Runs in the planner: reads pages of indexes, palloc and ereport as they come.
#pragma once

#include "planner/column_sample.h"

namespace xtree {

// Those of the index that is to be scanned: read when they are first asked for, since most arguments need none.
class OwnSample {
 public:
  OwnSample(Relation index, const IndexState& state) : index_(index), state_(&state) {}
  const IndexState& state() const { return *state_; }
  const IndexSample& Get();

 private:
  Relation index_;
  const IndexState* state_;
  IndexSample sample_ = {};
};

// Values of the argument of a condition on the column. One thing in it may be unknown, anywhere: another table's column, or a parameter of the
// column's type, for which the values of `own` stand, as for a column of which nothing is known. False: there is nothing to sample.
// Only of tables whose rows the user may read, since functions of the query see them.
bool SampleOfArgument(PlannerInfo* root, const RelOptInfo* table, int column, OwnSample* own, Node* argument, ArgumentSample* out);

// Of an expression of one column, at most so many, added to what there is. False: nothing is known.
bool SampleOfExpression(PlannerInfo* root, Node* expression, int most, ArgumentSample* out);

// May an argument be computed while planning? It takes no longer than a few operators of the server's.
bool IsCheap(PlannerInfo* root, Node* argument);
// Does it depend on another table's rows?
bool HasColumns(Node* argument);

}  // namespace xtree
