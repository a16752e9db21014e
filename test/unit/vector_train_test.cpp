// Models: what training finds, that every model is valid and nothing else is, the clusters of vectors, and the bounds of clusters.
#include <gtest/gtest.h>

#include <functional>

#include "core/cluster/train.h"
#include "vector_fixture.h"

namespace xtree::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class VectorTrainTest : public testing::Test {
 protected:
  float Normal(float size = 1) { return size * std::normal_distribution<float>()(random_); }
  uint64_t Below(uint64_t bound) { return random_() % bound; }

  // `centers` places, rows around them.
  std::vector<float> Clustered(uint64_t count, int dimensions, int centers, float width) {
    places_.resize(static_cast<size_t>(centers * dimensions));
    for (float& x : places_) x = Normal();
    std::vector<float> sample;
    for (uint64_t row = 0; row < count; ++row) {
      const size_t place = Below(static_cast<uint64_t>(centers)) * static_cast<size_t>(dimensions);
      for (int d = 0; d < dimensions; ++d) sample.push_back(places_[place + static_cast<size_t>(d)] + Normal(width));
    }
    return sample;
  }

  ModelBytes Train(const std::vector<float>& sample, int dimensions, int clusters = 0, uint64_t rows = 0) {
    TrainOptions options = {};
    options.dimensions = dimensions;
    options.clusters = clusters;
    options.rows = rows > 0 ? rows : sample.size() / static_cast<size_t>(dimensions);
    const std::vector<uint8_t> bytes = TrainModel(sample.data(), sample.size() / static_cast<size_t>(dimensions), options);
    EXPECT_EQ(bytes, TrainModel(sample.data(), sample.size() / static_cast<size_t>(dimensions), options));
    ModelBytes model(bytes);
    EXPECT_STREQ(nullptr, VectorModel::Validate(model.data(), bytes.size()));
    EXPECT_EQ(bytes.size(), model.model().head().bytes);
    return model;
  }

  static Values Row(const std::vector<float>& sample, int dimensions, uint64_t row) {
    const auto at = sample.begin() + static_cast<ptrdiff_t>(row) * dimensions;
    return Values(at, at + dimensions);
  }

  static std::vector<long double> Centroid(const VectorModel& model, int cluster) {
    std::vector<long double> at;
    for (int d = 0; d < model.dimensions(); ++d) {
      at.push_back(static_cast<long double>(model.center()[d]) +
                   static_cast<long double>(model.scale()[d]) * static_cast<int8_t>(model.centroid(cluster)[16 + d]));
    }
    return at;
  }
  static long double Distance(const Values& x, const std::vector<long double>& from) {
    long double sum = 0;
    for (size_t d = 0; d < x.size(); ++d) sum += (x[d] - from[d]) * (x[d] - from[d]);
    return std::sqrt(sum);
  }

  std::mt19937_64 random_{20261130};
  std::vector<float> places_;
};

TEST_F(VectorTrainTest, ClustersAreFound) {
  for (const int dimensions : {2, 30, 200}) {
    const std::vector<float> sample = Clustered(8000, dimensions, 20, 0.02f);
    const ModelBytes bytes = Train(sample, dimensions, 20);
    const VectorModel model = bytes.model();
    EXPECT_EQ(20, model.clusters());
    EXPECT_NEAR(0.02 * std::sqrt(dimensions), model.head().spread, dimensions == 2 ? 0.1 : 0.1 * std::sqrt(dimensions));
    // Nearly all places have their centroid.
    int found = 0;
    for (size_t place = 0; place < 20; ++place) {
      const Values at(places_.begin() + static_cast<ptrdiff_t>(place) * dimensions,
                      places_.begin() + static_cast<ptrdiff_t>(place + 1) * dimensions);
      long double nearest = kInfinity;
      for (int c = 0; c < 20; ++c) nearest = std::min(nearest, Distance(at, Centroid(model, c)));
      found += nearest < 0.03 * std::sqrt(dimensions);
    }
    EXPECT_GE(found, 17) << dimensions;
    // One cluster has nearly all neighbours.
    EXPECT_EQ(1u, model.head().calibration[0].probes);
    EXPECT_GT(model.head().calibration[0].recall, 0.85);
  }
}

TEST_F(VectorTrainTest, RecallGrowsToOne) {
  const std::vector<float> sample = Clustered(6000, 40, 300, 0.8f);
  const ModelBytes bytes = Train(sample, 40, 70, 60000);
  const VectorModelHead& head = bytes.model().head();
  EXPECT_EQ(60000u, head.trained_rows);
  EXPECT_EQ(6000u, head.sampled_rows);
  float last = 0;
  int i = 0;
  for (; i < kCalibrations && head.calibration[i].probes != 0; ++i) {
    EXPECT_EQ(std::min(1u << i, head.clusters), head.calibration[i].probes);
    EXPECT_GE(head.calibration[i].recall, last);
    last = head.calibration[i].recall;
  }
  EXPECT_EQ(8, i);
  EXPECT_EQ(1, last);
  EXPECT_GT(head.calibration[4].recall, 0.5);
  EXPECT_LT(head.calibration[0].recall, 0.9);
}

// The recall that is promised is that of rows which were not in the sample.
TEST_F(VectorTrainTest, RecallIsWhatSearchesFind) {
  constexpr int kDimensions = 32, kProbes = 8;
  const std::vector<float> table = Clustered(12000, kDimensions, 400, 0.6f);
  const std::vector<float> sample(table.begin(), table.begin() + 4000 * kDimensions);
  const ModelBytes bytes = Train(sample, kDimensions, 64, 12000);
  const VectorModel model = bytes.model();
  std::vector<int> cluster;
  for (uint64_t row = 0; row < 12000; ++row) {
    const Values x = Row(table, kDimensions, row);
    cluster.push_back(PlaceOf(model, x.data(), CodeOf(model, x).data()).cluster);
  }
  int found = 0;
  for (uint64_t q = 0; q < 100; ++q) {
    const Values at = Row(table, kDimensions, 4000 + q * 80);
    std::vector<std::pair<double, uint64_t>> rows;
    for (uint64_t row = 0; row < 12000; ++row)
      rows.push_back({ValueIn<double>(VectorMetric::kEuclid, at, Row(table, kDimensions, row)), row});
    std::partial_sort(rows.begin(), rows.begin() + 11, rows.end());
    const Query query(model, VectorMetric::kEuclid, at, 1e-15);
    std::vector<double> ranks;
    for (int c = 0; c < 64; ++c) ranks.push_back(query->ClusterRank(c));
    std::vector<double> sorted = ranks;
    std::sort(sorted.begin(), sorted.end());
    for (int i = 1; i <= 10; ++i) found += ranks[cluster[rows[i].second]] <= sorted[kProbes - 1];
  }
  EXPECT_EQ(static_cast<uint32_t>(kProbes), model.head().calibration[3].probes);
  EXPECT_NEAR(model.head().calibration[3].recall, found / 1000.0, 0.1);
}

TEST_F(VectorTrainTest, SamplesThatAreHardlyAny) {
  for (const int dimensions : {1, 2, 25, 301}) {
    for (const uint64_t count : {1, 2, 3, 10, 19, 50}) {
      std::vector<float> sample = Clustered(count, dimensions, 3, 0.1f);
      const ModelBytes some = Train(sample, dimensions, 0, 1000000);
      EXPECT_GE(some.model().clusters(), 1);
      EXPECT_LE(static_cast<uint64_t>(some.model().clusters()), count);
      std::fill(sample.begin(), sample.end(), 7.5f);
      EXPECT_EQ(1, Train(sample, dimensions, 5).model().clusters());
      std::fill(sample.begin(), sample.end(), 0.0f);
      EXPECT_EQ(1, Train(sample, dimensions, 5).model().clusters());
    }
  }
}

TEST_F(VectorTrainTest, DuplicatesAndConstants) {
  std::vector<float> sample;
  for (int row = 0; row < 1000; ++row) sample.insert(sample.end(), {static_cast<float>(row % 5), 3.0f, 1e-20f});
  const ModelBytes bytes = Train(sample, 3, 50);
  EXPECT_EQ(5, bytes.model().clusters());
  EXPECT_LT(bytes.model().head().spread, 0.01);
}

// One outlier, or a few, spoil neither the center nor the scales of the others.
TEST_F(VectorTrainTest, OutliersSpoilNothing) {
  for (const float outlier : {1e3f, 1e30f, 3e38f}) {
    std::vector<float> sample = Clustered(5000, 20, 10, 0.3f);
    const VectorModelHead without = Train(sample, 20, 10).model().head();
    for (int i = 0; i < 20; ++i) sample[static_cast<size_t>(i)] = outlier;
    sample[777] = -outlier;
    const ModelBytes bytes = Train(sample, 20, 10);
    for (int d = 0; d < 20; ++d) {
      EXPECT_LT(std::fabs(bytes.model().center()[d]), 2);
      EXPECT_LT(bytes.model().scale()[d], 0.1);
    }
    EXPECT_NEAR(without.spread, bytes.model().head().spread, without.spread * 0.5);
  }
}

// Nearly all coordinates are 0, but those that are not have their codes.
TEST_F(VectorTrainTest, SparseVectorsAreCoded) {
  std::vector<float> sample;
  for (int row = 0; row < 5000; ++row) {
    std::vector<float> x(400);
    for (int i = 0; i < 4; ++i) x[Below(400)] = 1 + Normal(0.1f);
    sample.insert(sample.end(), x.begin(), x.end());
  }
  const ModelBytes bytes = Train(sample, 400, 20);
  double rest = 0;
  for (uint64_t row = 0; row < 500; ++row) rest += HeadOf(CodeOf(bytes.model(), Row(sample, 400, row))).rest;
  EXPECT_LT(rest / 500, 0.1);
}

TEST_F(VectorTrainTest, ClustersAreBalanced) {
  // Half of all rows in one place, the others in many.
  std::vector<float> sample = Clustered(20000, 16, 60, 0.3f);
  for (size_t i = 0; i < sample.size() / 2; ++i) sample[i] = 0.2f * sample[i];
  const ModelBytes bytes = Train(sample, 16, 60);
  std::vector<int> sizes(60);
  for (uint64_t row = 0; row < 20000; ++row) {
    const Values x = Row(sample, 16, row);
    sizes[PlaceOf(bytes.model(), x.data(), CodeOf(bytes.model(), x).data()).cluster]++;
  }
  EXPECT_LT(*std::max_element(sizes.begin(), sizes.end()), 7 * 20000 / 60);
}

TEST_F(VectorTrainTest, NeighboursInNumberAreNear) {
  const std::vector<float> sample = Clustered(20000, 2, 500, 0.1f);
  const ModelBytes bytes = Train(sample, 2, 100);
  long double path = 0, random = 0;
  for (int c = 1; c < 100; ++c) {
    const auto at = Centroid(bytes.model(), c);
    path += Distance(Values(at.begin(), at.end()), Centroid(bytes.model(), c - 1));
    random += Distance(Values(at.begin(), at.end()), Centroid(bytes.model(), static_cast<int>(Below(100))));
  }
  EXPECT_LT(path, random / 3);
}

TEST_F(VectorTrainTest, InterruptsAreChecked) {
  const std::vector<float> sample = Clustered(20000, 64, 100, 0.5f);
  TrainOptions options = {};
  options.dimensions = 64;
  options.rows = 20000;
  options.clusters = 100;
  int checks = 0;
  uint64_t last = 0, whole = 0;
  options.check_interrupt = [&] { ++checks; };
  options.progress = [&](uint64_t done, uint64_t total) {
    EXPECT_GE(done, last);
    EXPECT_LE(done, total);
    last = done;
    whole = total;
  };
  TrainModel(sample.data(), 20000, options);
  EXPECT_GT(checks, 20);
  EXPECT_EQ(whole, last);
  options.progress = nullptr;
  options.check_interrupt = [&] {
    if (--checks == 0) throw 7;
  };
  EXPECT_THROW(TrainModel(sample.data(), 20000, options), int);
}

TEST_F(VectorTrainTest, PlacesAreThoseOfAllCentroids) {
  for (const int dimensions : {1, 7, 100}) {
    const std::vector<float> sample = Clustered(4000, dimensions, 50, 0.3f);
    const ModelBytes bytes = Train(sample, dimensions, 40);
    const VectorModel model = bytes.model();
    for (uint64_t row = 0; row < 1000; ++row) {
      const Values x = Row(sample, dimensions, row);
      const std::vector<uint8_t> code = CodeOf(model, x);
      Values coded;
      for (int d = 0; d < dimensions; ++d) {
        coded.push_back(static_cast<double>(model.center()[d]) +
                        static_cast<double>(model.scale()[d]) * static_cast<int8_t>(code[16 + static_cast<size_t>(d)]));
      }
      const VectorPlace place = PlaceOf(model, x.data(), code.data());
      long double nearest = kInfinity;
      for (int c = 0; c < model.clusters(); ++c) nearest = std::min(nearest, Distance(coded, Centroid(model, c)));
      const long double chosen = Distance(coded, Centroid(model, place.cluster));
      long double length = 0;  // whose square is what the sums' rounding is relative to
      for (int d = 0; d < dimensions; ++d) length += (coded[d] - model.center()[d]) * (coded[d] - model.center()[d]);
      EXPECT_LE(chosen * chosen, nearest * nearest + 1e-3 * length);
      EXPECT_NEAR(1, static_cast<double>(place.distance / Distance(x, Centroid(model, place.cluster))), 1e-6);
    }
  }
}

TEST_F(VectorTrainTest, PlacesOfSeveralAreThoseOfEach) {
  for (const int dimensions : {1, 33, 300}) {
    const std::vector<float> sample = Clustered(3000, dimensions, 50, 0.3f);
    const ModelBytes bytes = Train(sample, dimensions, 150);
    const VectorModel model = bytes.model();
    std::vector<Values> vectors;
    std::vector<std::vector<uint8_t>> codes;
    for (uint64_t row = 0; row < 103; ++row) {
      vectors.push_back(Row(sample, dimensions, row));
      if (row == 50) vectors.back()[0] = kInfinity;
      codes.push_back(CodeOf(model, vectors.back()));
    }
    std::vector<const double*> at;
    std::vector<const uint8_t*> code;
    for (size_t i = 0; i < vectors.size(); ++i) {
      at.push_back(vectors[i].data());
      code.push_back(codes[i].data());
    }
    std::vector<VectorPlace> places(vectors.size());
    PlacesOf(model, at.data(), code.data(), static_cast<int>(places.size()), places.data());
    for (size_t i = 0; i < vectors.size(); ++i) {
      const VectorPlace place = PlaceOf(model, at[i], code[i]);
      EXPECT_EQ(place.cluster, places[i].cluster);
      EXPECT_EQ(place.distance, places[i].distance);
    }
  }
}

TEST_F(VectorTrainTest, OfSeveralNearestTheFirstIsTaken) {
  ModelBytes bytes(3, 4);
  const VectorModel model = bytes.model();
  std::fill(bytes.scale(), bytes.scale() + 3, 0.5f);
  for (int c = 0; c < 4; ++c) {
    bytes.centroid(c)[16] = static_cast<uint8_t>(c < 2 ? -4 : 4);
    FinishExactCode(model, bytes.centroid(c));
  }
  const Values left = {-1.9, 0, 0}, right = {1.9, 0, 0}, between = {0, 3, 0};
  EXPECT_EQ(0, PlaceOf(model, left.data(), CodeOf(model, left).data()).cluster);
  EXPECT_EQ(2, PlaceOf(model, right.data(), CodeOf(model, right).data()).cluster);
  EXPECT_EQ(0, PlaceOf(model, between.data(), CodeOf(model, between).data()).cluster);
  EXPECT_EQ(static_cast<float>(std::sqrt(13.0)), PlaceOf(model, between.data(), CodeOf(model, between).data()).distance);
}

TEST_F(VectorTrainTest, NoBoundOfAClusterIsAboveItsVectors) {
  for (const int dimensions : {1, 2, 25, 100, 768}) {
    for (const float size : {1.0f, 1e-18f, 1e15f}) {
      std::vector<float> sample = Clustered(600, dimensions, 20, 0.5f);
      for (float& x : sample) x *= size;
      const ModelBytes bytes = Train(sample, dimensions, 12);
      const VectorModel model = bytes.model();
      std::vector<Values> vectors;
      for (uint64_t row = 0; row < 120; ++row) vectors.push_back(Row(sample, dimensions, row));
      for (const double value : {0.0, 1e-44, 1e6, 1e25, 1e38, -1e200, 1e308, kInfinity, std::nan("")}) {
        vectors.push_back(vectors[Below(100)]);
        vectors.back()[Below(static_cast<uint64_t>(dimensions))] = value;
      }
      std::vector<VectorPlace> places;
      for (const Values& x : vectors) places.push_back(PlaceOf(model, x.data(), CodeOf(model, x).data()));
      for (size_t q = 0; q < vectors.size(); q += q < 100 ? 5 : 1) {
        for (const VectorMetric metric : kMetrics) {
          const Query query(model, metric, vectors[q], DoubleRounding(vectors[q].size()));
          for (size_t i = 0; i < vectors.size(); ++i) {
            const double value = ValueIn<double>(metric, vectors[q], vectors[i]);
            const double distance = places[i].distance;
            for (const double near : {distance, 0.0}) {
              for (const double far : {distance, kInfinity}) {
                const double bound = query->ClusterBound(places[i].cluster, near, far);
                ASSERT_FALSE(std::isnan(bound));
                ASSERT_TRUE(NotAbove(bound, value)) << "metric " << static_cast<int>(metric) << ", " << dimensions << " dimensions, vector "
                                                    << i << ": " << bound << " is above " << value;
              }
            }
          }
        }
      }
    }
  }
}

TEST_F(VectorTrainTest, BoundsOfClustersLeaveFarOnesOut) {
  const std::vector<float> sample = Clustered(4000, 30, 20, 0.02f);
  const ModelBytes bytes = Train(sample, 30, 20);
  const VectorModel model = bytes.model();
  const Values q = Row(sample, 30, 5);
  const VectorPlace place = PlaceOf(model, q.data(), CodeOf(model, q).data());
  for (const VectorMetric metric : kMetrics) {
    const Query query(model, metric, q, 1e-14);
    int out = 0;
    for (int c = 0; c < model.clusters(); ++c) {
      if (metric != VectorMetric::kInnerProduct) {
        EXPECT_GE(query->ClusterRank(c), query->ClusterRank(place.cluster));
      }
      out += query->ClusterBound(c, 0, 0.3) > ValueIn<double>(metric, q, q) + 0.01;
    }
    EXPECT_GE(out, 10) << static_cast<int>(metric);
  }
}

TEST_F(VectorTrainTest, OnlyModelsAreValid) {
  const std::vector<float> sample = Clustered(300, 9, 5, 0.3f);
  ModelBytes valid = Train(sample, 9, 5);
  const size_t size = valid.model().head().bytes;
  for (size_t less = 0; less < size; ++less) EXPECT_STRNE(nullptr, VectorModel::Validate(valid.data(), less));
  for (int round = 0; round < 20000; ++round) {
    ModelBytes damaged = valid;
    for (uint64_t i = 0; i <= Below(3); ++i) damaged.data()[Below(size)] = static_cast<uint8_t>(Below(256));
    if (VectorModel::Validate(damaged.data(), size) != nullptr) continue;
    const Values x = Row(sample, 9, Below(300));
    const std::vector<uint8_t> code = CodeOf(damaged.model(), x);
    EXPECT_LT(PlaceOf(damaged.model(), x.data(), code.data()).cluster, damaged.model().clusters());
    for (const VectorMetric metric : kMetrics) {
      const Query query(damaged.model(), metric, x, 1e-15);
      EXPECT_FALSE(std::isnan(query->LowerBound(code.data())));
      for (int c = 0; c < damaged.model().clusters(); ++c) EXPECT_FALSE(std::isnan(query->ClusterRank(c)));
    }
  }
  const auto wrong = [&](const std::function<void(ModelBytes*, VectorModelHead*)>& change) {
    ModelBytes damaged = valid;
    change(&damaged, reinterpret_cast<VectorModelHead*>(damaged.data()));
    return VectorModel::Validate(damaged.data(), size) != nullptr;
  };
  EXPECT_FALSE(wrong([](ModelBytes*, VectorModelHead*) {}));
  EXPECT_TRUE(wrong([](ModelBytes*, VectorModelHead* head) { head->dimensions = 0; }));
  EXPECT_TRUE(wrong([](ModelBytes*, VectorModelHead* head) { head->dimensions = 8; }));
  EXPECT_TRUE(wrong([](ModelBytes*, VectorModelHead* head) { head->clusters = 0x10005; }));
  EXPECT_TRUE(wrong([](ModelBytes*, VectorModelHead* head) { head->calibration[1].probes = 1; }));
  EXPECT_TRUE(wrong([](ModelBytes*, VectorModelHead* head) { head->calibration[1].recall = std::nanf(""); }));
  EXPECT_TRUE(wrong([](ModelBytes*, VectorModelHead* head) { head->spread = -1; }));
  EXPECT_TRUE(wrong([](ModelBytes* bytes, VectorModelHead*) { bytes->center()[3] = std::numeric_limits<float>::infinity(); }));
  EXPECT_TRUE(wrong([](ModelBytes* bytes, VectorModelHead*) { bytes->scale()[3] = 0; }));
  EXPECT_TRUE(wrong([](ModelBytes* bytes, VectorModelHead*) { bytes->scale()[8] = std::nanf(""); }));
  EXPECT_TRUE(wrong([](ModelBytes* bytes, VectorModelHead*) { bytes->centroid(4)[4] = 1; }));
}

TEST_F(VectorTrainTest, ModelsFromOneVector) {
  for (const int dimensions : {1, 30, 2000}) {
    ModelBytes bytes(dimensions, 1);
    for (const double value : {1.0, 1e-20, 1e9, 0.0, 1e-44, 1e300, kInfinity, std::nan("")}) {
      Values x(static_cast<size_t>(dimensions));
      for (double& coordinate : x) coordinate = value * Normal();
      VectorModel::MakeFromOne(x.data(), dimensions, bytes.data());
      ASSERT_STREQ(nullptr, VectorModel::Validate(bytes.data(), bytes.model().head().bytes));
      EXPECT_EQ(0u, bytes.model().head().trained_rows);
      ModelBytes again(dimensions, 1);
      VectorModel::MakeFromScale(bytes.model().scale()[0], dimensions, again.data());
      EXPECT_EQ(0, memcmp(bytes.data(), again.data(), bytes.model().head().bytes));
      const bool ordinary = value == 1 || value == 1e-20 || value == 1e9;
      if (!ordinary) {
        EXPECT_EQ(1, bytes.model().scale()[0]);
      }
      const VectorCodeHead head = HeadOf(CodeOf(bytes.model(), x));
      if (ordinary) {
        EXPECT_LT(head.rest, 0.05 * head.norm);
      }
    }
  }
}

TEST_F(VectorTrainTest, Recommendations) {
  EXPECT_EQ(1, RecommendedClusters(0));
  EXPECT_EQ(1, RecommendedClusters(1));
  EXPECT_EQ(1000, RecommendedClusters(1000000));
  EXPECT_EQ(kMaxClusters, RecommendedClusters(UINT64_MAX));
  const uint64_t plenty = RecommendedSample(450, 768, size_t{1} << 32);
  EXPECT_GT(plenty, 50000u);
  EXPECT_LT(plenty, 300000u);
  EXPECT_EQ(RecommendedSample(450, 100, size_t{1} << 32), plenty);
  EXPECT_EQ(RecommendedSample(450, 1536, size_t{1} << 32), plenty / 2);
  EXPECT_EQ(RecommendedSample(450, 2000, size_t{1} << 32), plenty / 2);
  const uint64_t some = RecommendedSample(450, 768, 64 << 20);
  EXPECT_GT(some, 5000u);
  EXPECT_LT(some * 768 * 4, uint64_t{64 << 20});
  EXPECT_EQ(1u, RecommendedSample(450, 768, 0));
}

}  // namespace
}  // namespace xtree::test
