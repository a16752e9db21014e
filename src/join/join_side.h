// JoinSide: one side of a tree join that is executed: its table and index, how the walk reads that, and its rows by their addresses.
//
// Plain data in the join's own memory context; ERRORs may leave from anywhere: End runs when the context goes.
#pragma once

#include "core/join/tree_join.h"
#include "index/payload.h"
#include "join/join_plan.h"
#include "pg/compat_am.h"
#include "registry/mapped_reader.h"

extern "C" {
#include "access/tableam.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
}

namespace xtree {

// A column of the scan's tuples that comes from this side.
struct JoinColumn {
  AttrNumber attribute;  // 0: the whole row
  int place;             // in the scan's tuple
  int index_column;      // that its value can be made of, a key's or one of INCLUDE; -1: none
  int16 length;
  bool by_value;
};

// A row that is kept: its values in the order of the side's columns, and behind them for each whether it is NULL. nullptr: none.
using KeptRow = const Datum*;

// A row that was made of a key.
struct MadeRow {
  KeptRow row;
  bool made;
};

class JoinInputSide {
 public:
  // `context`: lives as long as the scan.
  JoinInputSide(Relation table, Relation index, const IndexState* state, Index range, MemoryContext context)
      : table_(table), index_(index), state_(state), range_(range), context_(context), reader_(index, state->layout, context) {}

  // What it keeps of a row: columns of the scan's tuple.
  void SetColumns(List* tuple, TupleDesc descriptor);
  void SetWindows(const JoinPlanSide& plan, List* arguments, PlanState* parent);
  void SetConditions(List* conditions, PlanState* parent) { conditions_ = ExecInitQual(conditions, parent); }

  // Before the walk starts, or starts again: evaluates the windows' arguments and opens the index for this scan. False: it has no row.
  bool Start(ExprContext* values, Snapshot snapshot, uint64_t join_columns);
  // The scan of this index counts; of a parallel join once.
  void CountScan();
  void FinishUse() { ::xtree::FinishUse(&use_, &reader_); }
  // Gives back pins of the table's pages.
  void LetGo();
  void Close();

  // `nothing`: it is not to be read.
  JoinInput Input(bool ignore_killed, bool nothing) {
    return {&state_->layout, &constraint_, ignore_killed, nothing, keys_suffice_ ? LookAtVisibility : nullptr, this, needs_include_};
  }
  MappedReader& reader() { return reader_; }
  const IndexState& state() const { return *state_; }
  Index range() const { return range_; }
  Relation index() const { return index_; }

  // Does the snapshot see a row at this address? Then it is in `row`; nullptr: in a place of the side's own.
  bool Find(TupleId tuple, Snapshot snapshot, TupleTableSlot* row);
  // Fetches the row of an address, if the snapshot sees it and the table's conditions hold; what is kept of it goes to `memory`.
  KeptRow Fetch(TupleId tuple, Snapshot snapshot, ScanState* scan, MemoryContext memory);
  // After Fetch: asks the processor's caches for those rows of its page that are fetched next. They come in the order of the heap, each as its packed
  // address above 16 bits of something else.
  void Prefetch(const uint64_t* next, const uint64_t* end);
  // The same of one whose key, with the columns of INCLUDE in the payload, is all that has to be known of it. Without a payload that is needed it is
  // fetched.
  KeptRow Make(const Box& key, Payload payload, TupleId tuple, Snapshot snapshot, ScanState* scan, MemoryContext memory);
  bool needs_include() const { return needs_include_; }
  // The same of a row that the executor gives when it checks anew.
  KeptRow Keep(TupleTableSlot* row, ScanState* scan, MemoryContext memory);
  // The row that the executor has for this table while it checks anew. False: none. *substituted: does it have a say?
  TupleTableSlot* Substitute(EPQState* recheck, bool* substituted);

  // Puts a kept row into the scan's tuple.
  void Fill(KeptRow row, TupleTableSlot* tuple) const {
    const bool* null = reinterpret_cast<const bool*>(row + columns_);
    for (int i = 0; i < columns_; i++) {
      tuple->tts_values[column_[i].place] = row[i];
      tuple->tts_isnull[column_[i].place] = null[i];
    }
  }

  // The same of a row that is missing: NULL.
  void FillMissing(TupleTableSlot* tuple) const {
    for (int i = 0; i < columns_; i++) {
      tuple->tts_values[column_[i].place] = Datum{0};
      tuple->tts_isnull[column_[i].place] = true;
    }
  }

  // What a walk calls to learn which of a leaf's rows all can see (JoinInput::look); its context is the side.
  static void LookAtVisibility(void* side, const TupleId* tuples, size_t count, uint8_t* known);

  uint64_t fetched = 0;                // rows that were looked for
  uint64_t removed_by_conditions = 0;  // of them: that the table's conditions removed

 private:
  bool IsVisibleToAll(BlockNumber block);
  void Load(TupleTableSlot* row, TupleTableSlot* tuple);
  KeptRow KeepLoaded(ScanState* scan, MemoryContext memory);
  void EvaluateKeys(ExprContext* values);
  void MakeSlot();

  Relation table_;
  Relation index_;
  const IndexState* state_;
  Index range_;
  MemoryContext context_;
  MemoryContext key_context_ = nullptr;
  MappedReader reader_;
  IndexUse use_ = {};
  Constraint constraint_;
  int windows_ = 0;
  const JoinWindowKey* window_ = nullptr;
  ExprState** argument_ = nullptr;  // nullptr: of a key that has none
  ExprState* conditions_ = nullptr;
  int columns_ = 0;
  JoinColumn* column_ = nullptr;
  int last_attribute_ = 0;             // that is looked at
  bool keys_suffice_ = false;          // no column needs the table, of rows that all can see
  bool needs_include_ = false;         // some are columns of INCLUDE
  TupleDesc include_ = nullptr;        // these
  Buffer visibility_ = InvalidBuffer;  // a page of the table's visibility map
  BlockNumber visibility_page_ = 0;    // which
  IndexFetchTableData* fetch_ = nullptr;
  TupleTableSlot* slot_ = nullptr;
  BlockNumber prefetched_ = InvalidBlockNumber;  // page of the table
};
static_assert(std::is_trivially_destructible_v<JoinInputSide>);

}  // namespace xtree
