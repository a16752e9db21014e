// See guard.h. The functions that call sigsetjmp own no C++ object and throw nothing; throwing happens in their callers, when
// PG_exception_stack is the outer one again.
#include "pg/guard.h"

namespace xtree {

void ReportCorruptPage(Relation index, BlockNumber block, const char* what) {
  if (index == nullptr) {
    ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED), errmsg("an xtree index contains a damaged page at block %u: %s", block, what),
                    errhint("Please REINDEX it.")));
  }
  ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
                  errmsg("index \"%s\" contains a damaged page at block %u: %s", RelationGetRelationName(index), block, what),
                  errhint("Please REINDEX it.")));
  pg_unreachable();
}

namespace guard_internal {
namespace {

// A memory context that outlives the unwinding frames, whatever context they worked in.
MemoryContext ErrorHome() { return CurTransactionContext != nullptr ? CurTransactionContext : TopMemoryContext; }

// Moves the ERROR just caught out of PostgreSQL's error stack. nullptr: there was no memory for the copy.
ErrorData* TakeError() {
  MemoryContext const context = CurrentMemoryContext;
  ErrorData* volatile error = nullptr;
  PG_TRY();
  {
    MemoryContextSwitchTo(ErrorHome());
    error = CopyErrorData();
  }
  PG_CATCH();
  { error = nullptr; }
  PG_END_TRY();
  MemoryContextSwitchTo(context);
  FlushErrorState();
  return error;
}

// False: body raised an ERROR, which lies on the error stack.
bool Succeeds(void (*body)(void*), void* argument) {
  volatile bool success = true;
  PG_TRY();
  { body(argument); }
  PG_CATCH();
  { success = false; }
  PG_END_TRY();
  return success;
}

}  // namespace

void CallPostgres(void (*body)(void*), void* argument) {
  Assert(CritSectionCount == 0);
  MemoryContext const context = CurrentMemoryContext;
  const uint32 holdoff = InterruptHoldoffCount;
  const uint32 cancel_holdoff = QueryCancelHoldoffCount;
  if (likely(Succeeds(body, argument))) return;

  MemoryContextSwitchTo(context);
  ErrorData* const error = TakeError();
  InterruptHoldoffCount = holdoff;
  QueryCancelHoldoffCount = cancel_holdoff;
  if (error == nullptr) throw std::bad_alloc();
  throw PgError(error);
}

void Failure::Capture() noexcept {
  kind = kOther;
  message[0] = '\0';
  try {
    throw;
  } catch (const PgError& e) {
    kind = kPgError;
    error = e.error();
  } catch (const CorruptPage& e) {
    kind = kCorruptPage;
    block = e.block();
    strlcpy(message, e.what(), sizeof(message));
  } catch (const std::bad_alloc&) {
    kind = kOutOfMemory;
  } catch (const std::exception& e) {
    strlcpy(message, e.what(), sizeof(message));
  } catch (...) {
    strlcpy(message, "unknown exception", sizeof(message));
  }
}

void Failure::Raise(Relation index) {
  switch (kind) {
    case kPgError:
      // ReThrowError() does not pass errfinish(), whose effect on the counts the handler relies on.
      InterruptHoldoffCount = 0;
      QueryCancelHoldoffCount = 0;
      ReThrowError(error);
      break;
    case kCorruptPage:
      ReportCorruptPage(index, block, message);
      break;
    case kOutOfMemory:
      ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"), errdetail("Failed in the xtree access method.")));
      break;
    case kOther:
      break;
  }
  ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("xtree: %s", message)));
  pg_unreachable();
}

}  // namespace guard_internal
}  // namespace xtree
