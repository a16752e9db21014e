// The setting xtree.stop_point = 'NAME[+SKIP]:ACTION', for tests; '' means none. NAME is that of an XTREE_STOP_POINT, of which
// the first SKIP passages are let through. Actions:
//   wait:KEY  waits until nobody else holds advisory lock KEY (a bigint) exclusively, as pg_advisory_lock(KEY) does: visible in
//             pg_locks and to the isolation tester, and interruptible, although pages are locked
//   error     raises an ERROR, SQLSTATE XX000
//   crash     flushes the WAL that this session has written and kills its process, so that the server restarts
// In a critical section, where nothing may fail, only crash has an effect. Hooks are called from C++ frames: ERRORs go through
// PgCall.
#ifdef XTREE_STOP_POINTS

#include "storage/stop_point.h"

#include <csignal>
#include <cstdlib>

#include "pg/compat.h"
#include "pg/guard.h"

extern "C" {
#include "storage/lock.h"
}

namespace xtree {

void (*stop_point_hook)(const char* name) = nullptr;

namespace {

enum class Action : uint8_t { kNone, kWait, kError, kCrash };

// Plain data, as the extra of a setting must be.
struct StopPoint {
  Action action;
  char name[NAMEDATALEN];
  uint64_t skip;
  int64_t key;  // of kWait
};

char* setting = nullptr;
char* broken_rule = nullptr;
const StopPoint* stop_point = nullptr;
uint64_t passages = 0;

// False: `text` is no action.
bool ParseAction(const char* text, StopPoint* out) {
  constexpr char kWait[] = "wait:";
  if (strcmp(text, "error") == 0) {
    out->action = Action::kError;
  } else if (strcmp(text, "crash") == 0) {
    out->action = Action::kCrash;
  } else if (strncmp(text, kWait, strlen(kWait)) == 0) {
    char* end;
    out->key = strtoll(text + strlen(kWait), &end, 10);
    out->action = Action::kWait;
    return *end == '\0' && end != text + strlen(kWait);
  } else {
    return false;
  }
  return true;
}

bool Parse(const char* text, StopPoint* out) {
  *out = {};
  if (*text == '\0') return true;
  const size_t name = strcspn(text, "+:");
  if (name == 0 || name >= sizeof(out->name)) return false;
  memcpy(out->name, text, name);
  text += name;
  if (*text == '+') {
    char* end;
    out->skip = strtoull(text + 1, &end, 10);
    if (end == text + 1) return false;
    text = end;
  }
  return *text == ':' && ParseAction(text + 1, out);
}

bool Check(char** value, void** extra, GucSource) {
  StopPoint* const parsed = static_cast<StopPoint*>(pg::AllocateSettingExtra(sizeof(StopPoint)));
  if (parsed == nullptr) return false;
  if (!Parse(*value != nullptr ? *value : "", parsed)) {
    pg::FreeSettingExtra(parsed);
    GUC_check_errdetail("Expected NAME[+SKIP]:ACTION with ACTION one of wait:KEY, error, crash.");
    return false;
  }
  *extra = parsed;
  return true;
}

void Assign(const char*, void* extra) {
  stop_point = static_cast<const StopPoint*>(extra);
  passages = 0;
}

// A lock manager wait with interrupts allowed: an ERROR then unwinds the frames that hold pages, as any other would.
void Wait(int64_t key) {
  PgCall([&] {
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<uint32>(static_cast<uint64_t>(key) >> 32), static_cast<uint32>(key), 1);
    const uint32 holdoff = InterruptHoldoffCount;
    InterruptHoldoffCount = 0;
    CHECK_FOR_INTERRUPTS();
    LockAcquire(&tag, ShareLock, false, false);
    InterruptHoldoffCount = holdoff;
    LockRelease(&tag, ShareLock, false);
  });
}

void Stop(const char* name) {
  if (stop_point == nullptr || stop_point->action == Action::kNone || strcmp(stop_point->name, name) != 0) return;
  const Action action = stop_point->action;
  if (CritSectionCount > 0 && action != Action::kCrash) return;
  if (passages++ < stop_point->skip) return;
  switch (action) {
    case Action::kWait:
      Wait(stop_point->key);
      break;
    case Action::kError:
      PgCall([&] { ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("stopped at \"%s\"", name))); });
      break;
    case Action::kCrash:
      XLogFlush(XactLastRecEnd);
      kill(getpid(), SIGKILL);
      break;
    case Action::kNone:
      break;
  }
}

}  // namespace

void DefineStopPointSettings() {
  DefineCustomStringVariable("xtree.stop_point", "Makes this session wait, fail or crash at a named place of the code.",
                             "NAME[+SKIP]:ACTION with ACTION one of wait:KEY, error, crash. For tests.", &setting, "", PGC_SUSET,
                             GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE, Check, Assign, nullptr);
  DefineCustomStringVariable("xtree.break_rule", "Breaks a rule of the freshness protocol on purpose.", "For tests.", &broken_rule, "",
                             PGC_SUSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE, nullptr, nullptr, nullptr);
  stop_point_hook = Stop;
}

void ScanStopPoint(const char* name) {
  Guarded([=] { Stop(name); });
}

bool RuleBroken(const char* name) { return broken_rule != nullptr && strcmp(broken_rule, name) == 0; }

}  // namespace xtree

#endif
