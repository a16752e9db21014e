// See trend.h.
#include "forecast/trend.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "forecast/medians.h"

namespace xtree {

namespace {

constexpr int kMostPicked = 128;  // for the slopes of pairs, whose number is the square
constexpr double kFell = 2.0 / 3;
constexpr double kNinety = 1.645;  // of a normal distribution, 90 of 100 lie so many standard deviations about the mean

// Evenly, the last one included.
std::vector<Measurement> Pick(const Measurement* measured, int n) {
  const int count = std::min(n, kMostPicked);
  std::vector<Measurement> picked(count);
  for (int i = 0; i < count; i++) picked[i] = measured[n - 1 - static_cast<int64_t>(count - 1 - i) * (n - 1) / std::max(1, count - 1)];
  return picked;
}

}  // namespace

bool Trend::Fit(const std::vector<Measurement>& all) {
  size_t begin = 0;
  for (size_t i = 1; i < all.size(); i++) {
    if (all[i].value < kFell * all[i - 1].value) begin = i;
  }
  const Measurement* const measured = all.data() + begin;
  count_ = static_cast<int>(all.size() - begin);
  if (count_ < kFewest) return false;

  const std::vector<Measurement> picked = Pick(measured, count_);
  std::vector<double> slopes;
  for (size_t i = 0; i < picked.size(); i++) {
    for (size_t j = i + 1; j < picked.size(); j++) {
      const double time = picked[j].time - picked[i].time;
      if (time > 0) slopes.push_back((picked[j].value - picked[i].value) / time);
    }
  }
  if (slopes.empty()) return false;
  slope_ = Median(slopes.data(), static_cast<int>(slopes.size()));

  mean_time_ = 0;
  for (int i = 0; i < count_; i++) mean_time_ += measured[i].time / count_;
  sum_of_squares_ = 0;
  std::vector<double> levels(count_);
  for (int i = 0; i < count_; i++) {
    const double time = measured[i].time - mean_time_;
    sum_of_squares_ += time * time;
    levels[i] = measured[i].value - slope_ * time;
  }
  level_ = Median(levels.data(), count_);
  spread_ = SpreadAbout(level_, levels.data(), count_);
  return true;
}

Range Trend::At(double time) const {
  const double away = time - mean_time_;
  const double expected = level_ + slope_ * away;
  const double error = kNinety * spread_ * std::sqrt(1 + 1.0 / count_ + away * away / sum_of_squares_);
  return {expected, expected - error, expected + error};
}

Range Trend::AtLeastZero(double time) const {
  const Range range = At(time);
  return {std::max(0.0, range.expected), std::max(0.0, range.low), std::max(0.0, range.high)};
}

}  // namespace xtree
