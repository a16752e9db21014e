// Vectors in clusters, trees of them, and what a scan in the order of their bounds must return.
#pragma once

#include <gtest/gtest.h>

#include "bulk_tree.h"
#include "core/cluster/cluster_scan.h"
#include "core/cluster/train.h"
#include "growing_tree.h"
#include "vector_fixture.h"

namespace xtree::test {

// A column of vectors, and one of numbers.
inline KeyLayout ClusterLayout() { return MakeLayout({{2, 4, false, Scalar::kInteger}, {1, 8, false, Scalar::kFloat64}}, true); }
inline constexpr int kNumberDimension = kVectorDimensionsInTree;

enum class Spread { kClustered, kUniform, kFew, kNotFinite };

// `count` vectors, alike for the same seed.
inline std::vector<Values> MakeVectors(Spread spread, size_t count, int dimensions, uint64_t seed) {
  Random random(seed);
  constexpr double kOdd[] = {INFINITY, -INFINITY, NAN, 0, 1e300, -1e160, 1e-300, 3e38};
  std::vector<Values> places(12, Values(static_cast<size_t>(dimensions)));
  for (Values& place : places)
    for (double& x : place) x = random.Normal(0, 1);
  std::vector<Values> vectors;
  while (vectors.size() < count) {
    Values vector = places[static_cast<size_t>(random.Below(12))];
    for (double& x : vector) {
      if (spread == Spread::kClustered || spread == Spread::kNotFinite) x += random.Normal(0, 0.2);
      if (spread == Spread::kUniform) x = random.Uniform(-1, 1);
    }
    if (spread == Spread::kNotFinite && random.Below(3) == 0) {
      const int odd = random.Below(4);
      if (odd == 0) std::fill(vector.begin(), vector.end(), 0.0);
      for (int i = 0; i < odd; ++i) vector[static_cast<size_t>(random.Below(dimensions))] = kOdd[random.Below(std::size(kOdd))];
    }
    vectors.push_back(vector);
  }
  return vectors;
}

inline ModelBytes TrainOn(const std::vector<Values>& vectors, int clusters) {
  std::vector<float> sample;
  const size_t dimensions = vectors[0].size();
  for (const Values& vector : vectors) {
    const size_t size = sample.size();
    for (const double x : vector) sample.push_back(static_cast<float>(x));
    if (!std::all_of(sample.begin() + static_cast<ptrdiff_t>(size), sample.end(),
                     [](float x) { return std::isfinite(x) && std::fabs(x) < 1e6F; }))
      sample.resize(size);
  }
  TrainOptions options{};
  options.dimensions = static_cast<int>(dimensions);
  options.clusters = clusters;
  options.rows = vectors.size();
  return ModelBytes(TrainModel(sample.data(), sample.size() / dimensions, options));
}

// Of random centroids, most of them far from all rows.
inline ModelBytes RandomModel(int dimensions, int clusters, uint64_t seed) {
  Random random(seed);
  ModelBytes model(dimensions, clusters);
  std::fill_n(model.scale(), dimensions, 0.02F);
  for (int c = 0; c < clusters; ++c) {
    for (int d = 0; d < dimensions; ++d) model.centroid(c)[16 + d] = static_cast<uint8_t>(random.Below(255) - 127);
    FinishExactCode(model.model(), model.centroid(c));
  }
  return model;
}

// A query for each generation.
class Queries {
 public:
  Queries(const ClusterModels& models, VectorMetric metric, const Values& from, double rounding) {
    for (int g = 0; g < models.count(); ++g) {
      queries_.push_back(std::make_unique<Query>(models.model(g), metric, from, rounding));
      views_.push_back(*queries_.back()->operator->());
    }
  }
  const VectorQuery* data() const { return views_.data(); }
  const VectorQuery* operator->() const { return data(); }

 private:
  std::vector<std::unique_ptr<Query>> queries_;
  std::vector<VectorQuery> views_;
};

// The rows of a table and their index: the first ones in the clusters of the first model, and so on.
class ClusterRows {
 public:
  // `unknown`: scans do not know the last model.
  ClusterRows(std::vector<Values> vectors, std::vector<ModelBytes> models, bool unknown = false)
      : layout(ClusterLayout()), rows(layout), vectors_(std::move(vectors)), bytes_(std::move(models)) {
    for (size_t g = 0; g < bytes_.size(); ++g) {
      const int first = static_cast<int>(g) * 1000 + (bytes_.size() > 1 ? 7 : 0);  // numbers of generations that are gone lie between
      all_.Add(first, bytes_[g].model());
      if (!unknown || g + 1 < bytes_.size()) models_.Add(first, bytes_[g].model());
    }
    Random random(77);
    for (size_t row = 0; row < vectors_.size(); ++row) AddRow(row, random.Uniform());
  }
  ClusterRows(const ClusterRows&) = delete;

  size_t size() const { return vectors_.size(); }
  const ClusterModels& models() const { return models_; }
  const Values& vector(size_t row) const { return vectors_[row]; }
  // -1: scans do not know it. The place of its cluster among all (ClusterModels).
  int place(size_t row) const {
    const int g = generation(row);
    return g < models_.count() ? models_.StartOf(g) + places_[row].cluster : -1;
  }
  bool null(size_t row) const { return rows.Marked(row, 0); }
  std::string Payload(size_t row) const { return null(row) ? std::string() : std::string(codes_[row].begin(), codes_[row].end()); }
  auto PayloadOf() const {
    return [this](size_t row) { return Payload(row); };
  }

  // The row has no vector.
  void SetNull(size_t row) { rows.Mark(row, 0, kMarkNull); }

  double Bound(size_t row, const Queries& query) const {
    const int g = generation(row);
    if (g >= models_.count()) return -INFINITY;
    const double distance = static_cast<double>(places_[row].distance);
    return std::max(query.data()[g].ClusterBound(places_[row].cluster, distance, distance), query.data()[g].LowerBound(codes_[row].data()));
  }

  std::unique_ptr<MemoryStore> Build() const { return BulkLoadTree(rows, {}, size_t{1} << 30, PayloadOf()); }
  std::unique_ptr<MemoryStore> Insert() const {
    GrowingTree tree(layout, rows, {}, PayloadOf());
    tree.InsertUntil(size());
    return tree.store.Crash();
  }

  const KeyLayout layout;
  RowSet rows;

 private:
  int generation(size_t row) const { return static_cast<int>(row * bytes_.size() / vectors_.size()); }

  void AddRow(size_t row, double number) {
    const int g = generation(row);
    codes_.push_back(CodeOf(all_.model(g), vectors_[row]));
    places_.push_back(PlaceOf(all_.model(g), vectors_[row].data(), codes_[row].data()));
    Box box;
    box.marks = 0;
    box.lo[kClusterDimension] = box.hi[kClusterDimension] = all_.first_cluster(g) + places_[row].cluster;
    box.lo[kCentroidDistanceDimension] = box.hi[kCentroidDistanceDimension] = OrdinalFromFloat(places_[row].distance);
    box.lo[kNumberDimension] = box.hi[kNumberDimension] = OrdinalFromDouble(number);
    rows.Add(box);
  }

  std::vector<Values> vectors_;
  std::vector<ModelBytes> bytes_;
  ClusterModels all_;
  ClusterModels models_;  // that scans know
  std::vector<std::vector<uint8_t>> codes_;
  std::vector<VectorPlace> places_;
};

// What a scan returned.
struct ClusterResult {
  std::vector<size_t> rows;
  std::vector<ClusterRow> row;
  size_t size() const { return rows.size(); }
};

// `step`: before each row, with the number of rows so far.
template <class Reader>
ClusterResult Collect(Reader& reader, ClusterScan* scan, size_t most = SIZE_MAX, const std::function<void(size_t)>& step = nullptr) {
  ClusterResult result;
  for (ClusterRow row; result.size() < most;) {
    if (step) step(result.size());
    if (!scan->Next(reader, &row)) break;
    EXPECT_EQ(reader.OpenPages(), 0);
    result.rows.push_back(RowOf(row.tuple));
    result.row.push_back(row);
  }
  ClusterRow row;
  EXPECT_TRUE(result.size() == most || !scan->Next(reader, &row)) << "the end stays the end";
  return result;
}

// Each row that satisfies the constraint once: those with vectors first, with their bounds, which are not above the operator's values.
// `in_order`: of the bounds, and each bound's of tuple ids.
inline void ExpectRows(const ClusterRows& data, const Constraint& constraint, const Queries& query, const Values& from, bool in_order,
                       const ClusterResult& result) {
  std::vector<std::pair<double, size_t>> expected, found;
  std::set<size_t> expected_null, found_null;
  for (size_t row = 0; row < data.size(); ++row) {
    if (!Satisfies(data.rows, row, constraint)) continue;
    if (data.null(row)) {
      expected_null.insert(row);
      continue;
    }
    expected.emplace_back(data.Bound(row, query), row);
    ASSERT_TRUE(NotAbove(expected.back().first, ValueIn<double>(query->metric(), data.vector(row), from))) << "row " << row;
  }
  for (size_t i = 0; i < result.size(); ++i) {
    if (result.row[i].null) {
      ASSERT_TRUE(found_null.insert(result.rows[i]).second) << "row " << result.rows[i] << " came twice";
      continue;
    }
    ASSERT_TRUE(found_null.empty()) << "a row with a vector behind one without";
    found.emplace_back(result.row[i].bound, result.rows[i]);
  }
  std::sort(expected.begin(), expected.end());
  if (!in_order) std::sort(found.begin(), found.end());
  ASSERT_EQ(found, expected);
  ASSERT_EQ(found_null, expected_null);
}

}  // namespace xtree::test
