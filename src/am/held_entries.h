// Entries held back: of a statement that inserts many rows (INSERT ... SELECT, COPY) the entries are kept in memory, and go into the index
// together, put in order along a curve, so that those of a leaf share a descent and a WAL record.
//
// An entry is held only while a frame of ours is on the stack, of the statement that inserts it, and it goes into the index
//
// - at the end of that frame, so before triggers that fire after the statement, before the transaction can end, and before anybody else
// sees the row;
// - before any other statement begins or goes on within the frame (functions, triggers), and before a scan of the index begins, or a function
//   looks at it;
// - when what is held takes work_mem, or is many beside what is in the index (kShareOfLeaf in am/held_batch.cpp).
//
// It is forgotten when the frame, or the transaction or subtransaction that it is of, is left by an ERROR: then its row is dead to
// everybody, and the row's address may be given to another one. Where putting entries in fails in a subtransaction that began within the
// frame, what is not in the index stays held: the ERROR may be caught, and the rows live.
//
// Never held: entries of indexes of exclusion constraints, of INSERT ... ON CONFLICT (rows that may be taken back one by one), of
// SERIALIZABLE transactions (conflicts are found by insertions), of updates, and of whatever inserts without executor and utility hooks,
// as logical replication does.
#pragma once

#include "index/index_state.h"

namespace xtree {

// Kept by who inserts, for the rows of one statement; zeroes at first.
struct HeldIndex;
struct HeldPlace {
  HeldIndex* index;
  uint64_t epoch;  // that it is of
};

struct HeldEntry {
  const Box* box;
  TupleId tuple;
  const uint8_t* payload;
  uint16_t payload_length;
};

// Installs the hooks. Called once, by _PG_init.
void HoldEntriesBack();

// False: it has to be inserted at once.
bool HoldEntry(Relation index, const IndexState& state, const HeldEntry& entry, HeldPlace* place);

// Before whoever looks at the index without an executor of its own.
extern bool entries_are_held;
void InsertEntriesFor(Relation index);
inline void BeforeLook(Relation index) {
  if (entries_are_held) InsertEntriesFor(index);
}

}  // namespace xtree
