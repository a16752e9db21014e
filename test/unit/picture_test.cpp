// src/report: text in XML, axes, and pictures of trees from plain data.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "report/axis.h"
#include "report/html_page.h"
#include "report/markup.h"
#include "report/time_chart.h"
#include "report/tree_picture.h"

namespace xtree {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) count++;
  return count;
}

std::string Labels(const std::vector<AxisTick>& ticks) {
  std::string all;
  for (const AxisTick& tick : ticks) all += (all.empty() ? "" : " ") + tick.label;
  return all;
}

TEST(Markup, EscapesWhatMeansSomething) {
  EXPECT_EQ(Escaped("a<b>&\"c'"), "a&#60;b&#62;&#38;&#34;c&#39;");
  EXPECT_EQ(Escaped("plain text, 1 + 1 = 2; x%\n"), "plain text, 1 + 1 = 2; x%\n");
}

TEST(Markup, WritesOtherCharactersAsReferences) {
  EXPECT_EQ(Escaped("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8C\xB3\x7F"), "&#233;&#8364;&#127795;&#127;");
  EXPECT_EQ(Escaped("\t"), "&#9;");
}

TEST(Markup, ReplacesWhatIsNoCharacter) {
  for (const char* wrong : {"\x01", "\r", "\x1F", "\xFF", "\xC0\x80", "\xE2\x82", "\xC3(", "\xED\xA0\x80", "\xEF\xBF\xBE", "\xEF\xBF\xBF",
                            "\xF5\x80\x80\x80", "\x80"})
    EXPECT_EQ(Escaped(wrong).substr(0, 8), "&#65533;") << wrong;
  EXPECT_EQ(Escaped("\xC3("), "&#65533;(");
}

TEST(Markup, ShortensByCharacters) {
  EXPECT_EQ(Shortened("abcd", 4), "abcd");
  EXPECT_EQ(Shortened("abcde", 4), "abc\xE2\x80\xA6");
  EXPECT_EQ(Shortened("\xC3\xA9\xC3\xA9\xC3\xA9", 2), "\xC3\xA9\xE2\x80\xA6");
  EXPECT_EQ(Shortened("ab", 1), "\xE2\x80\xA6");
}

TEST(Markup, WritesNumbers) {
  EXPECT_EQ(Fixed(1.25, 1), "1.2");
  EXPECT_EQ(Fixed(-0.01, 1), "0.0");
  EXPECT_EQ(Fixed(1e300, 0).size(), 301u);
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1234567), "1,234,567");
}

TEST(Axis, NumbersAreRound) {
  EXPECT_EQ(Labels(TicksOf(AxisUnit::kNumber, -180, 180, 5)), "-100 0 100");
  EXPECT_EQ(Labels(TicksOf(AxisUnit::kNumber, 0, 1, 6)), "0.0 0.2 0.4 0.6 0.8 1.0");
  EXPECT_EQ(Labels(TicksOf(AxisUnit::kNumber, 0, 2.1e7, 4)), "0 10,000,000 20,000,000");
}

TEST(Axis, AnyNumbersGiveFewTicks) {
  const double most = std::numeric_limits<double>::max();
  for (const auto& [lo, hi] :
       {std::pair{-most, most}, {0.0, most}, {0.0, 5e-324}, {1e300, 1.0000000001e300}, {1.0, std::nextafter(1.0, 2.0)}, {-1e-300, 1e-300}})
    for (const AxisUnit unit : {AxisUnit::kNumber, AxisUnit::kShare})
      for (int ticks = 2; ticks <= 12; ticks++) {
        const auto all = TicksOf(unit, lo, hi, ticks);
        EXPECT_LE(all.size(), static_cast<size_t>(std::max(ticks, 5))) << lo << " " << hi;
        for (const AxisTick& tick : all) EXPECT_TRUE(tick.at >= lo && tick.at <= hi) << tick.at;
      }
}

TEST(Axis, DatesFollowTheCalendar) {
  EXPECT_EQ(Labels(TicksOf(AxisUnit::kDays, 0, 366 * 4, 5)), "2000 2001 2002 2003 2004");
  EXPECT_EQ(Labels(TicksOf(AxisUnit::kDays, 58, 61, 4)), "2000-02-28 2000-02-29 2000-03-01 2000-03-02");
  EXPECT_EQ(Labels(TicksOf(AxisUnit::kDays, 7, 130, 5)), "2000-02 2000-03 2000-04 2000-05");
  EXPECT_EQ(Labels(TicksOf(AxisUnit::kDays, -730850, -730119, 3)), "2 BC 1 BC 1");
}

TEST(Axis, TimesFollowTheClock) {
  constexpr double kHour = 3600e6;
  EXPECT_EQ(Labels(TicksOf(AxisUnit::kMicroseconds, 22 * kHour, 34 * kHour, 4)), "01-02 00:00 01-02 03:00 01-02 06:00 01-02 09:00");
  EXPECT_EQ(Labels(TicksOf(AxisUnit::kTimeOfDay, 0, 24 * kHour, 5)), "00:00 06:00 12:00 18:00 24:00");
  EXPECT_EQ(Labels(TicksOf(AxisUnit::kTimeOfDay, 0, 3e6, 4)), "00:00:00 00:00:01 00:00:02 00:00:03");
  EXPECT_EQ(Labels(TicksOf(AxisUnit::kMicroseconds, -2e6, 0, 3)), "12-31 23:59:58 12-31 23:59:59 01-01 00:00:00");
  EXPECT_EQ(Labels(TicksOf(AxisUnit::kMicroseconds, 0, 1000, 4)), "0.00 0.25 0.50 0.75 1.00") << "less than a second";
}

TEST(Axis, TimesBeyondHistoryEnd) {
  for (const double span : {1e9, 1e12, 1e15, 1e17, 9e18}) EXPECT_LE(TicksOf(AxisUnit::kMicroseconds, -span, span, 8).size(), 9u) << span;
  EXPECT_LE(TicksOf(AxisUnit::kDays, -2147483647, 2147483646, 8).size(), 9u);
}

PictureBox BoxOf(uint32_t block, int level, double lo, double hi) {
  return {block, level, 1, -1, {lo, lo}, {hi, hi}, false, false, false, 0};
}

TreePicture TwoLevels() {
  TreePicture picture;
  picture.title = "a<b";
  picture.axis[0].name = "x\"";
  picture.axis[1].name = "y&";
  picture.levels = {{1, 1, 0, 0}, {0, 3, 1, 1}};
  picture.boxes = {BoxOf(1, 1, 0, 10), BoxOf(2, 0, 0, 4), BoxOf(3, 0, 4, 4), BoxOf(4, 0, 5, 10)};
  return picture;
}

TEST(TreePicture, HasARectangleForEachBox) {
  const std::string svg = SvgOf(TwoLevels());
  EXPECT_EQ(Count(svg, "data-block="), 4u);
  EXPECT_EQ(Count(svg, "data-level=\"1\""), 1u);
  EXPECT_LT(svg.find("data-level=\"0\""), svg.find("data-level=\"1\"")) << "the upper levels lie on top";
  EXPECT_NE(svg.find("leaves: 4<"), std::string::npos) << svg;
  EXPECT_NE(svg.find("1 without values here"), std::string::npos);
  EXPECT_EQ(svg.find("of them drawn"), std::string::npos);
  EXPECT_EQ(Count(svg, "a<b"), 0u);
  EXPECT_EQ(Count(svg, "a&#60;b"), 2u) << "as the title of the document and of the picture";
  for (const unsigned char c : svg) ASSERT_LT(c, 0x80);
}

TEST(TreePicture, SaysWhatIsLeftOut) {
  TreePicture picture = TwoLevels();
  picture.levels[1].nodes = 1000;
  EXPECT_NE(SvgOf(picture).find("3 of them drawn"), std::string::npos);
  picture.boxes.resize(1);
  EXPECT_NE(SvgOf(picture).find("not drawn"), std::string::npos);
}

TEST(TreePicture, MarksPages) {
  TreePicture picture = TwoLevels();
  picture.boxes[0].pages = 3;
  picture.boxes[1].hotness = 2.5;
  picture.boxes[1].pinned = true;
  picture.boxes[2].visited = true;
  picture.boxes[3].mapped = true;
  std::string svg = SvgOf(picture);
  EXPECT_NE(svg.find("<rect class=\"box supernode unmapped\""), std::string::npos) << svg;
  EXPECT_NE(svg.find("<rect class=\"box hot pinned unmapped\""), std::string::npos);
  EXPECT_NE(svg.find("<rect class=\"box visited unmapped\""), std::string::npos);
  EXPECT_NE(svg.find("<rect class=\"box mapped\""), std::string::npos);
  EXPECT_EQ(Count(svg, "<circle class=\"heat\""), 2u) << "on the page, and in the legend";
  EXPECT_EQ(Count(svg, "<circle class=\"pin\""), 2u);
  EXPECT_NE(svg.find("supernode of 3 pages"), std::string::npos);
  for (PictureBox& box : picture.boxes) box.pinned = true;
  svg = SvgOf(picture);
  EXPECT_EQ(Count(svg, "<circle class=\"pin\""), 0u) << "not on every page";
  EXPECT_NE(svg.find("all are pinned"), std::string::npos);
}

TEST(TreePicture, BearsAnyBounds) {
  TreePicture picture = TwoLevels();
  for (const auto& [lo, hi] :
       {std::pair{-kInfinity, kInfinity}, {-kInfinity, kNan}, {kNan, kNan}, {-1e308, 1e308}, {5.0, 5.0}, {0.0, 5e-324}}) {
    for (PictureBox& box : picture.boxes) std::fill(box.lo, box.lo + 2, lo), std::fill(box.hi, box.hi + 2, hi);
    picture.has_window = true;
    picture.window_lo[0] = picture.window_lo[1] = lo;
    picture.window_hi[0] = picture.window_hi[1] = hi;
    for (const int dimensions : {1, 2}) {
      picture.dimensions = dimensions;
      const std::string svg = SvgOf(picture);
      EXPECT_EQ(Count(svg, "nan") + Count(svg, "inf"), 0u) << lo << " " << hi;
      EXPECT_EQ(Count(svg, "data-block="), 4u);
      EXPECT_EQ(Count(svg, "height=\"-") + Count(svg, "width=\"-"), 0u) << svg;
    }
  }
}

TEST(TreePicture, OneDimensionLiesBesideTheLevel) {
  TreePicture picture = TwoLevels();
  picture.dimensions = 1;
  const std::string svg = SvgOf(picture);
  EXPECT_NE(svg.find(">level 1</text>"), std::string::npos);
  EXPECT_NE(svg.find(">leaves</text>"), std::string::npos);
}

TEST(TreePicture, OfNothing) {
  TreePicture picture;
  picture.notes = {"the index is empty"};
  const std::string svg = SvgOf(picture);
  EXPECT_EQ(Count(svg, "data-block="), 0u);
  EXPECT_NE(svg.find("the index is empty"), std::string::npos);
}

TEST(HtmlPage, EscapesNamesAndValues) {
  const char* names[] = {"<a>", ">n"};
  const char* values[] = {"x&y", "1234567", nullptr, "<b>"};
  const Answer answer = {2, 2, names, values};
  for (const std::string& html : {TableOf(answer), FactsOf(answer), CardsOf(answer)}) {
    EXPECT_EQ(html.find("<a>"), std::string::npos) << html;
    EXPECT_NE(html.find("&#60;a&#62;"), std::string::npos) << html;
    EXPECT_NE(html.find("x&#38;y"), std::string::npos) << html;
    EXPECT_NE(html.find("1,234,567"), std::string::npos) << html;
    EXPECT_EQ(html.find(">&#62;n"), std::string::npos) << "what says that it is a number is not shown: " << html;
  }
  EXPECT_NE(TableOf(answer).find("&#60;b&#62;"), std::string::npos);
}

TEST(HtmlPage, BarsAreShares) {
  const char* names[] = {"what", "share", "of"};
  const char* values[] = {"a", "0.25", "x", "b", nullptr, "y", "c", "7", "z"};
  const std::string html = BarsOf({3, 3, names, values});
  EXPECT_NE(html.find("width:25.0%"), std::string::npos);
  EXPECT_NE(html.find("width:100.0%"), std::string::npos) << "never more than the whole";
  EXPECT_EQ(Count(html, "<tr>"), 2u) << "what has no share has no bar";
}

TEST(TimeChart, IsALineWithGaps) {
  constexpr double kHour = 3600e6;
  std::vector<ChartPoint> points;
  for (int hour = 0; hour < 30; hour++) {
    if (hour >= 10 && hour < 14) continue;  // nobody measured
    points.push_back({hour * kHour, hour == 20 ? kNan : hour / 30.0});
  }
  const std::string chart = TimeChart("hits & misses", ChartScale::kShare, points);
  EXPECT_EQ(chart.find("<svg "), 0u);
  EXPECT_NE(chart.find(Escaped("hits & misses")), std::string::npos);
  EXPECT_NE(chart.find(">1.00<"), std::string::npos) << "the scale of shares ends at 1";
  const std::string line = chart.substr(chart.rfind(" d=\""));
  EXPECT_EQ(Count(line, "M"), 3u) << "one before the gap, one before the unknown value, one after";
  EXPECT_EQ(Count(line, "L"), points.size() - 1 - 3);
}

TEST(TimeChart, NumbersReachTheTop) {
  const std::string chart = TimeChart("n", ChartScale::kNumber, {{0, 0}, {1e6, 250}, {2e6, 1000}});
  EXPECT_NE(chart.find(">1000<"), std::string::npos);
  EXPECT_NE(chart.find(" 26.0\""), std::string::npos) << "the largest lies at the top";
}

TEST(TimeChart, NeedsTwoTimes) {
  EXPECT_EQ(TimeChart("n", ChartScale::kNumber, {}), "");
  EXPECT_EQ(TimeChart("n", ChartScale::kNumber, {{5, 1}}), "");
  EXPECT_EQ(TimeChart("n", ChartScale::kNumber, {{5, 1}, {5, 2}}), "");
  EXPECT_NE(TimeChart("n", ChartScale::kNumber, {{5, kNan}, {6, kNan}}), "") << "nothing known is an empty chart";
}

}  // namespace
}  // namespace xtree
