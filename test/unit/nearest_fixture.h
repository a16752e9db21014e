// What the tests of NearestScan share: metrics, and the comparison with brute force.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "core/scan/nearest_scan.h"
#include "scan_fixture.h"

namespace xtree::test {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Distance of a float column's box from a point, exact but for one rounding: the wide exponent leaves nothing to
// overflow.
struct Euclidean {
  std::vector<double> query;
  int64_t calls = 0;

  static double Distance(void* context, const Ordinal* lo, const Ordinal* hi) {
    auto* self = static_cast<Euclidean*>(context);
    ++self->calls;
    long double sum = 0;
    bool nan = false;
    bool infinite = false;
    for (size_t d = 0; d < self->query.size(); ++d) {
      const long double q = self->query[d];
      const long double below = DoubleFromOrdinal(lo[d]) - q;
      const long double above = q - DoubleFromOrdinal(hi[d]);
      nan |= std::isnan(below) || std::isnan(above);
      const long double side = std::max({below, above, 0.0L});
      infinite |= std::isinf(side);
      sum += side * side;
    }
    if (infinite) return kInfinity;  // as hypot
    return nan ? kNaN : static_cast<double>(std::sqrt(sum));
  }
};

inline DistanceKey EuclideanKey(const KeyLayout& layout, int column, Euclidean* metric) {
  const int first = layout.first_dimension[column];
  return {first, layout.first_dimension[column + 1] - first, column, metric->query.data(), nullptr, &Euclidean::Distance, metric};
}

// |value - query| of a scalar column, without kernels.
struct Absolute {
  int64_t query;

  static double Distance(void* context, const Ordinal* lo, const Ordinal* hi) {
    const int64_t query = static_cast<Absolute*>(context)->query;
    return static_cast<double>(std::max<int64_t>({*lo - query, query - *hi, 0}));
  }
};

inline DistanceKey AbsoluteKey(const KeyLayout& layout, int column, Absolute* metric) {
  return {layout.first_dimension[column], 1, column, nullptr, &Absolute::Distance, &Absolute::Distance, metric};
}

struct Result {
  std::vector<size_t> rows;
  std::vector<std::vector<DistanceRank>> ranks;  // one per key
};

inline std::vector<DistanceRank> RanksOf(const NearestRow& row, size_t keys) {
  std::vector<DistanceRank> ranks;
  for (size_t k = 0; k < keys; ++k) ranks.push_back(row.null[k] ? kNullDistance : RankFromDistance(row.distance[k]));
  return ranks;
}

template <class Reader>
Result Collect(Reader& reader, NearestScan* scan, size_t keys, size_t limit = SIZE_MAX) {
  Result result;
  NearestRow row;
  while (result.rows.size() < limit && scan->Next(reader, &row)) {
    EXPECT_EQ(reader.OpenPages(), 0);
    result.rows.push_back(RowOf(row.tuple));
    result.ranks.push_back(RanksOf(row, keys));
  }
  if (result.rows.size() < limit) {
    EXPECT_FALSE(scan->Next(reader, &row)) << "the end stays the end";
  }
  return result;
}

inline Result Search(MemoryStore& store, const Constraint& constraint, const std::vector<DistanceKey>& keys, size_t limit = SIZE_MAX) {
  MemoryReader reader(store);
  auto scan = std::make_unique<NearestScan>();
  scan->Begin(store.layout(), constraint, keys.data(), static_cast<int>(keys.size()), {});
  return Collect(reader, scan.get(), keys.size(), limit);
}

inline std::vector<DistanceRank> RanksOf(const RowSet& rows, size_t row, const std::vector<DistanceKey>& keys) {
  std::vector<DistanceRank> ranks;
  for (const DistanceKey& key : keys) {
    const double distance =
        rows.Marked(row, key.column) ? 0 : key.distance(key.context, rows.Lo(row) + key.first, rows.Hi(row) + key.first);
    ranks.push_back(rows.Marked(row, key.column) ? kNullDistance : RankFromDistance(distance));
  }
  return ranks;
}

// Each row once, with its own distances, in an order that brute force could have given (ties in any).
inline void ExpectNearest(const RowSet& rows, const Constraint& constraint, const std::vector<DistanceKey>& keys, const Result& result) {
  std::vector<std::vector<DistanceRank>> expected;
  for (const size_t row : BruteForce(rows, constraint)) expected.push_back(RanksOf(rows, row, keys));
  std::sort(expected.begin(), expected.end());
  ASSERT_LE(result.rows.size(), expected.size());
  expected.resize(result.rows.size());
  ASSERT_EQ(result.ranks, expected);
  for (size_t i = 0; i < result.rows.size(); ++i) {
    ASSERT_EQ(result.ranks[i], RanksOf(rows, result.rows[i], keys)) << "row " << result.rows[i];
    ASSERT_TRUE(Satisfies(rows, result.rows[i], constraint)) << "row " << result.rows[i];
  }
  ASSERT_EQ(std::set<size_t>(result.rows.begin(), result.rows.end()).size(), result.rows.size()) << "a row came twice";
}

inline void ExpectAll(MemoryStore& store, const RowSet& rows, const Constraint& constraint, const std::vector<DistanceKey>& keys) {
  const Result result = Search(store, constraint, keys);
  ASSERT_EQ(result.rows.size(), BruteForce(rows, constraint).size());
  ExpectNearest(rows, constraint, keys, result);
}

}  // namespace xtree::test
