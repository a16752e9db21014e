// Kernels of codes for AVX2. Compiled with -mavx2; reached only through vector_kernels_dispatch.cpp, when the CPU has it.
#if defined(__x86_64__)

#include <immintrin.h>

#include <utility>

#include "core/cluster/vector_kernels.h"

namespace xtree {
namespace {

constexpr int kHeadBytes = 16;

inline __m256i LoadBlock(const uint8_t* at) { return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))); }

inline __m256i Product(__m256i k, const int16_t* weights) {
  return _mm256_madd_epi16(k, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights)));
}

inline int32_t SumOf(__m256i sum) {
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(1, 0, 3, 2)));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, _MM_SHUFFLE(2, 3, 0, 1)));
  return _mm_cvtsi128_si32(half);
}

int32_t Dot(const int16_t* weights, const uint8_t* code, int dimensions) {
  const int whole = WholeBlocks(dimensions);
  const uint8_t* at = code + kHeadBytes;
  const int16_t* const last = weights + whole * kKernelBlock;
  __m256i even = Product(LoadBlock(code + dimensions), last);
  __m256i odd = _mm256_setzero_si256();
  for (; weights + 4 * kKernelBlock <= last; weights += 4 * kKernelBlock, at += 4 * kKernelBlock) {
    even = _mm256_add_epi32(even, Product(LoadBlock(at), weights));
    odd = _mm256_add_epi32(odd, Product(LoadBlock(at + 16), weights + 16));
    even = _mm256_add_epi32(even, Product(LoadBlock(at + 32), weights + 32));
    odd = _mm256_add_epi32(odd, Product(LoadBlock(at + 48), weights + 48));
  }
  for (; weights < last; weights += kKernelBlock, at += kKernelBlock) even = _mm256_add_epi32(even, Product(LoadBlock(at), weights));
  return SumOf(_mm256_add_epi32(even, odd));
}

template <int... kSet>
using Sets = std::integer_sequence<int, kSet...>;

// Constant indices, so that all sums stay in registers.
template <int... kSet>
inline void Dots(Sets<kSet...>, const int16_t* const (&weights)[sizeof...(kSet)], const uint8_t* code, int dimensions, int32_t* out) {
  const int whole = WholeBlocks(dimensions) * kKernelBlock;
  __m256i sums[sizeof...(kSet)];
  const __m256i tail = LoadBlock(code + dimensions);
  ((sums[kSet] = Product(tail, weights[kSet] + whole)), ...);
  for (int slot = 0; slot < whole; slot += kKernelBlock) {
    const __m256i k = LoadBlock(code + kHeadBytes + slot);
    ((sums[kSet] = _mm256_add_epi32(sums[kSet], Product(k, weights[kSet] + slot))), ...);
  }
  ((out[kSet] = SumOf(sums[kSet])), ...);
}

void DotPair(const int16_t* first, const int16_t* second, const uint8_t* code, int dimensions, int32_t* out) {
  Dots(Sets<0, 1>(), {first, second}, code, dimensions, out);
}

void DotGrid(const int16_t* weights, const uint8_t* codes, size_t stride, int count, int dimensions, int32_t* out) {
  const int slots = KernelSlots(dimensions);
  const int16_t* const sets[4] = {weights, weights + slots, weights + 2 * slots, weights + 3 * slots};
  for (int c = 0; c < count; ++c) Dots(Sets<0, 1, 2, 3>(), sets, codes + c * stride, dimensions, out + 4 * c);
}

inline __m256 Delta(const float* place, const float* scale, const uint8_t* at) {
  const __m256i k = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)));
  const __m256 delta = _mm256_sub_ps(_mm256_loadu_ps(place), _mm256_mul_ps(_mm256_loadu_ps(scale), _mm256_cvtepi32_ps(k)));
  return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), delta);
}

float Taxicab(const float* place, const float* scale, const uint8_t* code, int dimensions) {
  const int whole = WholeBlocks(dimensions);
  const uint8_t* at = code + kHeadBytes;
  __m256 even_low = _mm256_setzero_ps(), even_high = even_low, odd_low = even_low, odd_high = even_low;
  int block = 0;
  for (; block + 2 <= whole; block += 2, at += 32, place += 32, scale += 32) {
    even_low = _mm256_add_ps(even_low, Delta(place, scale, at));
    even_high = _mm256_add_ps(even_high, Delta(place + 8, scale + 8, at + 8));
    odd_low = _mm256_add_ps(odd_low, Delta(place + 16, scale + 16, at + 16));
    odd_high = _mm256_add_ps(odd_high, Delta(place + 24, scale + 24, at + 24));
  }
  if (block < whole) {
    even_low = _mm256_add_ps(even_low, Delta(place, scale, at));
    even_high = _mm256_add_ps(even_high, Delta(place + 8, scale + 8, at + 8));
    odd_low = _mm256_add_ps(odd_low, Delta(place + 16, scale + 16, code + dimensions));
    odd_high = _mm256_add_ps(odd_high, Delta(place + 24, scale + 24, code + dimensions + 8));
  } else {
    even_low = _mm256_add_ps(even_low, Delta(place, scale, code + dimensions));
    even_high = _mm256_add_ps(even_high, Delta(place + 8, scale + 8, code + dimensions + 8));
  }
  const __m256 wide = _mm256_add_ps(_mm256_add_ps(even_low, odd_low), _mm256_add_ps(even_high, odd_high));
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(wide), _mm256_extractf128_ps(wide, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  sum = _mm_add_ss(sum, _mm_shuffle_ps(sum, sum, _MM_SHUFFLE(1, 1, 1, 1)));
  return _mm_cvtss_f32(sum);
}

}  // namespace

constinit const VectorKernels kAvx2VectorKernels = {"avx2", Dot, DotPair, DotGrid, Taxicab};

}  // namespace xtree

#endif
