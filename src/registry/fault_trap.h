// SIGBUS under a mapping: a page that the disk cannot give, or that lies beyond the end of a file that was truncated. Instead of
// ending the process the handler jumps back to the scan, which reads the page through shared buffers, whose own ERROR is the user's.
//
// Only while pages are armed, and only for addresses within them; any other SIGBUS goes to whatever handled it before.
#pragma once

#include <csetjmp>
#include <cstdint>

namespace xtree {

// Installs the handler, once per process.
void InstallFaultHandler();

// From now on a fault in the page jumps to `target`. `slot`: 0 or 1, a node and a follower of it. The target's frame must be alive
// until the page is disarmed.
void ArmPage(int slot, const uint8_t* page, sigjmp_buf* target);
void DisarmPage(int slot);

// Was there a fault since the last call?
bool FaultTaken();

}  // namespace xtree
