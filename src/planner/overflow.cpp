// See overflow.h. Runs in the planner: palloc and ereport as they come.
#include "planner/overflow.h"

#include "am/scan_keys.h"
#include "planner/clause_order.h"
#include "storage/buffer_reader.h"

extern "C" {
#include "access/genam.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
}

namespace xtree {

namespace {

class OverflowTest {
 public:
  OverflowTest(PlannerInfo* root, const IndexPath* path, const IndexState& state) : root_(root), path_(path), state_(state) {}

  // Both sides of the condition or distance: the column comes first. Of `= ANY (array)`: for some element.
  bool Holds(int column, Node* expression) {
    const XtreeTypeRoutine& routine = *state_.column[column].routine;
    if (routine.argument_may_overflow == nullptr && routine.values_may_overflow == nullptr) return false;
    const bool is_array = IsA(expression, ScalarArrayOpExpr);
    if (!is_array && !IsA(expression, OpExpr)) return false;
    const List* sides = is_array ? reinterpret_cast<ScalarArrayOpExpr*>(expression)->args : reinterpret_cast<OpExpr*>(expression)->args;
    Node* argument = static_cast<Node*>(lsecond(sides));
    argument = estimate_expression_value(root_, argument);
    const auto* constant = IsA(argument, Const) ? reinterpret_cast<const Const*>(argument) : nullptr;
    if (constant != nullptr && constant->constisnull) return false;
    if (constant != nullptr && routine.argument_may_overflow != nullptr &&
        (is_array ? SomeElementMay(column, constant->constvalue) : ArgumentMay(column, constant->consttype, constant->constvalue)))
      return true;
    if (routine.values_may_overflow == nullptr) return false;  // so the root need not be read
    ReadBounds();
    const int first = state_.layout.first_dimension[column];
    return routine.values_may_overflow(&state_.column[column].column, bounds_.lo + first, bounds_.hi + first);
  }

 private:
  bool ArgumentMay(int column, Oid type, Datum value) const {
    return state_.column[column].routine->argument_may_overflow(&state_.column[column].column, type, value);
  }

  bool SomeElementMay(int column, Datum array) const {
    ArrayType* elements = DatumGetArrayTypeP(array);
    ArrayIterator each = array_create_iterator(elements, 0, nullptr);
    Datum value;
    bool null;
    while (array_iterate(each, &value, &null))
      if (!null && ArgumentMay(column, ARR_ELEMTYPE(elements), value)) return true;
    return false;
  }

  void ReadBounds() {
    if (known_) return;
    known_ = true;
    MakeEmpty(state_.layout, &bounds_);
    if (state_.undecided) return;
    const Relation index = index_open(path_->indexinfo->indexoid, NoLock);
    BufferReader reader(index, state_.layout, CurrentMemoryContext);
    BoundsOfTree(reader, state_.layout, &bounds_);
    reader.Reset();
    reader.GiveFramesBack();
    index_close(index, NoLock);
  }

  PlannerInfo* root_;
  const IndexPath* path_;
  const IndexState& state_;
  bool known_ = false;
  Box bounds_;
};

bool IsIndexCondition(const IndexPath* path, const RestrictInfo* condition) {
  ListCell* cell;
  foreach (cell, path->indexclauses)
    if (lfirst_node(IndexClause, cell)->rinfo == condition) return true;
  return false;
}

bool HasOther(const IndexPath* path, const List* conditions) {
  ListCell* cell;
  foreach (cell, conditions)
    if (!IsIndexCondition(path, lfirst_node(RestrictInfo, cell))) return true;
  return false;
}

List* IndexConditionsAmong(const IndexPath* path, const List* conditions) {
  List* found = NIL;
  ListCell* cell;
  foreach (cell, conditions)
    if (IsIndexCondition(path, lfirst_node(RestrictInfo, cell))) found = lappend(found, lfirst(cell));
  return found;
}

// The index's conditions are rechecked in the order of its columns: may a plan without it come to another one first?
bool IsRecheckedInOtherOrder(PlannerInfo* root, const IndexPath* path) {
  const List* tests = InOrderOfTests(root, IndexConditionsAmong(path, path->path.parent->baserestrictinfo));
  int at = -1;
  ListCell* cell;
  foreach (cell, path->indexclauses) {
    const RestrictInfo* condition = lfirst_node(IndexClause, cell)->rinfo;
    if (at >= 0 && list_nth(tests, at) == condition) continue;  // of several columns
    if (++at >= list_length(tests) || list_nth(tests, at) != condition) return true;
  }
  return false;
}

// Is there anything beside the condition that may keep the executor of a plan without the index from a row?
bool HasOtherConditions(PlannerInfo* root, const IndexPath* path) {
  const ParamPathInfo* parameters = path->path.param_info;
  return HasOther(path, path->path.parent->baserestrictinfo) || (parameters != nullptr && HasOther(path, parameters->ppi_clauses)) ||
         bms_membership(root->all_baserels) == BMS_MULTIPLE || IsRecheckedInOtherOrder(root, path);
}

bool ConditionsMayOverflow(const IndexPath* path, OverflowTest* test) {
  ListCell *cell, *qual;
  foreach (cell, path->indexclauses) {
    const IndexClause* clause = lfirst_node(IndexClause, cell);
    foreach (qual, clause->indexquals)
      if (test->Holds(clause->indexcol, reinterpret_cast<Node*>(lfirst_node(RestrictInfo, qual)->clause))) return true;
  }
  return false;
}

// Distances that the key tells are not computed anew.
bool OrderMayOverflow(const IndexPath* path, const IndexState& state, OverflowTest* test) {
  ListCell *order, *column;
  forboth(order, path->indexorderbys, column, path->indexorderbycols) {
    if (!state.column[lfirst_int(column)].routine->exact && test->Holds(lfirst_int(column), static_cast<Node*>(lfirst(order)))) return true;
  }
  return false;
}

}  // namespace

bool MayOverflow(PlannerInfo* root, const IndexPath* path, const IndexState& state) {
  if (!HasOtherConditions(root, path)) return false;
  OverflowTest test(root, path, state);
  return ConditionsMayOverflow(path, &test) || OrderMayOverflow(path, state, &test);
}

}  // namespace xtree
