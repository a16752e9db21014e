// sample_scale.h
#include "core/cluster/sample_scale.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

#include "core/cluster/vector_model.h"

namespace xtree {
namespace {

constexpr uint64_t kRows = 4096;  // looked at
constexpr int kTop = 64;          // largest offsets kept of each dimension: more are never cut off
// At least so many dimensions are read at once, since rows lie one after another.
constexpr int kDimensionsAtOnce = 16;
// A whole range of codes is 254 steps wide; a step's error is uniform, so its square is 1/12 of the step's on average.
constexpr double kCodes = 127;
constexpr double kErrorOfStep = 1.0 / 12;
constexpr int kRounds = 6;
// Scales are not further apart than that: a dimension of less is no dimension.
constexpr double kLeastOfLargest = 1.0 / 4096;

struct Column {
  double center;
  std::vector<double> top;  // the largest offsets, descending
};

// The mean of `values`, those far outside being taken for the end of the range that 99.6 % of them have.
double CenterOf(std::vector<double>* values) {
  std::vector<double>& v = *values;
  const size_t cut = v.size() / 500;
  std::nth_element(v.begin(), v.begin() + static_cast<ptrdiff_t>(cut), v.end());
  const double low = v[cut];
  std::nth_element(v.begin(), v.end() - 1 - static_cast<ptrdiff_t>(cut), v.end());
  const double high = v[v.size() - 1 - cut];
  const double least = low - (high - low), most = high + (high - low);
  std::sort(v.begin(), v.end());  // so that the sum has one order
  double sum = 0;
  for (const double value : v) sum += std::clamp(value, least, most);
  return static_cast<float>(sum / static_cast<double>(v.size()));
}

Column ColumnOf(std::vector<double>* values) {
  Column column;
  column.center = CenterOf(values);
  for (double& value : *values) value = std::fabs(value - column.center);
  const size_t top = std::min<size_t>(kTop, values->size());
  std::partial_sort(values->begin(), values->begin() + static_cast<ptrdiff_t>(top), values->end(), std::greater<>());
  column.top.assign(values->begin(), values->begin() + static_cast<ptrdiff_t>(top));
  return column;
}

// The largest offset that is to have a code. With `rest`, what codes of all dimensions lose on average, a limit costs limit / (12 * 127^2 * rest) for
// each step that it grows, and saves as much for each row beyond it (which has little else to lose): the least sum is where both are the same.
double LimitOf(const Column& column, double rows, double rest) {
  const double worth = kCodes * kCodes / kErrorOfStep * rest / rows;
  for (size_t beyond = column.top.size() - 1; beyond > 0; --beyond) {
    const double limit = static_cast<double>(beyond) * worth;
    if (limit <= column.top[beyond - 1]) return std::max(limit, column.top[beyond]);
  }
  return column.top[0];
}

double RestOf(const std::vector<double>& limits) {
  double square = 0;
  for (const double limit : limits) square += limit / kCodes * (limit / kCodes) * kErrorOfStep;
  return std::sqrt(square);
}

}  // namespace

void FindScales(const float* sample, const uint32_t* order, uint64_t count, int dimensions, const std::function<void()>& check_interrupt,
                float* center, float* scale) {
  const uint64_t rows = std::min(count, kRows);
  std::vector<Column> columns(static_cast<size_t>(dimensions));
  std::vector<std::vector<double>> values(kDimensionsAtOnce, std::vector<double>(rows));
  for (int first = 0; first < dimensions; first += kDimensionsAtOnce) {
    const int width = std::min(kDimensionsAtOnce, dimensions - first);
    for (uint64_t row = 0; row < rows; ++row) {
      const float* at = sample + order[row] * static_cast<uint64_t>(dimensions) + first;
      for (int d = 0; d < width; ++d) values[d][row] = at[d];
    }
    for (int d = 0; d < width; ++d) columns[first + d] = ColumnOf(&values[d]);
    if (check_interrupt) check_interrupt();
  }
  // From a loss without the few largest on; what is then let in increases it.
  std::vector<double> limits(static_cast<size_t>(dimensions));
  const size_t few = std::min<size_t>(rows / 1000, kTop - 1);
  for (int d = 0; d < dimensions; ++d) limits[d] = columns[d].top[few];
  for (int round = 0; round < kRounds; ++round) {
    const double rest = RestOf(limits);
    for (int d = 0; d < dimensions; ++d) limits[d] = LimitOf(columns[d], static_cast<double>(rows), rest);
  }
  const double largest = *std::max_element(limits.begin(), limits.end());
  const double least = largest > 0 ? largest * kLeastOfLargest : kCodes;
  for (int d = 0; d < dimensions; ++d) {
    center[d] = static_cast<float>(columns[d].center);
    const double step = std::max(limits[d], least) / kCodes * (1 + 1e-6);  // rounded, it is still not less
    scale[d] = static_cast<float>(std::clamp<double>(step, kSmallestScale, kLargestScale));
  }
}

}  // namespace xtree
