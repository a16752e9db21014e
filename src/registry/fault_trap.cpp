// See fault_trap.h. The armed pages are volatile: the handler reads what the interrupted code wrote.
#include "registry/fault_trap.h"

#include <csignal>

#include "page/format.h"

namespace xtree {

namespace {

struct Armed {
  const uint8_t* volatile page;
  sigjmp_buf* volatile target;
};
Armed armed[2];
struct sigaction previous;
volatile sig_atomic_t taken = 0;

void HandleFault(int signal, siginfo_t* info, void* context) {
  const auto* address = static_cast<const uint8_t*>(info->si_addr);
  for (Armed& a : armed) {
    const uint8_t* page = a.page;
    if (page == nullptr || address < page || address >= page + kPageSize) continue;
    sigjmp_buf* target = a.target;
    DisarmPage(0);
    DisarmPage(1);
    taken = 1;
    siglongjmp(*target, 1);
  }
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {
    sigaction(SIGBUS, &previous, nullptr);  // the access faults again, and does what it did before
  }
}

}  // namespace

void InstallFaultHandler() {
  static bool installed = false;
  if (installed) return;
  struct sigaction action = {};
  action.sa_sigaction = HandleFault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;  // a second fault, after the jump out of the first, must not find the signal blocked
  sigemptyset(&action.sa_mask);
  installed = sigaction(SIGBUS, &action, &previous) == 0;
}

void ArmPage(int slot, const uint8_t* page, sigjmp_buf* target) {
  armed[slot].target = target;
  armed[slot].page = page;
}

void DisarmPage(int slot) { armed[slot].page = nullptr; }

bool FaultTaken() {
  const bool was = taken != 0;
  taken = 0;
  return was;
}

}  // namespace xtree
