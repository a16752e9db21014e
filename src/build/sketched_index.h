// An index that exists nowhere: what CREATE INDEX would make, as a Relation in memory alone, to ask what it would be like.
//
// For build_estimate.cpp. Nothing is written, and no lock is taken but on the table. The statement is looked at as CREATE INDEX does, whose own
// functions for that are no interface. May ereport, with the SQLSTATEs of CREATE INDEX.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/execnodes.h"
#include "nodes/parsenodes.h"
}

namespace xtree {

struct SketchedIndex {
  Relation index;  // has what the access method's own code asks of an index, and no file
  IndexInfo* info;
};

// The one CREATE INDEX in `statement`, which is for this access method.
IndexStmt* ParseIndexStatement(const char* statement);

// One column as CREATE INDEX has it between its parentheses.
IndexElem* ParseIndexColumn(const char* column);

// Of a table of its own, which is locked; `statement` stays as it is. In the current memory context. Ereports also where the caller may not read
// what the index would be of.
SketchedIndex SketchIndex(Relation heap, const IndexStmt* statement, Oid readable_by_way_of);

}  // namespace xtree
