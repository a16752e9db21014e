// The boundary between C++ and PostgreSQL's longjmp. Two rules, and the two functions that keep them:
//
// 1. No C++ exception reaches PostgreSQL. Every extern "C" entry point runs its body in Guarded(), which turns what was thrown
//    into an ERROR after all C++ frames are gone.
// 2. No longjmp crosses a frame with a destructor to run. Code that owns C++ objects calls PostgreSQL through PgCall(), which
//    turns an ERROR into a PgError. Code whose frames are trivially destructible (scans) calls PostgreSQL directly.
//
// What an ERROR leaves behind. errfinish() sets InterruptHoldoffCount to 0, as if the locks that raised it were gone. Here they
// are not: PageLocks of the unwinding frames still hold buffer content locks, and releasing each one decrements the count. PgCall
// therefore restores the count (and QueryCancelHoldoffCount) to what it was before the call, so that it is balanced when the
// frames are gone. Locks that the failed call itself left behind have no owner here; the abort of the (sub)transaction releases
// them, and balances its own count. So a PgError must always travel on to Guarded; nobody may swallow it. In a critical section
// an ERROR is a PANIC and never gets here. A FATAL exits the process without unwinding; its exit callbacks release what the
// process holds.
#pragma once

#include "pg/postgres_api.h"

namespace xtree {

// An ERROR of PostgreSQL on its way through C++ frames, whole: SQLSTATE, detail, hint, context.
class PgError : public std::exception {
 public:
  explicit PgError(ErrorData* error) : error_(error) {}
  ErrorData* error() const { return error_; }
  const char* what() const noexcept override { return error_->message != nullptr ? error_->message : "error without message"; }

 private:
  ErrorData* error_;  // lives to the end of the (sub)transaction
};

// ERRCODE_INDEX_CORRUPTED with the hint to REINDEX. Leaves by longjmp. `index` may be nullptr.
[[noreturn]] void ReportCorruptPage(Relation index, BlockNumber block, const char* what);

namespace guard_internal {

// What a body threw, as plain data, because nothing of C++ may be left when it is raised.
struct Failure {
  enum Kind : uint8_t { kPgError, kCorruptPage, kOutOfMemory, kOther };

  void Capture() noexcept;  // REQUIRES: called in a catch block
  [[noreturn]] void Raise(Relation index);

  Kind kind;
  BlockNumber block;
  ErrorData* error;
  char message[256];
};

// Runs body(argument); throws PgError (or bad_alloc, when there is no memory for one) if it raised an ERROR.
void CallPostgres(void (*body)(void*), void* argument);

}  // namespace guard_internal

// Runs the body of an entry point. `index` names the index in messages, nullptr where there is none.
// Costs nothing until something is thrown. PostgreSQL may longjmp through it.
template <class F>
auto Guarded(Relation index, F&& body) -> std::invoke_result_t<F&> {
  static_assert(std::is_trivially_destructible_v<std::remove_reference_t<F>>);
  guard_internal::Failure failure;
  try {
    return body();
  } catch (...) {
    failure.Capture();
  }
  failure.Raise(index);
}

template <class F>
auto Guarded(F&& body) -> std::invoke_result_t<F&> {
  return Guarded(static_cast<Relation>(nullptr), body);
}

// Calls PostgreSQL from code that owns C++ objects, about 5 ns. The body itself must own none and must not throw. PostgreSQL
// functions that take callbacks are given entry points (see Guarded).
template <class F>
auto PgCall(F&& body) -> std::invoke_result_t<F&> {
  using Result = std::invoke_result_t<F&>;
  using Body = std::remove_reference_t<F>;
  static_assert(std::is_trivially_destructible_v<Body>);
  if constexpr (std::is_void_v<Result>) {
    guard_internal::CallPostgres([](void* argument) noexcept { (*static_cast<Body*>(argument))(); }, &body);
  } else {
    static_assert(std::is_trivially_copyable_v<Result>);
    struct Call {
      Body* body;
      Result result;
    } call{&body, {}};
    guard_internal::CallPostgres(
        [](void* argument) noexcept {
          Call* call = static_cast<Call*>(argument);
          call->result = (*call->body)();
        },
        &call);
    return call.result;
  }
}

}  // namespace xtree
