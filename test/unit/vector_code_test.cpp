// Codes of vectors: no bound is above what an operator computes, whatever the vectors are, and bounds are close where they can be.
#include <gtest/gtest.h>

#include <functional>

#include "vector_fixture.h"

namespace xtree::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class VectorCodeTest : public testing::Test {
 protected:
  double Normal(double size = 1) { return size * std::normal_distribution<double>()(random_); }
  int Between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  double Magnitude(int low, int high) { return std::pow(10.0, std::uniform_real_distribution<double>(low, high)(random_)); }

  Values Vector(int dimensions, const std::function<double()>& value) {
    Values vector(static_cast<size_t>(dimensions));
    for (double& x : vector) x = value();
    return vector;
  }

  // A model of vectors of about this size, each dimension of its own scale where `spread` > 0.
  ModelBytes Model(int dimensions, double size, double center, int spread) {
    ModelBytes model(dimensions, 1);
    for (int d = 0; d < dimensions; ++d) {
      model.center()[d] = static_cast<float>(Normal(center));
      const double scale = 4 * size / 127 * Magnitude(-spread, 0);
      model.scale()[d] = static_cast<float>(std::clamp<double>(scale, kSmallestScale, kLargestScale));
    }
    return model;
  }

  // Vectors that a model was made for, and such that it was not.
  std::vector<Values> Around(const VectorModel& model, int count) {
    std::vector<Values> vectors;
    const auto fill = [&](double times) {
      Values x(static_cast<size_t>(model.dimensions()));
      for (int d = 0; d < model.dimensions(); ++d) x[d] = model.center()[d] + Normal(model.scale()[d]) * 30 * times;
      return x;
    };
    for (int i = 0; i < count; ++i) vectors.push_back(fill(1));
    vectors.push_back(fill(0));
    vectors.push_back(fill(1e-3));
    vectors.push_back(fill(5));
    vectors.push_back(fill(1e4));
    vectors.push_back(fill(1e25));
    vectors.push_back(fill(1));
    vectors.back()[static_cast<size_t>(Between(0, model.dimensions() - 1))] *= 1e6;
    for (const double value : {0.0, 1e-300, 1e-160, -1e-44, 1e-30, 1e15, -1e19, 1e30, 1e38, 1e150, -1e200, 1.7e308}) {
      vectors.push_back(Vector(model.dimensions(), [&] { return value * Between(-3, 3); }));
      vectors.push_back(fill(1));
      vectors.back()[static_cast<size_t>(Between(0, model.dimensions() - 1))] = value;
    }
    for (const double value : {kInfinity, -kInfinity, kNan}) {
      vectors.push_back(fill(1));
      vectors.back()[static_cast<size_t>(Between(0, model.dimensions() - 1))] = value;
    }
    // The opposite, a multiple, and (for a float's operator) neighbours of the first.
    for (const double times : {-1.0, 1.0, 0.3, 1e-12, 1 + 1e-7, 1 + 1e-14}) {
      vectors.push_back(vectors[0]);
      for (double& x : vectors.back()) x *= times;
    }
    return vectors;
  }

  static Values InFloats(const Values& vector) {
    Values rounded;
    for (const double x : vector) rounded.push_back(static_cast<float>(x));
    return rounded;
  }

  static void ExpectBounds(const VectorModel& model, const std::vector<Values>& vectors, bool in_float) {
    const size_t dimensions = vectors[0].size();
    const double rounding = in_float ? FloatRounding(dimensions) : DoubleRounding(dimensions);
    std::vector<std::vector<uint8_t>> codes;
    for (const Values& x : vectors) codes.push_back(CodeOf(model, x));
    for (const Values& q : vectors) {
      for (const VectorMetric metric : kMetrics) {
        const Query query(model, metric, q, rounding);
        for (size_t i = 0; i < vectors.size(); ++i) {
          const double value = in_float ? ValueIn<float>(metric, q, vectors[i]) : ValueIn<double>(metric, q, vectors[i]);
          const double bound = query->LowerBound(codes[i].data());
          ASSERT_FALSE(std::isnan(bound));
          ASSERT_TRUE(NotAbove(bound, value)) << "metric " << static_cast<int>(metric) << ", " << dimensions << " dimensions, vector " << i
                                              << ": " << bound << " is above " << value;
        }
      }
    }
  }

  std::mt19937_64 random_{20261130};
};

TEST_F(VectorCodeTest, NoBoundIsAboveTheOperatorsValue) {
  for (const int dimensions : {1, 2, 3, 16, 17, 33, 100, 768, 2000}) {
    for (const double size : {1.0, 1e-3, 1e-20, 1e-38, 1e9, 1e17}) {
      for (const double center : {0.0, 0.3, 100.0}) {
        for (const int spread : {0, 3}) {
          if (dimensions > 100 && (spread == 0) != (center == 0)) continue;
          const ModelBytes model = Model(dimensions, size, center * size, spread);
          std::vector<Values> vectors = Around(model.model(), dimensions > 100 ? 3 : 8);
          ExpectBounds(model.model(), vectors, false);
          for (Values& x : vectors) x = InFloats(x);
          ExpectBounds(model.model(), vectors, true);
        }
      }
    }
  }
}

// Against exact values: without an operator's rounding a bound is not above by anything but that of a double.
TEST_F(VectorCodeTest, NoBoundIsAboveTheExactValue) {
  for (const int dimensions : {1, 2, 25, 100, 768}) {
    const ModelBytes model = Model(dimensions, 1, 0.5, 2);
    std::vector<Values> vectors;
    for (int i = 0; i < 200; ++i) {
      vectors.push_back(Vector(dimensions, [&] { return Normal(0.3); }));
      if (i % 2 != 0) {
        for (size_t d = 0; d < vectors[i].size(); ++d) vectors[i][d] = vectors[i - 1][d] + vectors[i][d] * 1e-2;
      }
    }
    for (size_t i = 0; i < vectors.size(); ++i) {
      for (const VectorMetric metric : kMetrics) {
        const Query query(model.model(), metric, vectors[i], 0);
        for (size_t j = 0; j < vectors.size(); ++j) {
          const double bound = query->LowerBound(CodeOf(model.model(), vectors[j]).data());
          ASSERT_LE(bound, ValueIn<long double>(metric, vectors[i], vectors[j]))
              << "metric " << static_cast<int>(metric) << " " << i << " " << j;
        }
      }
    }
  }
}

// What the code loses is all that a bound loses, and of inner product and cosine only the part across the vector.
TEST_F(VectorCodeTest, BoundsAreTight) {
  for (const int dimensions : {25, 100, 768, 2000}) {
    for (const int spread : {0, 2}) {
      const ModelBytes bytes = Model(dimensions, 1, 0.2, spread);
      const VectorModel model = bytes.model();
      for (int round = 0; round < 50; ++round) {
        Values x(static_cast<size_t>(dimensions)), q(x.size());
        for (int d = 0; d < dimensions; ++d) {
          x[d] = model.center()[d] + Normal(model.scale()[d]) * 30;
          q[d] = x[d] + Normal(model.scale()[d]) * 15;
        }
        const std::vector<uint8_t> code = CodeOf(model, x);
        const double rest = HeadOf(code).rest, taxi_rest = HeadOf(code).taxi_rest;
        const double distance = ValueIn<double>(VectorMetric::kEuclid, q, x);
        const auto lost = [&](VectorMetric metric) {
          return ValueIn<double>(metric, q, x) - Query(model, metric, q, 0)->LowerBound(code.data());
        };
        EXPECT_LE(lost(VectorMetric::kEuclid), 2.02 * rest);
        EXPECT_LE(lost(VectorMetric::kTaxicab), 2.01 * taxi_rest);
        EXPECT_LE(lost(VectorMetric::kInnerProduct), 2.2 * rest * distance);
        EXPECT_LE(lost(VectorMetric::kCosine), 2.2 * rest * distance / HeadOf(code).norm / HeadOf(CodeOf(model, q)).norm);
        EXPECT_LE(rest, 0.04 * distance);
      }
    }
  }
}

// An outlier, whose code is cut off, is known to be far away all the same.
TEST_F(VectorCodeTest, OutliersAreFar) {
  const ModelBytes model = Model(100, 1, 0, 0);
  Values q = Vector(100, [&] { return Normal(1); }), x = q;
  x[7] = 1e10;
  for (const VectorMetric metric : {VectorMetric::kEuclid, VectorMetric::kTaxicab}) {
    EXPECT_GT(Query(model.model(), metric, q, 1e-15)->LowerBound(CodeOf(model.model(), x).data()), 0.99e10);
  }
  x[7] = 1e300;
  EXPECT_GT(Query(model.model(), VectorMetric::kEuclid, q, 1e-15)->LowerBound(CodeOf(model.model(), x).data()), 3e38);
}

TEST_F(VectorCodeTest, VectorsThatAreNotFinite) {
  const ModelBytes model = Model(10, 1, 0.1, 0);
  const Values q = Vector(10, [&] { return Normal(1); });
  for (const double odd : {kInfinity, -kInfinity, kNan}) {
    Values x = q;
    x[3] = odd;
    const std::vector<uint8_t> code = CodeOf(model.model(), x);
    EXPECT_TRUE(std::isnan(HeadOf(code).rest));
    for (const VectorMetric metric : kMetrics) {
      const bool distance = metric == VectorMetric::kEuclid || metric == VectorMetric::kTaxicab;
      EXPECT_EQ(distance ? kInfinity : -kInfinity, Query(model.model(), metric, q, 0)->LowerBound(code.data()));
      EXPECT_EQ(-kInfinity, Query(model.model(), metric, x, 0)->LowerBound(CodeOf(model.model(), q).data()));
    }
    const VectorPlace place = PlaceOf(model.model(), x.data(), code.data());
    EXPECT_EQ(0, place.cluster);
    EXPECT_EQ(kInfinity, place.distance);
  }
  const Values zero(10);
  EXPECT_EQ(kInfinity, Query(model.model(), VectorMetric::kCosine, q, 0)->LowerBound(CodeOf(model.model(), zero).data()));
  EXPECT_LT(Query(model.model(), VectorMetric::kCosine, q, 0)->LowerBound(CodeOf(model.model(), Values(10, 1e-300)).data()), 2);
}

TEST_F(VectorCodeTest, AnyBytesAreRead) {
  for (const int dimensions : {1, 16, 99, 768}) {
    const ModelBytes model = Model(dimensions, 1, 1, 1);
    const Values q = Vector(dimensions, [&] { return Normal(1); });
    for (int round = 0; round < 500; ++round) {
      std::vector<uint8_t> code(VectorCodeBytes(dimensions));
      for (uint8_t& byte : code)
        byte = static_cast<uint8_t>(round % 3 == 0 ? Between(0x7F, 0x80) : round % 3 == 1 ? 0xFF : Between(0, 255));
      const uint8_t* codes[] = {code.data(), code.data()};
      for (const VectorMetric metric : kMetrics) {
        const Query query(model.model(), metric, q, 1e-15);
        const double bound = query->LowerBound(code.data());
        EXPECT_FALSE(std::isnan(bound));
        double bounds[2];
        query->LowerBounds(codes, 2, bounds);
        EXPECT_EQ(bound, bounds[0]);
        EXPECT_EQ(bound, bounds[1]);
      }
      PlaceOf(model.model(), q.data(), code.data());
    }
  }
}

// 1 - 1e-18 is 1 as a double, which has an exact code.
TEST_F(VectorCodeTest, CodesSayWhatTheirDifferencesLose) {
  ModelBytes model(1, 1);
  model.center()[0] = 1e-18f;
  model.scale()[0] = 1.0f / 64;
  const VectorCodeHead head = HeadOf(CodeOf(model.model(), {1}));
  EXPECT_GE(head.rest, 1e-18f);
  EXPECT_GE(head.taxi_rest, 1e-18f);
  EXPECT_LE(head.rest, 1e-15f);
}

TEST_F(VectorCodeTest, CodesSayWhatTheyLose) {
  for (const int dimensions : {1, 2, 31, 100, 2000}) {
    const ModelBytes bytes = Model(dimensions, 1, 0.3, 2);
    const VectorModel model = bytes.model();
    for (const Values& x : Around(model, 20)) {
      const std::vector<uint8_t> code = CodeOf(model, x);
      const VectorCodeHead head = HeadOf(code);
      if (std::isnan(head.rest)) continue;
      long double square = 0, rest = 0, taxi_rest = 0, norm = 0;
      for (int d = 0; d < dimensions; ++d) {
        const auto k = static_cast<int8_t>(code[16 + static_cast<size_t>(d)]);
        EXPECT_GE(k, -127);
        const long double y = static_cast<long double>(x[d]) - model.center()[d], coded = static_cast<long double>(model.scale()[d]) * k;
        square += coded * coded;
        rest += (y - coded) * (y - coded);
        taxi_rest += std::fabs(y - coded);
        norm += static_cast<long double>(x[d]) * x[d];
      }
      EXPECT_NEAR(static_cast<double>(square), head.square, head.square * 1e-7);
      EXPECT_GE(head.rest, std::sqrt(rest));
      EXPECT_GE(head.taxi_rest, taxi_rest);
      if (rest < 1e76) {
        EXPECT_LE(head.rest, std::sqrt(rest) * (1 + 1e-6) + std::sqrt(square) * 1e-15 + 2e-45);
      }
      if (head.norm > 1e-37 && std::isfinite(head.norm)) {
        EXPECT_NEAR(1, static_cast<double>(std::sqrt(norm) / head.norm), 6.1e-8);
      }
      EXPECT_EQ(norm == 0, head.norm == 0);
    }
  }
}

}  // namespace
}  // namespace xtree::test
