// The inner loops of vectors' codes, in scalar, SSE2, AVX2 and AVX-512, chosen once at run time by what the CPU has.
//
// All are of whole numbers, or sums of floats in one order, so each gives what the scalar one gives, bit for bit. Nothing is locked, nothing fails.
#pragma once

#include <cstddef>
#include <cstdint>

namespace xtree {

// Weights and floats for a kernel lie in blocks of 16 dimensions. The last block is for the last 16 bytes of a code, some of which an earlier one had
// (and with fewer than 16 dimensions are not coordinates at all): it weighs those 0. So no byte beyond a code is read.
inline constexpr int kKernelBlock = 16;
inline constexpr int kLowestCoordinate = -128;  // of any bytes; an encoder makes none below -127

inline constexpr int WholeBlocks(int dimensions) { return (dimensions - 1) / kKernelBlock; }
inline constexpr int KernelSlots(int dimensions) { return (WholeBlocks(dimensions) + 1) * kKernelBlock; }
// The slot of a dimension.
inline constexpr int KernelSlot(int dimension, int dimensions) {
  const int whole = WholeBlocks(dimensions) * kKernelBlock;
  return dimension < whole ? dimension : dimension - (dimensions - kKernelBlock) + whole;
}

// REQUIRES of all: `code` is a whole code, its head (16 bytes) included; weights, whose slots without a dimension are 0, add up to less than 2^24
// without their signs, so that no sum overflows.
struct VectorKernels {
  const char* name;

  // sum weight[d] * k[d]
  int32_t (*dot)(const int16_t* weights, const uint8_t* code, int dimensions);
  // The same with two sets of weights.
  void (*dot_pair)(const int16_t* first, const int16_t* second, const uint8_t* code, int dimensions, int32_t* out);
  // The same with four, one after another, for each of `count` codes that lie `stride` bytes apart; out[4 * code + set].
  void (*dot_grid)(const int16_t* weights, const uint8_t* codes, size_t stride, int count, int dimensions, int32_t* out);
  // sum |place[d] - k[d] * scale[d]|, in 32 sums of floats: of the dimensions of even blocks, and of odd ones, by their place in the block.
  float (*taxicab)(const float* place, const float* scale, const uint8_t* code, int dimensions);
};

inline constexpr int kTaxicabSums = 2 * kKernelBlock;
// Weights' absolute values add up to at most that.
inline constexpr int32_t kLargestWeightSum = INT32_MAX / -kLowestCoordinate;

extern const VectorKernels kScalarVectorKernels;
#if defined(__x86_64__)
extern const VectorKernels kSse2VectorKernels;
extern const VectorKernels kAvx2VectorKernels;    // REQUIRES a CPU with AVX2
extern const VectorKernels kAvx512VectorKernels;  // REQUIRES a CPU with AVX-512 F, BW, VL and VNNI
bool HasAvx512ForVectors();
#endif

// The best for this CPU; the environment variable XTREE_KERNELS=scalar|sse2|avx2|avx512 overrides for tests.
const VectorKernels& ActiveVectorKernels();

}  // namespace xtree
