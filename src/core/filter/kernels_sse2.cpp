// Kernels for SSE2, which every x86-64 CPU has: two 64-bit or four 32-bit ordinals at a time.
//
// SSE2 cannot compare 64-bit integers. Whether v lies outside [min, max] is asked by subtractions instead, whose sign
// bits are all that the result takes: with u = v - min and r = max - min, both modulo 2^64, v lies outside exactly when
// u > r as unsigned numbers. With d = r - u that is the sign of (u | d) when r < 2^63 (u is too large, or larger than
// r), and of (u & d) when r >= 2^63.
#if defined(__x86_64__)

#include <emmintrin.h>

#include "core/filter/kernels_simd.h"

namespace xtree {
namespace {

struct Sse2 {
  using Vector = __m128i;
  static constexpr int kWide = 2;
  static constexpr int kNarrow = 4;
  static Vector Zero() { return _mm_setzero_si128(); }
  static Vector Or(Vector a, Vector b) { return _mm_or_si128(a, b); }
  template <int kBytes>
  static Vector Load(const uint8_t* at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  }

  template <int kVectors, int kBytes>
  static void AddWide(const uint8_t* array, const FilterTerm& term, Failures<Sse2, kVectors, kBytes>* failures) {
    const uint64_t low = static_cast<uint64_t>(term.test_min ? term.min : kOrdinalMin);
    const uint64_t range = static_cast<uint64_t>(term.test_max ? term.max : kOrdinalMax) - low;
    const Vector min = _mm_set1_epi64x(static_cast<int64_t>(low));
    const Vector r = _mm_set1_epi64x(static_cast<int64_t>(range));
    if (range >> 63 == 0) {
      failures->Add(array, [=](Vector v) {
        const Vector u = _mm_sub_epi64(v, min);
        return _mm_or_si128(u, _mm_sub_epi64(r, u));
      });
    } else {
      failures->Add(array, [=](Vector v) {
        const Vector u = _mm_sub_epi64(v, min);
        return _mm_and_si128(u, _mm_sub_epi64(r, u));
      });
    }
  }

  template <int kVectors, int kBytes>
  static void AddNarrow(const uint8_t* array, const FilterTerm& term, Failures<Sse2, kVectors, kBytes>* failures) {
    if (term.test_min) {
      const Vector min = _mm_set1_epi32(static_cast<int32_t>(term.min));
      failures->Add(array, [=](Vector v) { return _mm_cmpgt_epi32(min, v); });
    }
    if (term.test_max) {
      const Vector max = _mm_set1_epi32(static_cast<int32_t>(term.max));
      failures->Add(array, [=](Vector v) { return _mm_cmpgt_epi32(v, max); });
    }
  }

  // The upper halves of two vectors carry the signs of four elements.
  template <int kBytes>
  static uint32_t WideBits(const Failures<Sse2, 0, kBytes>&) {
    return 0;
  }
  template <int kVectors, int kBytes>
  static uint32_t WideBits(const Failures<Sse2, kVectors, kBytes>& failures) {
    const __m128 low = _mm_castsi128_ps(failures.head);
    const __m128 high = _mm_castsi128_ps(failures.tail.head);
    const int bits = _mm_movemask_ps(_mm_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1)));
    return static_cast<uint32_t>(bits) | WideBits(failures.tail.tail) << (2 * kWide);
  }

  template <int kBytes>
  static uint32_t NarrowBits(const Failures<Sse2, 0, kBytes>&) {
    return 0;
  }
  template <int kVectors, int kBytes>
  static uint32_t NarrowBits(const Failures<Sse2, kVectors, kBytes>& failures) {
    const int bits = _mm_movemask_ps(_mm_castsi128_ps(failures.head));
    return static_cast<uint32_t>(bits) | NarrowBits(failures.tail) << kNarrow;
  }

  using Doubles = __m128d;
  static constexpr int kDoubles = 2;
  static Doubles Set(double value) { return _mm_set1_pd(value); }
  static Doubles Add(Doubles a, Doubles b) { return _mm_add_pd(a, b); }
  static Doubles Sub(Doubles a, Doubles b) { return _mm_sub_pd(a, b); }
  static Doubles Mul(Doubles a, Doubles b) { return _mm_mul_pd(a, b); }
  static Doubles Min(Doubles a, Doubles b) { return _mm_min_pd(a, b); }
  static Doubles Max(Doubles a, Doubles b) { return _mm_max_pd(a, b); }
  static void Store(double* at, Doubles values) { _mm_storeu_pd(at, values); }

  // A negative ordinal has all bits but the sign flipped. The sign of each half of 64 bits is that of its upper 32.
  static Doubles Decode(const uint8_t* at) {
    const __m128i v = Load<16>(at);
    const __m128i negative = _mm_shuffle_epi32(_mm_srai_epi32(v, 31), _MM_SHUFFLE(3, 3, 1, 1));
    return _mm_castsi128_pd(_mm_xor_si128(v, _mm_srli_epi64(negative, 1)));
  }

  static Doubles DecodeNarrow(const uint8_t* at) {
    const __m128i v = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
    const __m128i negative = _mm_srai_epi32(v, 31);
    return _mm_cvtps_pd(_mm_castsi128_ps(_mm_xor_si128(v, _mm_srli_epi32(negative, 1))));
  }

  static uint32_t AtMostBits(const double* values, Doubles limit) {
    return static_cast<uint32_t>(_mm_movemask_pd(_mm_cmple_pd(_mm_loadu_pd(values), limit)));
  }

  static Doubles InfinityWhereNan(Doubles test, Doubles values) {
    const __m128d nan = _mm_cmpunord_pd(test, test);
    return _mm_or_pd(_mm_andnot_pd(nan, values), _mm_and_pd(nan, Set(__builtin_inf())));
  }
};

}  // namespace

constinit const Kernels kSse2Kernels = {"sse2", Filter<Sse2>, SquaredDistances<Sse2>, AtMost<Sse2>};

}  // namespace xtree

#endif
