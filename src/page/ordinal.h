// Ordinals: every coordinate is stored as a signed integer that sorts as the type sorts (src/README.md, "Keys").
//
// 64-bit ordinals for int8, float8 and timestamps, 32-bit ones for narrow types. Comparison is therefore exact and branch-free;
// arithmetic (area, margin, distance) decodes to double. No Postgres header here or anywhere else in src/core and src/page.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace xtree {

using Ordinal = int64_t;

inline constexpr Ordinal kOrdinalMin = std::numeric_limits<Ordinal>::min();
inline constexpr Ordinal kOrdinalMax = std::numeric_limits<Ordinal>::max();

// How an ordinal turns into the number it stands for.
enum class Scalar : uint8_t {
  kInteger = 0,  // the ordinal is the value (int2 ... int8, date, timestamp)
  kFloat64 = 1,  // OrdinalFromDouble
  kFloat32 = 2,  // OrdinalFromFloat, 32 bits
};

// Sign-flip map of IEEE 754: -inf < ... < -0 < +0 < ... < +inf < NaN. Every NaN maps to one ordinal, as PostgreSQL's order has it.
// -0 and +0 keep ordinals of their own so that an index-only scan returns what was stored; a constraint covers both.
inline Ordinal OrdinalFromDouble(double value) {
  if (std::isnan(value)) return kOrdinalMax;
  const int64_t bits = std::bit_cast<int64_t>(value);
  return bits >= 0 ? bits : bits ^ kOrdinalMax;
}

inline double DoubleFromOrdinal(Ordinal ordinal) {
  if (ordinal == kOrdinalMax) return std::numeric_limits<double>::quiet_NaN();
  return std::bit_cast<double>(ordinal >= 0 ? ordinal : ordinal ^ kOrdinalMax);
}

inline int32_t OrdinalFromFloat(float value) {
  if (std::isnan(value)) return std::numeric_limits<int32_t>::max();
  const int32_t bits = std::bit_cast<int32_t>(value);
  return bits >= 0 ? bits : bits ^ std::numeric_limits<int32_t>::max();
}

inline float FloatFromOrdinal(int32_t ordinal) {
  constexpr int32_t kMax = std::numeric_limits<int32_t>::max();
  if (ordinal == kMax) return std::numeric_limits<float>::quiet_NaN();
  return std::bit_cast<float>(ordinal >= 0 ? ordinal : ordinal ^ kMax);
}

// The number for arithmetic; NaN stays NaN and infinities stay infinite (see Clamped for area and margin).
inline double Decode(Scalar scalar, Ordinal ordinal) {
  switch (scalar) {
    case Scalar::kFloat64:
      return DoubleFromOrdinal(ordinal);
    case Scalar::kFloat32:
      return FloatFromOrdinal(static_cast<int32_t>(ordinal));
    case Scalar::kInteger:
      break;
  }
  return static_cast<double>(ordinal);
}

// Decode for area and margin, where an infinite side would drown every other: finite, and still monotone.
inline double DecodeFinite(Scalar scalar, Ordinal ordinal) {
  constexpr double kHuge = std::numeric_limits<double>::max() / 4;
  const double value = Decode(scalar, ordinal);
  if (!(value < kHuge)) return kHuge;  // +inf and NaN, which sorts above it
  return value > -kHuge ? value : -kHuge;
}

// The same, counted from another ordinal where that loses nothing: neighbours beyond 2^53 are told apart only by their difference.
inline double DecodeFrom(Scalar scalar, Ordinal origin, Ordinal ordinal) {
  if (scalar != Scalar::kInteger) return DecodeFinite(scalar, ordinal);
  const uint64_t distance = ordinal < origin ? static_cast<uint64_t>(origin) - static_cast<uint64_t>(ordinal)
                                             : static_cast<uint64_t>(ordinal) - static_cast<uint64_t>(origin);
  return ordinal < origin ? -static_cast<double>(distance) : static_cast<double>(distance);
}

// What a further word of a long number (ColumnShape::words) counts beside one before it that tells entries apart as well.
inline constexpr double kMinorWeight = 0x1p-64;
// And what one counts that comes before all others (ColumnShape::leading).
inline constexpr double kLeadingWeight = 0x1p32;

}  // namespace xtree
