// See scan_node.h. Apart, so that no optimisation sees both sides of the jump.
#include "core/scan/scan_node.h"

namespace xtree {

// Nothing here is changed between the two returns of sigsetjmp. Without the signal mask, which would cost a system call:
// the handler runs with SA_NODEFER.
bool RunTrapped(PageReader& reader, bool (*attempt)(void* context), void* context) {
  if (sigsetjmp(*reader.fault_jump(), 0) == 0) return attempt(context);
  reader.GiveUp();
  return false;
}

bool Reject(PageReader& reader, BlockNumber block, const char* what) {
  if (!reader.Doubtful()) reader.Corrupt(block, what);
  reader.GiveUp();
  return false;
}

}  // namespace xtree
