// The row that an index-only scan returns, put together from an entry of a leaf.
//
// Used by scans (am/scan.cpp). Memory is the current context's and that of the caller's rows.
#pragma once

#include "index/index_state.h"
#include "page/node.h"

extern "C" {
#include "access/itup.h"
#include "access/tupdesc.h"
}

namespace xtree {

// How an index's tuples are laid out is the same for all rows without NULL whose keys have a fixed length: then values go right to their places,
// and the INCLUDE columns are copied as one. Other rows are formed as the server forms them.
class IndexTupleForm {
 public:
  // In the current memory context. `rows`: for what a row needs beside the tuple.
  IndexTupleForm(Relation index, const IndexState* state, MemoryContext rows);

  // The tuple stays until the next call. What it takes in `rows` beside it is the caller's to reset from time to time.
  IndexTuple Form(const NodeView& page, int entry);

 private:
  struct Place {
    int column;
    int16 length;
    bool by_value;
    uint16 offset;
  };

  void LayOut();
  IndexTuple FormFast(const Box& box, const uint8_t* payload, uint16_t length);
  IndexTuple FormAny(const Box& box, const uint8_t* payload, uint16_t length);

  const IndexState* state_;
  TupleDesc all_, include_;
  MemoryContext rows_;
  bool fast_ = false;
  int places_ = 0;
  Place* place_ = nullptr;
  uint64_t marks_ = 0;         // all that a column which the index can return may have
  uint16 payload_offset_ = 0;  // where the INCLUDE columns begin, or the tuple ends
  char* buffer_ = nullptr;     // for tuples that are laid out beforehand; it has their header
};

}  // namespace xtree
