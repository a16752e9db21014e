// Chooses the kernels once, at their first use, by what the CPU can do. Any thread may ask at any time.
#include <cstdlib>
#include <cstring>

#include "core/filter/kernels.h"

namespace xtree {
namespace {

// A name that is unknown, or not of this CPU, changes nothing.
const Kernels& Choose(const char* wanted) {
  const auto is_wanted = [wanted](const Kernels& kernels) { return wanted != nullptr && strcmp(wanted, kernels.name) == 0; };
  if (is_wanted(kScalarKernels)) return kScalarKernels;
#if defined(__x86_64__)
  if (is_wanted(kSse2Kernels)) return kSse2Kernels;
  return __builtin_cpu_supports("avx2") ? kAvx2Kernels : kSse2Kernels;
#else
  return kScalarKernels;
#endif
}

}  // namespace

const Kernels& ActiveKernels() {
  static const Kernels& kernels = Choose(getenv("XTREE_KERNELS"));
  return kernels;
}

}  // namespace xtree
