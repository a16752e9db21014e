// The setting xtree.stop_point = 'NAME[+SKIP]:ACTION[,...]', for tests; '' means none. NAME is that of an XTREE_STOP_POINT, of which
// the first SKIP passages are let through. Actions:
//   wait:KEY  waits until nobody else holds advisory lock KEY (a bigint) exclusively, as pg_advisory_lock(KEY) does: visible in
//             pg_locks and to the isolation tester, and interruptible, although pages are locked
//   error     raises an ERROR, SQLSTATE XX000
//   crash     flushes the WAL that this session has written and kills its process, so that the server restarts
// In a critical section, where nothing may fail, only crash has an effect. Hooks are called from C++ frames: ERRORs go through
// PgCall.
#ifdef XTREE_STOP_POINTS

#include "testing/stop_point.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iterator>

#include "pg/compat.h"
#include "pg/guard.h"

extern "C" {
#include "storage/lock.h"
}

namespace xtree {

void (*stop_point_hook)(const char* name) = nullptr;

namespace {

enum class Action : uint8_t { kWait, kError, kCrash };

struct StopPoint {
  Action action;
  char name[NAMEDATALEN];
  uint64_t skip;
  int64_t key;  // of kWait
};

// Plain data, as the extra of a setting must be.
struct StopPoints {
  static constexpr int kMost = 4;
  int count;
  StopPoint point[kMost];
};

char* setting = nullptr;
char* broken_rule = nullptr;
const StopPoints* stop_points = nullptr;
uint64_t passages[StopPoints::kMost];

// Reads an action up to its end, or returns nullptr.
const char* ParseAction(const char* text, StopPoint* out) {
  static constexpr struct {
    const char* name;
    Action action;
  } kActions[] = {{"wait:", Action::kWait}, {"error", Action::kError}, {"crash", Action::kCrash}};
  for (const auto& action : kActions) {
    const size_t length = strlen(action.name);
    if (strncmp(text, action.name, length) != 0) continue;
    out->action = action.action;
    text += length;
    if (action.action != Action::kWait) return text;
    char* end;
    out->key = strtoll(text, &end, 10);
    return end == text ? nullptr : end;
  }
  return nullptr;
}

const char* ParsePoint(const char* text, StopPoint* out) {
  const size_t name = strcspn(text, "+:,");
  if (name == 0 || name >= sizeof(out->name)) return nullptr;
  memcpy(out->name, text, name);
  text += name;
  if (*text == '+') {
    char* end;
    out->skip = strtoull(text + 1, &end, 10);
    if (end == text + 1) return nullptr;
    text = end;
  }
  return *text == ':' ? ParseAction(text + 1, out) : nullptr;
}

bool Parse(const char* text, StopPoints* out) {
  *out = {};
  if (*text == '\0') return true;
  while (out->count < StopPoints::kMost) {
    text = ParsePoint(text, &out->point[out->count++]);
    if (text == nullptr) return false;
    if (*text == '\0') return true;
    if (*text++ != ',') return false;
  }
  return false;
}

bool Check(char** value, void** extra, GucSource) {
  StopPoints* const parsed = static_cast<StopPoints*>(pg::AllocateSettingExtra(sizeof(StopPoints)));
  if (parsed == nullptr) return false;
  if (!Parse(*value != nullptr ? *value : "", parsed)) {
    pg::FreeSettingExtra(parsed);
    GUC_check_errdetail("Expected NAME[+SKIP]:ACTION[,...] with ACTION one of wait:KEY, error, crash.");
    return false;
  }
  *extra = parsed;
  return true;
}

void Assign(const char*, void* extra) {
  stop_points = static_cast<const StopPoints*>(extra);
  std::fill(std::begin(passages), std::end(passages), 0);
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

void StopAt(const StopPoint& point) {
  switch (point.action) {
    case Action::kWait:
      Wait(point.key);
      break;
    case Action::kError:
      PgCall([&] { ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("stopped at \"%s\"", point.name))); });
      break;
    case Action::kCrash:
      XLogFlush(XactLastRecEnd);
      kill(getpid(), SIGKILL);
      break;
  }
}

void Stop(const char* name) {
  if (stop_points == nullptr) return;
  for (int i = 0; i < stop_points->count; i++) {
    const StopPoint& point = stop_points->point[i];
    if (strcmp(point.name, name) != 0) continue;
    if (CritSectionCount > 0 && point.action != Action::kCrash) continue;
    if (passages[i]++ >= point.skip) StopAt(point);
  }
}

}  // namespace

void DefineStopPointSettings() {
  DefineCustomStringVariable("xtree.stop_point", "Makes this session wait, fail or crash at a named place of the code.",
                             "NAME[+SKIP]:ACTION[,...] with ACTION one of wait:KEY, error, crash. For tests.", &setting, "", PGC_SUSET,
                             GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE, Check, Assign, nullptr);
  DefineCustomStringVariable("xtree.break_rule", "Breaks a rule of the freshness protocol on purpose.", "For tests.", &broken_rule, "",
                             PGC_SUSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE, nullptr, nullptr, nullptr);
  DefineFailingAllocation();
  stop_point_hook = Stop;
}

void ScanStopPoint(const char* name) {
  Guarded([=] { Stop(name); });
}

bool RuleBroken(const char* name) { return broken_rule != nullptr && strcmp(broken_rule, name) == 0; }

}  // namespace xtree

#endif
