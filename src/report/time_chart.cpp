// See time_chart.h.
#include "report/time_chart.h"

#include <algorithm>
#include <cmath>

#include "report/axis.h"
#include "report/markup.h"

namespace xtree {

namespace {

constexpr int kWidth = 1000, kHeight = 190;
constexpr int kLeft = 80, kRight = 950, kTop = 26, kBelow = 160;

// Colours are the page's own, so that it is right in the dark.
constexpr std::string_view kAttributes = "\" class=\"xtree-chart\" role=\"img\" font-size=\"12\" fill=\"currentColor\"";

double LargestOf(const std::vector<ChartPoint>& points) {
  double largest = 0;
  for (const ChartPoint& point : points) largest = std::isfinite(point.value) ? std::max(largest, point.value) : largest;
  return largest > 0 ? largest : 1;
}

double UsualStep(const std::vector<ChartPoint>& points) {
  std::vector<double> steps;
  for (size_t i = 1; i < points.size(); i++) steps.push_back(points[i].time - points[i - 1].time);
  std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2), steps.end());
  return steps[steps.size() / 2];
}

class Chart {
 public:
  Chart(const std::vector<ChartPoint>& points, ChartScale scale)
      : points_(points),
        scale_(scale),
        first_(points.front().time),
        last_(points.back().time),
        largest_(scale == ChartScale::kShare ? 1 : LargestOf(points)) {}

  std::string Make(std::string_view title) {
    out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + std::to_string(kWidth) + " " + std::to_string(kHeight) +
           "\" width=\"" + std::to_string(kWidth) + "\" height=\"" + std::to_string(kHeight) + std::string(kAttributes) + "><title>" +
           Escaped(title) + "</title>";
    Text(kLeft, 14, "start", title);
    Axes();
    Line();
    return out_ + "</svg>";
  }

 private:
  double X(double time) const { return kLeft + (time - first_) / (last_ - first_) * (kRight - kLeft); }
  double Y(double value) const { return kBelow - std::clamp(value / largest_, 0.0, 1.0) * (kBelow - kTop); }

  void Text(double x, double y, const char* anchor, std::string_view text) {
    out_ += "<text x=\"" + Fixed(x, 1) + "\" y=\"" + Fixed(y, 1) + "\" text-anchor=\"" + anchor + "\">" + Escaped(text) + "</text>";
  }

  void Rule(double x1, double y1, double x2, double y2) {
    out_ += "<path fill=\"none\" stroke=\"currentColor\" stroke-opacity=\".25\" d=\"M" + Fixed(x1, 1) + " " + Fixed(y1, 1) + "L" +
            Fixed(x2, 1) + " " + Fixed(y2, 1) + "\"/>";
  }

  void Axes() {
    constexpr int kMostAcross = 8, kMostUp = 5;
    for (const AxisTick& tick : TicksOf(AxisUnit::kMicroseconds, first_, last_, kMostAcross)) {
      Rule(X(tick.at), kTop, X(tick.at), kBelow);
      Text(X(tick.at), kBelow + 18, "middle", tick.label);
    }
    const AxisUnit unit = scale_ == ChartScale::kShare ? AxisUnit::kShare : AxisUnit::kNumber;
    for (const AxisTick& tick : TicksOf(unit, 0, largest_, kMostUp)) {
      Rule(kLeft, Y(tick.at), kRight, Y(tick.at));
      Text(kLeft - 8, Y(tick.at) + 4, "end", tick.label);
    }
  }

  void Line() {
    const double gap = 2 * UsualStep(points_);
    std::string path;
    bool drawing = false;
    for (size_t i = 0; i < points_.size(); i++) {
      const ChartPoint& point = points_[i];
      if (i > 0 && point.time - points_[i - 1].time > gap) drawing = false;
      if (!std::isfinite(point.value)) {
        drawing = false;
        continue;
      }
      path += (drawing ? "L" : "M") + Fixed(X(point.time), 1) + " " + Fixed(Y(point.value), 1);
      if (!drawing) path += "h.1";  // a point alone is to be seen, too
      drawing = true;
    }
    out_ +=
        "<path fill=\"none\" stroke=\"var(--bar,#0072b2)\" stroke-width=\"1.6\" stroke-linecap=\"round\" stroke-linejoin=\"round\" d=\"" +
        path + "\"/>";
  }

  const std::vector<ChartPoint>& points_;
  ChartScale scale_;
  double first_, last_;
  double largest_;
  std::string out_;
};

}  // namespace

std::string TimeChart(std::string_view title, ChartScale scale, const std::vector<ChartPoint>& points) {
  if (points.size() < 2 || !(points.front().time < points.back().time)) return "";
  return Chart(points, scale).Make(title);
}

}  // namespace xtree
