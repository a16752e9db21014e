// See read_page.h.
#include "storage/read_page.h"

#include "pg/compat.h"
#include "pg/guard.h"

namespace xtree {

namespace {

// The length of the file costs a system call, so nobody asks for it before something went wrong.
[[noreturn]] void Reraise(Relation index, BlockNumber block, ErrorData* error) {
  const BlockNumber blocks = RelationGetNumberOfBlocks(index);
  if (block < blocks) ReThrowError(error);
  ReportCorruptPage(index, block, "another page refers to it, but it is beyond the end of the file");
}

}  // namespace

Buffer ReadPage(Relation index, BlockNumber block, BufferAccessStrategy strategy) {
  const MemoryContext memory = CurrentMemoryContext;
  volatile Buffer buffer = InvalidBuffer;
  ErrorData* volatile error = nullptr;
  PG_TRY();
  { buffer = ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_NORMAL, strategy); }
  PG_CATCH();
  {
    MemoryContextSwitchTo(memory);
    error = CopyErrorData();
    FlushErrorState();
  }
  PG_END_TRY();
  if (error != nullptr) Reraise(index, block, error);
  return buffer;
}

}  // namespace xtree
