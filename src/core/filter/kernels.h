// The inner loops, in scalar, SSE2 and AVX2, chosen once at run time by what the CPU has. Each is tested against the scalar one.
#pragma once

#include "core/filter/constraint.h"

namespace xtree {

struct Kernels {
  const char* name;

  // Tests `terms` on a run of blocks holding `entries` entries; writes matching slots (entry numbers, ascending) to `slots`
  // (kMaxEntriesPerPage of room) and returns how many. Reads only whole blocks of the page. capacity is 16, 8, 4 or 1.
  int (*filter)(const uint8_t* first_block, const BlockLayout& block, int entries, const FilterTerm* terms, int term_count,
                uint16_t* slots);

  // Squared Euclidean distance from `query` to each entry's box over `dimensions` consecutive dimensions starting at `first`
  // (of one kFloat64 or kFloat32 column), entries in [0, entries); out has room for whole blocks. A lower bound: never above the exact square
  // (rounded down by a relative 1e-14 or so, and where the square overflows, finite); never NaN. Where a coordinate is NaN on either
  // side: 0 for that dimension where lo and hi are stored (directory pages, extended columns), +inf on leaves of point-like ones.
  void (*squared_distance)(const NodeView& node, int first, int dimensions, const double* query, double* out);

  // Places of those of `count` values that are at most `most`, ascending, and how many; `at` has kMaxEntriesPerPage of room. Reads up to 7
  // values more.
  int (*at_most)(const double* values, int count, double most, uint16_t* at);
};

// The arrays that squared_distance reads, for its implementations.
struct DistanceArrays {
  const DimensionLayout* dimension;
  int dimensions;
  int entries;
  int capacity;
  uint32_t block_bytes;
  bool directory;
  bool extended;  // lo and hi differ
  bool narrow;    // ordinals of 32 bits
  double shrink;  // factor that covers the rounding of all the sums
};
DistanceArrays FindDistanceArrays(const NodeView& node, int first, int dimensions);

// Bounds within which squares are exact up to rounding: above, one may overflow while the distance does not; below, it may lose bits.
inline constexpr double kLargestSquare = std::numeric_limits<double>::max();
inline constexpr double kSmallestSquare = 1e-290;

extern const Kernels kScalarKernels;
#if defined(__x86_64__)
extern const Kernels kSse2Kernels;
extern const Kernels kAvx2Kernels;  // REQUIRES a CPU with AVX2
#endif

// The best for this CPU; the environment variable XTREE_KERNELS=scalar|sse2|avx2 overrides for tests.
const Kernels& ActiveKernels();

}  // namespace xtree
