// The kernels without vector instructions: what the others are tested against.
#include "core/cluster/vector_kernels.h"

namespace xtree {
namespace {

constexpr int kHeadBytes = 16;

// Calls `visit` with the slot and the coordinate of every slot.
template <typename Visit>
inline void ForEachSlot(const uint8_t* code, int dimensions, Visit visit) {
  const int whole = WholeBlocks(dimensions) * kKernelBlock;
  const auto* k = reinterpret_cast<const int8_t*>(code + kHeadBytes);
  for (int slot = 0; slot < whole; ++slot) visit(slot, k[slot]);
  const auto* last = reinterpret_cast<const int8_t*>(code + dimensions);
  for (int i = 0; i < kKernelBlock; ++i) visit(whole + i, last[i]);
}

int32_t Dot(const int16_t* weights, const uint8_t* code, int dimensions) {
  int32_t sum = 0;
  ForEachSlot(code, dimensions, [&](int slot, int k) { sum += weights[slot] * k; });
  return sum;
}

void DotPair(const int16_t* first, const int16_t* second, const uint8_t* code, int dimensions, int32_t* out) {
  out[0] = Dot(first, code, dimensions);
  out[1] = Dot(second, code, dimensions);
}

void DotGrid(const int16_t* weights, const uint8_t* codes, size_t stride, int count, int dimensions, int32_t* out) {
  const int slots = KernelSlots(dimensions);
  for (int c = 0; c < count; ++c, codes += stride) {
    for (int set = 0; set < 4; ++set) *out++ = Dot(weights + set * slots, codes, dimensions);
  }
}

float Taxicab(const float* place, const float* scale, const uint8_t* code, int dimensions) {
  float sums[kTaxicabSums] = {};
  ForEachSlot(code, dimensions, [&](int slot, int k) {
    const float delta = place[slot] - scale[slot] * static_cast<float>(k);
    sums[slot % kTaxicabSums] += __builtin_fabsf(delta);
  });
  for (int width = kTaxicabSums / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) sums[i] += sums[i + width];
  }
  return sums[0];
}

}  // namespace

constinit const VectorKernels kScalarVectorKernels = {"scalar", Dot, DotPair, DotGrid, Taxicab};

}  // namespace xtree
