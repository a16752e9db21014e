// See residence.h.
#include "registry/residence.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

namespace xtree {

bool Residence::Allocate(const FileMapping& mapping) {
  windows_ = mapping.blocks() / kWindow + 1;
  window_ = static_cast<uint64_t*>(calloc(windows_, sizeof(uint64_t)));
  return window_ != nullptr;
}

// A window lies within one segment. A page of ours is absent if any page of the operating system's that it lies in is.
uint64_t Residence::LookAt(const FileMapping& mapping, BlockNumber first) {
  static const size_t os_page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  constexpr size_t kMostPages = kWindow * kPageSize / 4096;
  unsigned char present[kMostPages];
  const BlockNumber count = std::min(kWindow, mapping.blocks() - first);
  auto* begin = const_cast<uint8_t*>(mapping.Page(first));
  if (os_page < 4096 || mincore(begin, count * kPageSize, present) != 0) return kKnown;
  uint64_t window = kKnown;
  for (BlockNumber i = 0; i < count; i++) {
    const size_t last = (size_t{i + 1} * kPageSize - 1) / os_page;
    for (size_t page = size_t{i} * kPageSize / os_page; page <= last; page++) {
      if ((present[page] & 1) == 0) window |= uint64_t{1} << i;
    }
  }
  return window;
}

void Residence::LookAgainAfterFaults() {
  static long known = 0;  // of the process; each mapping that is used forgets by the next fault at the latest
  struct rusage usage;
  if (window_ == nullptr || getrusage(RUSAGE_SELF, &usage) != 0 || usage.ru_majflt == known) return;
  known = usage.ru_majflt;
  memset(window_, 0, windows_ * sizeof(uint64_t));
}

void Residence::Free() {
  free(window_);
  *this = Residence();
}

}  // namespace xtree
