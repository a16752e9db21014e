// Stop points of debugging builds (STOP_POINTS=1): named places of the code, where the setting xtree.stop_point makes a session
// wait, fail or crash. Releases contain none of this.
//
// The same builds can break a rule of the freshness protocol, xtree.break_rule = 'NAME', and let an allocation fail,
// xtree.fail_allocation = N, for tests that must see what then happens.
#pragma once

namespace xtree {

#ifdef XTREE_STOP_POINTS
// Defines the settings. Called once, by _PG_init.
void DefineStopPointSettings();

// Defines xtree.fail_allocation (failing_allocation.cpp). Called once, by DefineStopPointSettings.
void DefineFailingAllocation();

bool RuleBroken(const char* name);

// A stop point in a frame that nothing encloses but PostgreSQL's own: an ERROR leaves it as one, not as an exception.
void ScanStopPoint(const char* name);
#define XTREE_SCAN_STOP_POINT(name) ::xtree::ScanStopPoint(name)
#else
constexpr bool RuleBroken(const char*) { return false; }
#define XTREE_SCAN_STOP_POINT(name) \
  do {                              \
  } while (0)
#endif

}  // namespace xtree
