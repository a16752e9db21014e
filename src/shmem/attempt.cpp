// See attempt.h. Subtransactions without a name may be begun in parallel workers, too, on the versions that count without preload (17 on).
#include "shmem/attempt.h"

#include "pg/subtransaction.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace xtree {

namespace {

constexpr TimestampTz kRetryAfter = 60 * USECS_PER_SEC;
TimestampTz failed_at = 0;

void Report(const ErrorData& error) {
  ereport(LOG, (errcode(error.sqlerrcode), errmsg("uses of xtree indexes are not counted: %s", error.message),
                error.detail != nullptr ? errdetail_internal("%s", error.detail) : 0, errhint("The query goes on.")));
}

}  // namespace

bool AttemptForStatistics(void (*body)(void*), void* argument) {
  if (failed_at != 0 && GetCurrentTimestamp() - failed_at < kRetryAfter) return false;
  ErrorData* error = RunInSubtransaction(body, argument);
  if (error == nullptr) return true;
  failed_at = GetCurrentTimestamp();
  Report(*error);
  FreeErrorData(error);
  return false;
}

}  // namespace xtree
