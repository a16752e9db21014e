// src/forecast: medians, trends, and classes of use.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "forecast/medians.h"
#include "forecast/trend.h"
#include "forecast/usage.h"

namespace xtree {
namespace {

TEST(Medians, OfFewAndMany) {
  double one[] = {3}, two[] = {1, 2}, three[] = {9, 1, 5}, four[] = {4, 1, 3, 100};
  EXPECT_EQ(Median(one, 1), 3);
  EXPECT_EQ(Median(two, 2), 1.5);
  EXPECT_EQ(Median(three, 3), 5);
  EXPECT_EQ(Median(four, 4), 3.5);
}

TEST(Medians, SpreadOfNormalNumbersIsTheirDeviation) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal(10, 3);
  std::vector<double> values(20001);
  for (double& value : values) value = normal(random);
  for (size_t i = 0; i < values.size() / 5; i++) values[i] = 1e9;  // outliers move it little
  std::vector<double> copy = values;
  const double median = Median(copy.data(), static_cast<int>(copy.size()));
  EXPECT_NEAR(median, 10, 1.5);
  EXPECT_NEAR(SpreadAbout(median, values.data(), static_cast<int>(values.size())), 3, 1.5);
}

TEST(Medians, UnusualIsWhatIsFarOffAndWasNotThereBefore) {
  std::vector<double> before(30, 100);
  for (size_t i = 0; i < before.size(); i++) before[i] += static_cast<double>(i % 5);
  Usual usual;
  const auto ask = [&](double now, double grain) {
    std::vector<double> copy = before;
    return IsUnusual(now, copy.data(), static_cast<int>(copy.size()), grain, &usual);
  };
  EXPECT_FALSE(ask(110, 1));
  EXPECT_TRUE(ask(1000, 1));
  EXPECT_TRUE(ask(0, 1));
  EXPECT_FALSE(ask(1000, 5000)) << "a difference that does not matter";
  EXPECT_LT(usual.low, usual.high);
  before[3] = 1000;
  EXPECT_FALSE(ask(1000, 1)) << "it was so before";
  EXPECT_FALSE(ask(900, 1));
  before.resize(kFewestUsual - 1);
  EXPECT_FALSE(ask(1e9, 1)) << "too few";
}

std::vector<Measurement> Line(int n, double begin, double slope, double noise) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal(0, 1);
  std::vector<Measurement> out;
  for (int i = 0; i < n; i++) out.push_back({static_cast<double>(i), begin + slope * i + noise * normal(random)});
  return out;
}

TEST(Trend, OfALineIsTheLine) {
  Trend trend;
  ASSERT_TRUE(trend.Fit(Line(50, 1000, 20, 0)));
  EXPECT_NEAR(trend.slope(), 20, 1e-9);
  const Range range = trend.At(100);
  EXPECT_NEAR(range.expected, 3000, 1e-6);
  EXPECT_NEAR(range.low, range.high, 1e-6);
}

TEST(Trend, NoiseWidensTheRangeAndDistanceMore) {
  Trend trend;
  ASSERT_TRUE(trend.Fit(Line(700, 1000, 2, 30)));
  EXPECT_NEAR(trend.slope(), 2, 0.05);
  const Range near = trend.At(700), far = trend.At(7000);
  EXPECT_NEAR(near.expected, 2400, 20);
  EXPECT_GT(near.high - near.low, 60);
  EXPECT_GT(far.high - far.low, near.high - near.low);
  EXPECT_LT(far.low, far.expected);
}

TEST(Trend, RangeHoldsNineOfTen) {
  int within = 0;
  for (unsigned seed = 0; seed < 400; seed++) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(0, 1);
    std::vector<Measurement> measured;
    for (int i = 0; i < 60; i++) measured.push_back({static_cast<double>(i), 500 + 3.0 * i + 10 * normal(random)});
    Trend trend;
    ASSERT_TRUE(trend.Fit(measured));
    const Range range = trend.At(70);
    const double truth = 500 + 3.0 * 70 + 10 * normal(random);
    within += truth >= range.low && truth <= range.high;
  }
  EXPECT_GT(within, 330);
  EXPECT_LT(within, 385);
}

TEST(Trend, OutliersDoNotDecide) {
  std::vector<Measurement> measured = Line(100, 1000, 10, 0);
  for (size_t i = 5; i < measured.size(); i += 6) measured[i].value *= 1.2;
  Trend trend;
  ASSERT_TRUE(trend.Fit(measured));
  EXPECT_NEAR(trend.slope(), 10, 0.5);
}

TEST(Trend, BeginsAnewAfterAFall) {
  std::vector<Measurement> measured = Line(100, 100000, 50, 0);
  for (size_t i = 60; i < measured.size(); i++) measured[i].value = 1000 + 5.0 * static_cast<double>(i);
  Trend trend;
  ASSERT_TRUE(trend.Fit(measured));
  EXPECT_NEAR(trend.slope(), 5, 1e-6);
  EXPECT_NEAR(trend.At(200).expected, 2000, 1e-6);
}

TEST(Trend, NeedsMeasurementsOfSeveralTimes) {
  Trend trend;
  EXPECT_FALSE(trend.Fit({}));
  EXPECT_FALSE(trend.Fit(Line(Trend::kFewest - 1, 1, 1, 0)));
  EXPECT_TRUE(trend.Fit(Line(Trend::kFewest, 1, 1, 0)));
  EXPECT_FALSE(trend.Fit(std::vector<Measurement>(20, {5, 7})));
}

TEST(Trend, NeverLessThanZeroWhereAsked) {
  Trend trend;
  ASSERT_TRUE(trend.Fit(Line(50, 5000, -20, 5)));
  EXPECT_LT(trend.At(1000).expected, 0);
  EXPECT_EQ(trend.AtLeastZero(1000).expected, 0);
  EXPECT_EQ(trend.AtLeastZero(1000).low, 0);
}

const std::vector<int> kPeriods = {24, 168};

std::vector<Stretch> Days(int days, double (*reads)(int day, int hour), double writes = 0) {
  std::vector<Stretch> out;
  for (int day = 0; day < days; day++) {
    for (int hour = 0; hour < 24; hour++) out.push_back({day * 24 + hour, reads(day, hour), writes});
  }
  return out;
}

TEST(Usage, Classes) {
  const auto steady = [](int, int) { return 100.0; };
  EXPECT_EQ(Classify(Days(2, steady, 0), kPeriods).use, UseClass::kReadMostly);
  EXPECT_EQ(Classify(Days(2, steady, 10), kPeriods).use, UseClass::kReadMostly);
  EXPECT_EQ(Classify(Days(2, steady, 50), kPeriods).use, UseClass::kMixed);
  EXPECT_EQ(Classify(Days(2, steady, 2000), kPeriods).use, UseClass::kWriteMostly);
  const Usage idle = Classify(Days(2, [](int, int) { return 0.0; }), kPeriods);
  EXPECT_EQ(idle.use, UseClass::kIdle);
  EXPECT_EQ(idle.pattern, UsePattern::kUnknown);
  std::vector<Stretch> few = Days(1, steady);
  few.resize(kFewestForUse - 1);
  EXPECT_EQ(Classify(few, kPeriods).use, UseClass::kUnknown);
  EXPECT_EQ(Classify({}, kPeriods).use, UseClass::kUnknown);
}

TEST(Usage, Steady) {
  const Usage usage = Classify(Days(5, [](int day, int hour) { return 50.0 + (day * 7 + hour * 11) % 30; }), kPeriods);
  EXPECT_EQ(usage.pattern, UsePattern::kSteady);
  EXPECT_TRUE(usage.active.empty());
}

TEST(Usage, Bursty) {
  const Usage usage = Classify(Days(5, [](int day, int hour) { return (day * 24 + hour) % 37 == 5 ? 1000.0 : 1.0; }), kPeriods);
  EXPECT_EQ(usage.pattern, UsePattern::kBursty);
}

TEST(Usage, Daily) {
  const Usage usage = Classify(Days(5, [](int, int hour) { return hour >= 8 && hour < 11 ? 300.0 : hour == 20 ? 3.0 : 0.0; }), kPeriods);
  ASSERT_EQ(usage.pattern, UsePattern::kPeriodic);
  EXPECT_EQ(usage.period, 24);
  EXPECT_EQ(usage.BeginsAt(), 8);
  EXPECT_EQ(usage.NextUse(5 * 24), 5 * 24 + 8);
  EXPECT_EQ(usage.NextUse(5 * 24 + 8), 5 * 24 + 9) << "it goes on";
  EXPECT_EQ(usage.NextUse(5 * 24 + 10), 6 * 24 + 8);
}

TEST(Usage, DailyWithADayOffAndHoursMissing) {
  std::vector<Stretch> stretches = Days(8, [](int day, int hour) { return day != 3 && (hour == 23 || hour == 0) ? 100.0 : 0.0; });
  stretches.erase(stretches.begin() + 50, stretches.begin() + 60);
  const Usage usage = Classify(stretches, kPeriods);
  ASSERT_EQ(usage.pattern, UsePattern::kPeriodic);
  EXPECT_EQ(usage.BeginsAt(), 23) << "over midnight";
}

TEST(Usage, Weekly) {
  const Usage usage = Classify(Days(28, [](int day, int hour) { return day % 7 == 2 && hour == 9 ? 500.0 : 0.0; }), kPeriods);
  ASSERT_EQ(usage.pattern, UsePattern::kPeriodic);
  EXPECT_EQ(usage.period, 168);
  EXPECT_EQ(usage.BeginsAt(), 2 * 24 + 9);
}

TEST(Usage, TwoPeriodsAreNotEnough) {
  EXPECT_NE(Classify(Days(2, [](int, int hour) { return hour == 8 ? 300.0 : 0.0; }), kPeriods).pattern, UsePattern::kPeriodic);
}

TEST(Usage, NamesAreKnown) {
  EXPECT_EQ(NameOf(UseClass::kUnknown), nullptr);
  EXPECT_EQ(NameOf(UsePattern::kUnknown), nullptr);
  EXPECT_STREQ(NameOf(UseClass::kWriteMostly), "write-mostly");
  EXPECT_STREQ(NameOf(UsePattern::kPeriodic), "periodic");
}

}  // namespace
}  // namespace xtree
