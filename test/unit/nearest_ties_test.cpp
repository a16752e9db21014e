// NearestScan where many distances are equal: they come as they are found, without a look at all of them.
#include "nearest_fixture.h"

namespace xtree::test {
namespace {

constexpr size_t kRows = 20000;
const PackOptions kPages = {40, 20, 1};
constexpr int kHeight = 5;               // of kRows on these
constexpr int kLookAhead = 4 * 20 + 40;  // entries of the pages from the root to a leaf

struct Cost {
  int64_t pages = 0;
  int64_t distances = 0;
};

class NearestTies : public testing::Test {
 protected:
  void Begin(const RowSet& rows, DistanceKey key, int64_t* calls) {
    layout_ = rows.layout();
    store_ = PackTree(rows, kPages);
    reader_ = std::make_unique<MemoryReader>(*store_);
    scan_ = std::make_unique<NearestScan>();
    key_ = key;
    calls_ = calls;
    *calls_ = 0;
    scan_->Begin(store_->layout(), Everything(store_->layout()), &key_, 1, {});
  }

  // After so many rows from the beginning.
  Cost After(size_t rows) {
    for (NearestRow row; given_ < rows && scan_->Next(*reader_, &row); ++given_) {
    }
    return {reader_->opens, *calls_};
  }

  void ExpectStreaming() {
    const Cost first = After(1);
    EXPECT_LE(first.pages, kHeight);
    EXPECT_LE(first.distances, kLookAhead);
    const Cost more = After(1000);
    EXPECT_LE(more.pages, kHeight + 1000 / 40 * 2);
    EXPECT_LE(more.distances, kLookAhead + 1000 * 2);
    After(SIZE_MAX);
    EXPECT_EQ(given_, kRows);
  }

  KeyLayout layout_;
  std::unique_ptr<MemoryStore> store_;
  std::unique_ptr<MemoryReader> reader_;
  std::unique_ptr<NearestScan> scan_;
  DistanceKey key_;
  int64_t* calls_ = nullptr;
  size_t given_ = 0;
};

RowSet EqualPoints(const KeyLayout& layout) {
  RowSet rows(layout);
  for (size_t i = 0; i < kRows; ++i) rows.AddPoint({0.3, 0.7});
  return rows;
}

TEST_F(NearestTies, EqualPointsAtZero) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = EqualPoints(layout);
  Euclidean metric{{0.3, 0.7}};
  Begin(rows, EuclideanKey(layout, 0, &metric), &metric.calls);
  ExpectStreaming();
}

TEST_F(NearestTies, EqualPointsFarAway) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = EqualPoints(layout);
  Euclidean metric{{0.1, 0.2}};
  Begin(rows, EuclideanKey(layout, 0, &metric), &metric.calls);
  ExpectStreaming();
}

TEST_F(NearestTies, EqualPointsWithSlack) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = EqualPoints(layout);
  for (const double x : {0.3, 0.1}) {
    given_ = 0;
    Euclidean metric{{x, 0.7}};
    DistanceKey key = EuclideanKey(layout, 0, &metric);
    key.slack = 0.01;
    Begin(rows, key, &metric.calls);
    ExpectStreaming();
  }
}

// Boxes have an extent, so only a good bound of their nodes tells that all are equally far away.
TEST_F(NearestTies, EqualBoxes) {
  const KeyLayout layout = FloatLayout(2, true);
  RowSet rows(layout);
  for (size_t i = 0; i < kRows; ++i) rows.AddBox({0.3, 0.7}, {0.4, 0.9});
  for (const double x : {0.35, 0.1}) {
    given_ = 0;
    Euclidean metric{{x, 0.8}};
    DistanceKey key = EuclideanKey(layout, 0, &metric);
    key.best_bound = key.distance;
    Begin(rows, key, &metric.calls);
    ExpectStreaming();
  }
}

// Without the kernels.
TEST_F(NearestTies, EqualScalars) {
  const KeyLayout layout = MakeLayout({{1, 8, false, Scalar::kInteger}});
  RowSet rows(layout);
  Box box{};
  box.lo[0] = box.hi[0] = 5;
  for (size_t i = 0; i < kRows; ++i) rows.Add(box);
  struct Counted {
    int64_t query;
    int64_t calls;
    static double Distance(void* context, const Ordinal* lo, const Ordinal*) {
      ++static_cast<Counted*>(context)->calls;
      return static_cast<double>(*lo - static_cast<Counted*>(context)->query);
    }
    static double Bound(void* context, const Ordinal* lo, const Ordinal*) {
      return static_cast<double>(*lo - static_cast<Counted*>(context)->query);
    }
  };
  for (const int64_t query : {5, 2}) {
    given_ = 0;
    Counted metric{query, 0};
    Begin(rows, {0, 1, 0, nullptr, &Counted::Bound, &Counted::Distance, &metric}, &metric.calls);
    ExpectStreaming();
  }
}

// Rows that are nearer than the ties, next to them, and behind them by a bit come in their places.
TEST(NearestTiesOrder, NeighboursOfEqualPoints) {
  const KeyLayout layout = FloatLayout(2, false);
  RowSet rows(layout);
  Random random(5);
  for (int i = 0; i < 3000; ++i) {
    const double x = i % 3 == 0 ? random.Uniform() : i % 7 == 0 ? std::nextafter(0.3, i % 2) : 0.3;
    rows.AddPoint({x, i % 11 == 0 ? 0.7 + (i % 5 - 2) * 0x1p-52 : 0.7});
  }
  const auto store = PackTree(rows, {9, 7, 1});
  for (const double x : {0.3, 0.1, 0.31, 0.9}) {
    Euclidean metric{{x, 0.6}};
    DistanceKey key = EuclideanKey(layout, 0, &metric);
    ASSERT_NO_FATAL_FAILURE(ExpectAll(*store, rows, Everything(layout), {key}));
    key.best_bound = key.distance;
    ASSERT_NO_FATAL_FAILURE(ExpectAll(*store, rows, Everything(layout), {key}));
    key.slack = 0.05;
    ASSERT_NO_FATAL_FAILURE(ExpectAll(*store, rows, Everything(layout), {key}));
  }
}

// Of equal first distances the second decides, also between a row that is known and a node.
TEST(NearestTiesOrder, SecondKeyDecides) {
  const KeyLayout layout = MakeLayout({{2, 8, false, Scalar::kFloat64}, {1, 8, false, Scalar::kInteger}});
  RowSet rows(layout);
  Random random(6);
  for (int i = 0; i < 3000; ++i) {
    Box box{};
    for (int d = 0; d < 2; ++d) box.lo[d] = box.hi[d] = OrdinalFromDouble(i % 50 == 0 ? random.Uniform() : 0.3);
    box.lo[2] = box.hi[2] = static_cast<Ordinal>(random.Below(1000));
    rows.Add(box);
  }
  const auto store = PackTree(rows, {9, 7, 1});
  for (const double x : {0.3, 0.1}) {
    Euclidean metric{{x, 0.6}};
    Absolute second{500};
    DistanceKey key = EuclideanKey(layout, 0, &metric);
    key.best_bound = key.distance;
    ASSERT_NO_FATAL_FAILURE(ExpectAll(*store, rows, Everything(layout), {key, AbsoluteKey(layout, 1, &second)}));
    ASSERT_NO_FATAL_FAILURE(ExpectAll(*store, rows, Everything(layout), {AbsoluteKey(layout, 1, &second), key}));
  }
}

}  // namespace
}  // namespace xtree::test
