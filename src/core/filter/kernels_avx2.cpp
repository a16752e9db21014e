// Kernels for AVX2: four 64-bit or eight 32-bit ordinals at a time. The only file compiled with -mavx2; reached only
// through kernels_dispatch.cpp, when the CPU has it.
#if defined(__x86_64__)

#include <immintrin.h>

#include "core/filter/kernels_simd.h"

namespace xtree {
namespace {

struct Avx2 {
  using Vector = __m256i;
  static constexpr int kWide = 4;
  static constexpr int kNarrow = 8;
  static Vector Zero() { return _mm256_setzero_si256(); }
  static Vector Or(Vector a, Vector b) { return _mm256_or_si256(a, b); }
  template <int kBytes>
  static Vector Load(const uint8_t* at) {
    if constexpr (kBytes == 16) return _mm256_zextsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  }

  template <int kVectors, int kBytes>
  static void AddWide(const uint8_t* array, const FilterTerm& term, Failures<Avx2, kVectors, kBytes>* failures) {
    if (term.test_min) {
      const Vector min = _mm256_set1_epi64x(term.min);
      failures->Add(array, [=](Vector v) { return _mm256_cmpgt_epi64(min, v); });
    }
    if (term.test_max) {
      const Vector max = _mm256_set1_epi64x(term.max);
      failures->Add(array, [=](Vector v) { return _mm256_cmpgt_epi64(v, max); });
    }
  }

  template <int kVectors, int kBytes>
  static void AddNarrow(const uint8_t* array, const FilterTerm& term, Failures<Avx2, kVectors, kBytes>* failures) {
    if (term.test_min) {
      const Vector min = _mm256_set1_epi32(static_cast<int32_t>(term.min));
      failures->Add(array, [=](Vector v) { return _mm256_cmpgt_epi32(min, v); });
    }
    if (term.test_max) {
      const Vector max = _mm256_set1_epi32(static_cast<int32_t>(term.max));
      failures->Add(array, [=](Vector v) { return _mm256_cmpgt_epi32(v, max); });
    }
  }

  template <int kBytes>
  static uint32_t WideBits(const Failures<Avx2, 0, kBytes>&) {
    return 0;
  }
  template <int kVectors, int kBytes>
  static uint32_t WideBits(const Failures<Avx2, kVectors, kBytes>& failures) {
    const int bits = _mm256_movemask_pd(_mm256_castsi256_pd(failures.head));
    return static_cast<uint32_t>(bits) | WideBits(failures.tail) << kWide;
  }

  template <int kBytes>
  static uint32_t NarrowBits(const Failures<Avx2, 0, kBytes>&) {
    return 0;
  }
  template <int kVectors, int kBytes>
  static uint32_t NarrowBits(const Failures<Avx2, kVectors, kBytes>& failures) {
    const int bits = _mm256_movemask_ps(_mm256_castsi256_ps(failures.head));
    return static_cast<uint32_t>(bits) | NarrowBits(failures.tail) << kNarrow;
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
    const __m256i v = Load<32>(at);
    const __m256i negative = _mm256_cmpgt_epi64(_mm256_setzero_si256(), v);
    return _mm256_castsi256_pd(_mm256_xor_si256(v, _mm256_srli_epi64(negative, 1)));
  }

  static Doubles DecodeNarrow(const uint8_t* at) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i negative = _mm_srai_epi32(v, 31);
    return _mm256_cvtps_pd(_mm_castsi128_ps(_mm_xor_si128(v, _mm_srli_epi32(negative, 1))));
  }

  static uint32_t AtMostBits(const double* values, Doubles limit) {
    return static_cast<uint32_t>(_mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(values), limit, _CMP_LE_OQ)));
  }

  static Doubles InfinityWhereNan(Doubles test, Doubles values) {
    return _mm256_blendv_pd(values, Set(__builtin_inf()), _mm256_cmp_pd(test, test, _CMP_UNORD_Q));
  }
};

}  // namespace

constinit const Kernels kAvx2Kernels = {"avx2", Filter<Avx2>, SquaredDistances<Avx2>, AtMost<Avx2>};

}  // namespace xtree

#endif
