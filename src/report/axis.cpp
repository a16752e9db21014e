#include "report/axis.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

#include "report/markup.h"

namespace xtree {

namespace {

constexpr double kMicrosecondsPerSecond = 1e6;
constexpr int64_t kSecondsPerDay = 86400;

// 1, 2 or 5 times a power of ten, so that it fits at most so often.
double RoundStep(double span, int most) {
  const double least = span / most;
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (power * factor >= least) return power * factor;
  return power * 10;
}

std::string Shortest(double value) {
  char digits[64];
  return std::string(digits, std::to_chars(digits, digits + sizeof(digits), value, std::chars_format::general, 6).ptr);
}

// As many decimals as tell one tick from the next.
std::string NumberLabel(double value, double step) {
  if (std::abs(value) >= 1e9 || step < 1e-6) return Shortest(value);
  const int decimals = static_cast<int>(std::max(0.0, -std::floor(std::log10(step) + 1e-9)));
  if (decimals > 0 || std::abs(value) < 1e4) return Fixed(value, decimals);
  return (value < 0 ? "-" : "") + Grouped(static_cast<uint64_t>(std::llround(std::abs(value))));
}

std::string WholeLabel(double value) {
  char digits[64];
  return std::string(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

std::vector<AxisTick> NumberTicks(double lo, double hi, int most) {
  const double step = RoundStep(std::min(hi - lo, std::numeric_limits<double>::max()), most - 1);
  if (!(step > 0) || lo + step == lo || hi - step == hi) return {{lo, WholeLabel(lo)}, {hi, WholeLabel(hi)}};  // neighbours among doubles
  std::vector<AxisTick> ticks;
  for (double at = std::ceil(lo / step) * step; at <= hi && ticks.size() < static_cast<size_t>(most); at += step)
    if (at >= lo) ticks.push_back({at, NumberLabel(at, step)});
  return ticks;
}

std::vector<AxisTick> ShareTicks(double lo, double hi) {
  std::vector<AxisTick> ticks;
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) ticks.push_back({lo * (1 - share) + hi * share, Fixed(share, 2)});
  return ticks;
}

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": the civil calendar, whose year begins in March here.
struct Date {
  int64_t year;
  int month;
  int day;
};

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

Date DateOf(int64_t days) {
  days += 730425;  // from 2000-01-01 to 0000-03-01
  const int64_t era = FloorDivide(days, 146097);
  const int64_t of_era = days - era * 146097;
  const int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const int64_t month = (5 * of_year + 2) / 153;
  const int calendar_month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  return {year + era * 400 + (calendar_month <= 2), calendar_month, static_cast<int>(of_year - (153 * month + 2) / 5 + 1)};
}

int64_t DaysOf(int64_t year, int month) {  // of its first
  const int64_t shifted = year - (month <= 2);
  const int64_t era = FloorDivide(shifted, 400);
  const int64_t of_era = shifted - era * 400;
  const int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 730425;
}

std::string TwoDigits(int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); }

std::string YearLabel(int64_t year) { return year > 0 ? std::to_string(year) : std::to_string(1 - year) + " BC"; }

std::string DayLabel(int64_t days) {
  const Date date = DateOf(days);
  return YearLabel(date.year) + "-" + TwoDigits(date.month) + "-" + TwoDigits(date.day);
}

std::string ClockLabel(int64_t second_of_day, bool seconds) {
  return TwoDigits(second_of_day / 3600) + ":" + TwoDigits(second_of_day / 60 % 60) + (seconds ? ":" + TwoDigits(second_of_day % 60) : "");
}

// Ticks at the first of months, or of years. `per_day`: of the axis's own unit.
std::vector<AxisTick> MonthTicks(double lo, double hi, double per_day, int64_t months) {
  std::vector<AxisTick> ticks;
  const Date first = DateOf(static_cast<int64_t>(std::floor(lo / per_day)));
  const int64_t begin = FloorDivide(first.year * 12 + first.month - 1, months) * months;
  for (int64_t month = begin;; month += months) {
    const int64_t year = FloorDivide(month, 12);
    const int of_year = static_cast<int>(month - year * 12) + 1;
    const double at = static_cast<double>(DaysOf(year, of_year)) * per_day;
    if (at > hi) return ticks;
    if (at >= lo) ticks.push_back({at, months % 12 == 0 ? YearLabel(year) : YearLabel(year) + "-" + TwoDigits(of_year)});
  }
}

// Ticks at multiples of so many seconds, which are whole days or divide a day. `per_second`: of the axis's own unit.
std::vector<AxisTick> SecondTicks(double lo, double hi, double per_second, int64_t seconds, bool date) {
  std::vector<AxisTick> ticks;
  for (int64_t at = static_cast<int64_t>(std::ceil(lo / per_second / static_cast<double>(seconds))) * seconds;
       static_cast<double>(at) * per_second <= hi; at += seconds) {
    const int64_t day = date ? FloorDivide(at, kSecondsPerDay) : 0;  // 24:00 is a time of day
    std::string label = date ? DayLabel(day) : "";
    if (seconds < kSecondsPerDay)
      label = (date ? label.substr(label.find('-') + 1) + " " : "") + ClockLabel(at - day * kSecondsPerDay, seconds < 60);
    ticks.push_back({static_cast<double>(at) * per_second, label});
  }
  return ticks;
}

std::vector<AxisTick> TimeTicks(double lo, double hi, int most, double per_second, bool date) {
  constexpr int64_t kSeconds[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200};
  constexpr int64_t kDays[] = {1, 2, 7, 14};
  constexpr int64_t kMonths[] = {1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000, 60000, 120000};
  constexpr double kDaysPerMonth = 30.44;
  const double seconds = (hi - lo) / per_second / most;  // between two ticks at least
  if (seconds > 0.5 || per_second <= 1) {
    for (const int64_t step : kSeconds)
      if (per_second > 1 && static_cast<double>(step) >= seconds) return SecondTicks(lo, hi, per_second, step, date);
    for (const int64_t step : kDays)
      if (static_cast<double>(step * kSecondsPerDay) >= seconds) return SecondTicks(lo, hi, per_second, step * kSecondsPerDay, date);
    for (const int64_t step : kMonths)
      if (static_cast<double>(step) * kDaysPerMonth * kSecondsPerDay >= seconds)
        return MonthTicks(lo, hi, per_second * kSecondsPerDay, step);
  }
  return ShareTicks(lo, hi);  // less than a second
}

}  // namespace

std::vector<AxisTick> TicksOf(AxisUnit unit, double lo, double hi, int most) {
  switch (unit) {
    case AxisUnit::kNumber:
      return NumberTicks(lo, hi, most);
    case AxisUnit::kDays:
      return TimeTicks(lo, hi, most, 1.0 / kSecondsPerDay, true);
    case AxisUnit::kMicroseconds:
      return TimeTicks(lo, hi, most, kMicrosecondsPerSecond, true);
    case AxisUnit::kTimeOfDay:
      return TimeTicks(lo, hi, most, kMicrosecondsPerSecond, false);
    case AxisUnit::kShare:
      break;
  }
  return ShareTicks(lo, hi);
}

}  // namespace xtree
