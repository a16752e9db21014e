// A straight line through measurements of something that grows, and how far ahead it can be trusted.
#pragma once

#include <vector>

namespace xtree {

struct Measurement {
  double time;  // of any unit and origin
  double value;
};

struct Range {
  double expected;
  double low, high;  // 90 of 100 lie within, as far as the past is a guide
};

// The slope is the median of the slopes between all pairs (Theil 1950, Sen 1968), so that up to a quarter of outliers do not decide; how far off
// it may be follows from the spread of the distances to the line, as with least squares.
class Trend {
 public:
  static constexpr int kFewest = 8;  // measurements

  // Of measurements in the order of time. Where the value once fell by a third or more, as a REINDEX makes it, those before do not count.
  // False: too few are left, or all of one time.
  bool Fit(const std::vector<Measurement>& measured);

  Range At(double time) const;
  // Never less than 0: for what cannot be negative.
  Range AtLeastZero(double time) const;

  double slope() const { return slope_; }

 private:
  double slope_ = 0;
  double mean_time_ = 0;
  double level_ = 0;  // at mean_time_
  double spread_ = 0;
  double sum_of_squares_ = 0;  // of times about their mean
  int count_ = 0;
};

}  // namespace xtree
