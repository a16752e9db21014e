// Chooses the kernels of codes once, at their first use, by what the CPU can do. Any thread may ask at any time.
#include <cstdlib>
#include <cstring>

#include "core/cluster/vector_kernels.h"

namespace xtree {
namespace {

// A name that is unknown, or not of this CPU, changes nothing.
const VectorKernels& Choose(const char* wanted) {
  const auto is_wanted = [wanted](const VectorKernels& kernels) { return wanted != nullptr && strcmp(wanted, kernels.name) == 0; };
  if (is_wanted(kScalarVectorKernels)) return kScalarVectorKernels;
#if defined(__x86_64__)
  if (is_wanted(kSse2VectorKernels) || !__builtin_cpu_supports("avx2")) return kSse2VectorKernels;
  if (is_wanted(kAvx2VectorKernels) || !HasAvx512ForVectors()) return kAvx2VectorKernels;
  return kAvx512VectorKernels;
#else
  return kScalarVectorKernels;
#endif
}

}  // namespace

#if defined(__x86_64__)
bool HasAvx512ForVectors() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}
#endif

const VectorKernels& ActiveVectorKernels() {
  static const VectorKernels& kernels = Choose(getenv("XTREE_KERNELS"));
  return kernels;
}

}  // namespace xtree
