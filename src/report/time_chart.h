// A chart of what was measured again and again, as an SVG picture for the page (report/html_page.h). A pure function from plain data.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace xtree {

struct ChartPoint {
  double time;   // microseconds since 2000-01-01
  double value;  // NaN: not known, a gap in the line
};

enum class ChartScale {
  kShare,   // from 0 to 1
  kNumber,  // from 0 to the largest
};

// Points in the order of time. Where the time between two is more than twice the usual, the line has a gap. With fewer than two points: nothing.
std::string TimeChart(std::string_view title, ChartScale scale, const std::vector<ChartPoint>& points);

}  // namespace xtree
