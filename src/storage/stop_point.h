// Stop points of debugging builds (STOP_POINTS=1): named places of the code, where the setting xtree.stop_point makes a session
// wait, fail or crash. Releases contain none of this.
#pragma once

#ifdef XTREE_STOP_POINTS
namespace xtree {

// Defines the setting. Called once, by _PG_init.
void DefineStopPointSetting();

}  // namespace xtree
#endif
