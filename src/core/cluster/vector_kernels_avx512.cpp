// Kernels of codes for AVX-512: 32 coordinates at a time. Compiled with -mavx512f -mavx512bw -mavx512vl -mavx512vnni; reached only through
// vector_kernels_dispatch.cpp, when the CPU has them.
#if defined(__x86_64__)

#include <immintrin.h>

#include <utility>

#include "core/cluster/vector_kernels.h"

// gcc 12 warns of undefined values in its own header, which are meant.
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

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
  const __m256i low = _mm512_extracti64x4_epi64(wide, 0), high = _mm512_extracti64x4_epi64(wide, 1);
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

inline __m512 Delta(const float* place, const float* scale, const uint8_t* at) {
  const __m512i k = _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
  return _mm512_abs_ps(_mm512_sub_ps(_mm512_loadu_ps(place), _mm512_mul_ps(_mm512_loadu_ps(scale), _mm512_cvtepi32_ps(k))));
}

float Taxicab(const float* place, const float* scale, const uint8_t* code, int dimensions) {
  const int whole = WholeBlocks(dimensions);
  const uint8_t* at = code + kHeadBytes;
  __m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();
  int block = 0;
  for (; block + 2 <= whole; block += 2, at += kWide, place += kWide, scale += kWide) {
    even = _mm512_add_ps(even, Delta(place, scale, at));
    odd = _mm512_add_ps(odd, Delta(place + kKernelBlock, scale + kKernelBlock, at + kKernelBlock));
  }
  if (block < whole) {
    even = _mm512_add_ps(even, Delta(place, scale, at));
    odd = _mm512_add_ps(odd, Delta(place + kKernelBlock, scale + kKernelBlock, code + dimensions));
  } else {
    even = _mm512_add_ps(even, Delta(place, scale, code + dimensions));
  }
  const __m512i all = _mm512_castps_si512(_mm512_add_ps(even, odd));
  const __m256 low = _mm256_castsi256_ps(_mm512_extracti64x4_epi64(all, 0));
  const __m256 high = _mm256_castsi256_ps(_mm512_extracti64x4_epi64(all, 1));
  const __m256 wide = _mm256_add_ps(low, high);
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(wide), _mm256_extractf128_ps(wide, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  sum = _mm_add_ss(sum, _mm_shuffle_ps(sum, sum, _MM_SHUFFLE(1, 1, 1, 1)));
  return _mm_cvtss_f32(sum);
}

}  // namespace

constinit const VectorKernels kAvx512VectorKernels = {"avx512", Dot, DotPair, DotGrid, Taxicab};

}  // namespace xtree

#endif
