// Kernels of codes for SSE2, which every x86-64 CPU has.
#if defined(__x86_64__)

#include <emmintrin.h>

#include <utility>

#include "core/cluster/vector_kernels.h"

namespace xtree {
namespace {

constexpr int kHeadBytes = 16;

struct Coordinates {
  __m128i low, high;  // eight of 16 bits each
};

inline Coordinates LoadBlock(const uint8_t* at) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  return {_mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8), _mm_srai_epi16(_mm_unpackhi_epi8(bytes, bytes), 8)};
}

inline const uint8_t* BlockOf(const uint8_t* code, int block, int whole, int dimensions) {
  return block < whole ? code + kHeadBytes + block * kKernelBlock : code + dimensions;
}

inline void AddBlock(const Coordinates& k, const int16_t* weights, __m128i* sum) {
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(weights));
  const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(weights + 8));
  *sum = _mm_add_epi32(*sum, _mm_add_epi32(_mm_madd_epi16(k.low, low), _mm_madd_epi16(k.high, high)));
}

inline int32_t SumOf(__m128i sum) {
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(2, 3, 0, 1)));
  return _mm_cvtsi128_si32(sum);
}

template <int... kSet>
using Sets = std::integer_sequence<int, kSet...>;

// Constant indices, so that all sums stay in registers.
template <int... kSet>
inline void Dots(Sets<kSet...>, const int16_t* const (&weights)[sizeof...(kSet)], const uint8_t* code, int dimensions, int32_t* out) {
  const int whole = WholeBlocks(dimensions);
  __m128i sums[sizeof...(kSet)];
  ((sums[kSet] = _mm_setzero_si128()), ...);
  for (int block = 0; block <= whole; ++block) {
    const Coordinates k = LoadBlock(BlockOf(code, block, whole, dimensions));
    (AddBlock(k, weights[kSet] + block * kKernelBlock, &sums[kSet]), ...);
  }
  ((out[kSet] = SumOf(sums[kSet])), ...);
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

inline __m128 Delta(const float* place, const float* scale, __m128i k) {
  const __m128 delta = _mm_sub_ps(_mm_loadu_ps(place), _mm_mul_ps(_mm_loadu_ps(scale), _mm_cvtepi32_ps(k)));
  return _mm_andnot_ps(_mm_set1_ps(-0.0f), delta);
}

float Taxicab(const float* place, const float* scale, const uint8_t* code, int dimensions) {
  const int whole = WholeBlocks(dimensions);
  __m128 sums[8];
  for (__m128& sum : sums) sum = _mm_setzero_ps();
  for (int block = 0; block <= whole; ++block) {
    const Coordinates k = LoadBlock(BlockOf(code, block, whole, dimensions));
    __m128* sum = sums + block % 2 * 4;
    const float* p = place + block * kKernelBlock;
    const float* s = scale + block * kKernelBlock;
    sum[0] = _mm_add_ps(sum[0], Delta(p, s, _mm_srai_epi32(_mm_unpacklo_epi16(k.low, k.low), 16)));
    sum[1] = _mm_add_ps(sum[1], Delta(p + 4, s + 4, _mm_srai_epi32(_mm_unpackhi_epi16(k.low, k.low), 16)));
    sum[2] = _mm_add_ps(sum[2], Delta(p + 8, s + 8, _mm_srai_epi32(_mm_unpacklo_epi16(k.high, k.high), 16)));
    sum[3] = _mm_add_ps(sum[3], Delta(p + 12, s + 12, _mm_srai_epi32(_mm_unpackhi_epi16(k.high, k.high), 16)));
  }
  for (int width = 4; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) sums[i] = _mm_add_ps(sums[i], sums[i + width]);
  }
  __m128 sum = _mm_add_ps(sums[0], _mm_movehl_ps(sums[0], sums[0]));
  sum = _mm_add_ss(sum, _mm_shuffle_ps(sum, sum, _MM_SHUFFLE(1, 1, 1, 1)));
  return _mm_cvtss_f32(sum);
}

}  // namespace

constinit const VectorKernels kSse2VectorKernels = {"sse2", Dot, DotPair, DotGrid, Taxicab};

}  // namespace xtree

#endif
