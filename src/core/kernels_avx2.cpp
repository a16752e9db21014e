// Kernels for AVX2: four 64-bit or eight 32-bit ordinals at a time. The only file compiled with -mavx2; reached only
// through kernels_dispatch.cpp, when the CPU has it.
#if defined(__x86_64__)

#include <immintrin.h>

#include "core/kernels_simd.h"

namespace xtree {
namespace {

struct Avx2 {
  static __m256i Load(const uint8_t* at) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)); }

  template <int kCapacity, typename F>
  static uint32_t Bits64(const uint8_t* array, F failing) {
    uint32_t bits = 0;
    for (int i = 0; i < kCapacity; i += 4) {
      bits |= static_cast<uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(failing(Load(array + i * 8))))) << i;
    }
    return bits;
  }

  template <int kCapacity>
  static uint32_t Failing64(const uint8_t* array, const FilterTerm& term) {
    const __m256i min = _mm256_set1_epi64x(term.min);
    const __m256i max = _mm256_set1_epi64x(term.max);
    if (!term.test_max) return Bits64<kCapacity>(array, [=](__m256i v) { return _mm256_cmpgt_epi64(min, v); });
    if (!term.test_min) return Bits64<kCapacity>(array, [=](__m256i v) { return _mm256_cmpgt_epi64(v, max); });
    return Bits64<kCapacity>(
        array, [=](__m256i v) { return _mm256_or_si256(_mm256_cmpgt_epi64(min, v), _mm256_cmpgt_epi64(v, max)); });
  }

  template <int kCapacity>
  static uint32_t Failing32(const uint8_t* array, const FilterTerm& term) {
    const int32_t min = term.test_min ? static_cast<int32_t>(term.min) : INT32_MIN;
    const int32_t max = term.test_max ? static_cast<int32_t>(term.max) : INT32_MAX;
    if (kCapacity == 4) {
      const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(array));
      const __m128i failing =
          _mm_or_si128(_mm_cmpgt_epi32(_mm_set1_epi32(min), v), _mm_cmpgt_epi32(v, _mm_set1_epi32(max)));
      return static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(failing)));
    }
    uint32_t bits = 0;
    for (int i = 0; i < kCapacity; i += 8) {
      const __m256i v = Load(array + i * 4);
      const __m256i failing =
          _mm256_or_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(min), v), _mm256_cmpgt_epi32(v, _mm256_set1_epi32(max)));
      bits |= static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(failing))) << i;
    }
    return bits;
  }

  using Doubles = __m256d;
  static constexpr int kDoubles = 4;
  static Doubles Set(double value) { return _mm256_set1_pd(value); }
  static Doubles Add(Doubles a, Doubles b) { return _mm256_add_pd(a, b); }
  static Doubles Sub(Doubles a, Doubles b) { return _mm256_sub_pd(a, b); }
  static Doubles Mul(Doubles a, Doubles b) { return _mm256_mul_pd(a, b); }
  static Doubles Min(Doubles a, Doubles b) { return _mm256_min_pd(a, b); }
  static Doubles Max(Doubles a, Doubles b) { return _mm256_max_pd(a, b); }
  static void Store(double* at, Doubles values) { _mm256_storeu_pd(at, values); }

  // A negative ordinal has all bits but the sign flipped.
  static Doubles Decode(const uint8_t* at) {
    const __m256i v = Load(at);
    const __m256i negative = _mm256_cmpgt_epi64(_mm256_setzero_si256(), v);
    return _mm256_castsi256_pd(_mm256_xor_si256(v, _mm256_srli_epi64(negative, 1)));
  }

  static Doubles InfinityWhereNan(Doubles test, Doubles values) {
    return _mm256_blendv_pd(values, Set(__builtin_inf()), _mm256_cmp_pd(test, test, _CMP_UNORD_Q));
  }
};

}  // namespace

constinit const Kernels kAvx2Kernels = {"avx2", Filter<Avx2>, SquaredDistances<Avx2>};

}  // namespace xtree

#endif
