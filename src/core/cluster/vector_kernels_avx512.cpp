// Kernels of codes for AVX-512: 32 coordinates at a time. Compiled with -mavx512f -mavx512bw -mavx512vl -mavx512vnni; reached only through
// vector_kernels_dispatch.cpp, when the CPU has them. The sums of floats, which would be no faster, are those of AVX2.
#if defined(__x86_64__)

#include <immintrin.h>

#include <utility>

#include "core/cluster/vector_kernels.h"

namespace xtree {
namespace {

constexpr int kHeadBytes = 16;
constexpr int kWide = 2 * kKernelBlock;

inline __m512i LoadWide(const uint8_t* at) { return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at))); }
inline __m512i WeightsAt(const int16_t* at) { return _mm512_loadu_si512(at); }
inline __m256i LoadBlock(const uint8_t* at) { return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))); }
inline __m256i Product(__m256i k, const int16_t* weights) {
  return _mm256_madd_epi16(k, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights)));
}

inline int32_t SumOf(__m512i wide, __m256i narrow) {
  // With a mask of all, because gcc 12 warns of its own header's undefined value without.
  const __m256i low = _mm512_maskz_extracti64x4_epi64(0xFF, wide, 0), high = _mm512_maskz_extracti64x4_epi64(0xFF, wide, 1);
  const __m256i sum = _mm256_add_epi32(narrow, _mm256_add_epi32(low, high));
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(1, 0, 3, 2)));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(2, 3, 0, 1)));
  return _mm_cvtsi128_si32(half);
}

template <int... kSet>
using Sets = std::integer_sequence<int, kSet...>;

// Constant indices, so that all sums stay in registers.
template <int... kSet>
inline void Dots(Sets<kSet...>, const int16_t* const (&weights)[sizeof...(kSet)], const uint8_t* code, int dimensions, int32_t* out) {
  const int whole = WholeBlocks(dimensions) * kKernelBlock;
  const uint8_t* const at = code + kHeadBytes;
  __m512i even[sizeof...(kSet)], odd[sizeof...(kSet)];
  ((even[kSet] = odd[kSet] = _mm512_setzero_si512()), ...);
  int slot = 0;
  for (; slot + 2 * kWide <= whole; slot += 2 * kWide) {
    const __m512i first = LoadWide(at + slot), second = LoadWide(at + slot + kWide);
    ((even[kSet] = _mm512_dpwssd_epi32(even[kSet], first, WeightsAt(weights[kSet] + slot))), ...);
    ((odd[kSet] = _mm512_dpwssd_epi32(odd[kSet], second, WeightsAt(weights[kSet] + slot + kWide))), ...);
  }
  if (slot + kWide <= whole) {
    const __m512i first = LoadWide(at + slot);
    ((even[kSet] = _mm512_dpwssd_epi32(even[kSet], first, WeightsAt(weights[kSet] + slot))), ...);
    slot += kWide;
  }
  const __m256i tail = LoadBlock(code + dimensions);
  __m256i rest[sizeof...(kSet)];
  ((rest[kSet] = Product(tail, weights[kSet] + whole)), ...);
  if (slot < whole) {
    const __m256i k = LoadBlock(at + slot);
    ((rest[kSet] = _mm256_add_epi32(rest[kSet], Product(k, weights[kSet] + slot))), ...);
  }
  ((out[kSet] = SumOf(_mm512_add_epi32(even[kSet], odd[kSet]), rest[kSet])), ...);
}

int32_t Dot(const int16_t* weights, const uint8_t* code, int dimensions) {
  int32_t sum;
  Dots(Sets<0>(), {weights}, code, dimensions, &sum);
  return sum;
}

void DotPair(const int16_t* first, const int16_t* second, const uint8_t* code, int dimensions, int32_t* out) {
  Dots(Sets<0, 1>(), {first, second}, code, dimensions, out);
}

void DotGrid(const int16_t* weights, const uint8_t* codes, size_t stride, int count, int dimensions, int32_t* out) {
  const int slots = KernelSlots(dimensions);
  const int16_t* const sets[4] = {weights, weights + slots, weights + 2 * slots, weights + 3 * slots};
  for (int c = 0; c < count; ++c) Dots(Sets<0, 1, 2, 3>(), sets, codes + c * stride, dimensions, out + 4 * c);
}

float Taxicab(const float* place, const float* scale, const uint8_t* code, int dimensions) {
  return kAvx2VectorKernels.taxicab(place, scale, code, dimensions);
}

}  // namespace

constinit const VectorKernels kAvx512VectorKernels = {"avx512", Dot, DotPair, DotGrid, Taxicab};

}  // namespace xtree

#endif
