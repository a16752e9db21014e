// The inner loops, in scalar, SSE2 and AVX2, chosen once at run time by what the CPU has. Each is tested against the scalar one.
#pragma once

#include "core/constraint.h"

namespace xtree {

struct Kernels {
  const char* name;

  // Tests `terms` on a run of blocks holding `entries` entries; appends matching slots (entry numbers, ascending) to `slots` and
  // returns how many. Reads only whole blocks of the page. capacity is 16, 8, 4 or 1.
  int (*filter)(const uint8_t* first_block, const BlockLayout& block, int entries, const FilterTerm* terms, int term_count,
                uint16_t* slots);

  // Squared Euclidean distance from `query` to each entry's box over `dimensions` consecutive dimensions starting at `first`
  // (64-bit kFloat64 dimensions only), entries in [0, entries); out has room for whole blocks. A lower bound: never above
  // the exact square (rounded down by a relative 1e-14 or so), finite or +inf; NaN coordinates on either side count as 0 distance
  // in directory pages (extended arrays) and +inf on leaves.
  void (*squared_distance)(const NodeView& node, int first, int dimensions, const double* query, double* out);
};

extern const Kernels kScalarKernels;
#if defined(__x86_64__)
extern const Kernels kSse2Kernels;
extern const Kernels kAvx2Kernels;  // REQUIRES a CPU with AVX2
#endif

// The best for this CPU; the environment variable XTREE_KERNELS=scalar|sse2|avx2 overrides for tests.
const Kernels& ActiveKernels();

}  // namespace xtree
