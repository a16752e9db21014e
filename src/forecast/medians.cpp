// See medians.h.
#include "forecast/medians.h"

#include <algorithm>
#include <cmath>

namespace xtree {

namespace {

constexpr double kNormal = 1.4826;
constexpr double kFarOff = 6;          // spreads: one in a billion by chance, were the numbers normally distributed; use comes in bursts
constexpr double kNeverFarOff = 0.25;  // of the median: where all were alike, a little more is not yet unusual

}  // namespace

double Median(double* values, int n) {
  double* const middle = values + n / 2;
  std::nth_element(values, middle, values + n);
  return n % 2 == 1 ? *middle : (*middle + *std::max_element(values, middle)) / 2;
}

double SpreadAbout(double center, double* values, int n) {
  for (int i = 0; i < n; i++) values[i] = std::fabs(values[i] - center);
  return kNormal * Median(values, n);
}

bool IsUnusual(double now, double* before, int n, double grain, Usual* usual) {
  if (n < kFewestUsual) return false;
  const auto [least, most] = std::minmax_element(before, before + n);
  const double low = *least, high = *most;
  const double median = Median(before, n);
  const double margin = std::max({kFarOff * SpreadAbout(median, before, n), kNeverFarOff * std::fabs(median), grain});
  // What was there before is not unusual, however far from the median.
  *usual = {std::min(low, median - margin), std::max(high, median + margin)};
  return now < usual->low || now > usual->high;
}

}  // namespace xtree
