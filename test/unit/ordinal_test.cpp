// Ordinals sort as the numbers that they stand for, and give them back.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "page/ordinal.h"

namespace xtree {
namespace {

template <typename T>
std::vector<T> Ascending() {
  using Limits = std::numeric_limits<T>;
  return {-Limits::infinity(),
          Limits::lowest(),
          -1e9,
          -1,
          -Limits::min(),
          -Limits::denorm_min(),
          T{-0.0},
          T{0.0},
          Limits::denorm_min(),
          Limits::min(),
          1,
          1e9,
          Limits::max(),
          Limits::infinity(),
          Limits::quiet_NaN()};
}

template <typename T>
bool SameBits(T a, T b) {
  return memcmp(&a, &b, sizeof(a)) == 0;
}

TEST(OrdinalTest, DoublesSortAndRoundTrip) {
  const std::vector<double> values = Ascending<double>();
  for (size_t i = 0; i < values.size(); ++i) {
    const double back = DoubleFromOrdinal(OrdinalFromDouble(values[i]));
    EXPECT_TRUE(SameBits(values[i], back)) << values[i];
    if (i > 0) {
      EXPECT_LT(OrdinalFromDouble(values[i - 1]), OrdinalFromDouble(values[i])) << values[i];
    }
  }
}

TEST(OrdinalTest, FloatsSortAndRoundTrip) {
  const std::vector<float> values = Ascending<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    const float back = FloatFromOrdinal(OrdinalFromFloat(values[i]));
    EXPECT_TRUE(SameBits(values[i], back)) << values[i];
    if (i > 0) {
      EXPECT_LT(OrdinalFromFloat(values[i - 1]), OrdinalFromFloat(values[i])) << values[i];
    }
  }
}

TEST(OrdinalTest, RandomDoublesSort) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100000; ++i) {
    const double a = std::bit_cast<double>(random());
    const double b = std::bit_cast<double>(random());
    if (std::isnan(a) || std::isnan(b)) continue;
    ASSERT_EQ(a < b, OrdinalFromDouble(a) < OrdinalFromDouble(b)) << a << " and " << b;
  }
}

TEST(OrdinalTest, EveryNanIsTheLargest) {
  for (const double nan : {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::quiet_NaN(),
                           std::bit_cast<double>(uint64_t{0xFFF0000000000001}), std::nan("123")}) {
    EXPECT_EQ(kOrdinalMax, OrdinalFromDouble(nan));
  }
  EXPECT_EQ(INT32_MAX, OrdinalFromFloat(-std::numeric_limits<float>::quiet_NaN()));
}

TEST(OrdinalTest, DecodeFollowsTheScalar) {
  EXPECT_EQ(-7, Decode(Scalar::kInteger, -7));
  EXPECT_EQ(-7.5, Decode(Scalar::kFloat64, OrdinalFromDouble(-7.5)));
  EXPECT_EQ(-7.5, Decode(Scalar::kFloat32, OrdinalFromFloat(-7.5f)));
}

TEST(OrdinalTest, DecodeFiniteIsFiniteAndMonotone) {
  double previous = -std::numeric_limits<double>::infinity();
  for (const double value : Ascending<double>()) {
    const double decoded = DecodeFinite(Scalar::kFloat64, OrdinalFromDouble(value));
    EXPECT_TRUE(std::isfinite(decoded)) << value;
    EXPECT_LE(previous, decoded) << value;
    previous = decoded;
  }
  EXPECT_TRUE(std::isfinite(DecodeFinite(Scalar::kFloat32, OrdinalFromFloat(std::numeric_limits<float>::infinity()))));
}

}  // namespace
}  // namespace xtree
