#include "report/tree_picture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "report/markup.h"

namespace xtree {

namespace {

constexpr int kLegendWidth = 190;
constexpr int kLeft = 100;   // of labels beside the frame
constexpr int kBottom = 48;  // of labels below it
constexpr int kLine = 17;    // from one line of text to the next
constexpr int kLevelColours = 5;

// Light first; a page that prefers dark has the lower ones.
constexpr std::string_view kStyle =
    ".xtree-picture{font:12px system-ui,sans-serif}"
    ".xtree-picture text{fill:#222}.xtree-picture .title{font-size:15px;font-weight:600}.xtree-picture .faint{fill:#666}"
    ".xtree-picture .paper{fill:#fff}.xtree-picture .frame{fill:none;stroke:#888}.xtree-picture .grid{stroke:#e4e4e4}"
    ".xtree-picture .box{fill:none}"
    ".xtree-picture .c0 .box{stroke:#56b4e9}.xtree-picture .c1 .box{stroke:#0072b2}.xtree-picture .c2 .box{stroke:#009e73}"
    ".xtree-picture .c3 .box{stroke:#cc79a7}.xtree-picture .c4 .box{stroke:#e69f00}"
    ".xtree-picture .lowest .box{fill:#56b4e9;fill-opacity:.1}"
    ".xtree-picture .supernode{stroke-dasharray:7 3}.xtree-picture .unmapped{stroke-opacity:.4}"
    ".xtree-picture .level .visited{stroke:#d55e00}.xtree-picture .lowest .visited{fill:#d55e00;fill-opacity:.3}"
    ".xtree-picture .lowest .hot{fill:#f0e442;fill-opacity:.55}"
    ".xtree-picture .heat{fill:#f0e442;stroke:#222;stroke-width:.8}.xtree-picture .pin{fill:#222}"
    ".xtree-picture .window{fill:none;stroke:#222;stroke-width:1.6;stroke-dasharray:3 3}"
    "@media(prefers-color-scheme:dark){"
    ".xtree-picture text{fill:#ddd}.xtree-picture .faint{fill:#aaa}.xtree-picture .paper{fill:#15181c}.xtree-picture .grid{stroke:#2c3138}"
    ".xtree-picture .c1 .box{stroke:#5aa0e0}.xtree-picture .window{stroke:#eee}}";

struct Extent {
  double lo = std::numeric_limits<double>::infinity();
  double hi = -std::numeric_limits<double>::infinity();
  bool open = false;  // something reaches beyond every number

  void Add(double value) {
    if (std::isfinite(value)) {
      lo = std::min(lo, value);
      hi = std::max(hi, value);
    } else {
      open = true;
    }
  }
  // Some room around everything, and never nothing.
  void Widen() {
    if (lo > hi) lo = hi = 0;
    double room = (hi / 2 - lo / 2) / 25;
    if (!(room > 0)) room = std::max(0.5, std::abs(hi) * 1e-6);
    lo = std::max(lo - room, std::numeric_limits<double>::lowest());
    hi = std::min(hi + room, std::numeric_limits<double>::max());
  }
  // 0 to 1.
  double ShareOf(double value) const {
    if (std::isnan(value)) return 1;
    return std::clamp((value / 2 - lo / 2) / (hi / 2 - lo / 2), 0.0, 1.0);
  }
};

class Drawing {
 public:
  explicit Drawing(const TreePicture& picture) : picture_(picture) {}

  std::string Make() {
    FindFrame();
    Begin();
    Axes();
    Levels();
    Window();
    Marks();
    Legend();
    out_ += "</svg>";
    return std::move(out_);
  }

 private:
  bool flat() const { return picture_.dimensions == 1; }

  void FindFrame() {
    top_ = 34 + kLine * static_cast<int>(picture_.notes.size());
    right_ = picture_.width - kLegendWidth;
    below_ = picture_.height - kBottom;
    lowest_ = picture_.boxes.empty() ? 0 : picture_.boxes.back().level;
    highest_ = picture_.boxes.empty() ? 0 : picture_.boxes.front().level;
    for (const PictureBox& box : picture_.boxes)
      for (int d = 0; d < picture_.dimensions; d++) {
        extent_[d].Add(box.lo[d]);
        extent_[d].Add(box.hi[d]);
      }
    for (int d = 0; d < picture_.dimensions; d++) extent_[d].Widen();
  }

  double X(double value) const { return kLeft + extent_[0].ShareOf(value) * (right_ - kLeft); }
  double Y(double value) const { return below_ - extent_[1].ShareOf(value) * (below_ - top_); }

  // Of a level, where the level is an axis.
  double Lane() const { return static_cast<double>(below_ - top_) / (highest_ - lowest_ + 1); }
  double LaneTop(int level) const { return top_ + Lane() * (highest_ - level); }

  struct Rect {
    double x, y, width, height;
  };

  // Also a box without extent is to be seen.
  Rect RectOf(int level, const double* lo, const double* hi) const {
    const double x = X(lo[0]), width = std::max(X(hi[0]) - x, 0.8);
    if (flat()) return {x, LaneTop(level) + Lane() * 0.2, width, Lane() * 0.6};
    const double y = Y(hi[1]);
    return {x, y, width, std::max(Y(lo[1]) - y, 0.8)};
  }

  void Begin() {
    const std::string width = std::to_string(picture_.width), height = std::to_string(picture_.height);
    out_ += "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"xtree-picture\" role=\"img\" width=\"" + width + "\" height=\"" + height +
            "\" viewBox=\"0 0 " + width + " " + height + "\">\n<title>" + Escaped(picture_.title) + "</title>\n<style>" +
            std::string(kStyle) + "</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n";
    const size_t columns = static_cast<size_t>(picture_.width - 20) / 8;
    Text(14, 20, "title", Shortened(picture_.title, columns));
    for (size_t i = 0; i < picture_.notes.size(); i++)
      Text(14, 20 + kLine * (static_cast<int>(i) + 1), "faint", Shortened(picture_.notes[i], columns));
  }

  void Text(double x, double y, const char* kind, const std::string& text, const char* anchor = "start", const char* more = "") {
    out_ += "<text x=\"" + Fixed(x, 1) + "\" y=\"" + Fixed(y, 1) + "\" class=\"" + kind + "\" text-anchor=\"" + anchor + "\"" + more + ">" +
            Escaped(text) + "</text>\n";
  }

  void Line(double x1, double y1, double x2, double y2) {
    out_ += "<path class=\"grid\" d=\"M" + Fixed(x1, 1) + " " + Fixed(y1, 1) + "L" + Fixed(x2, 1) + " " + Fixed(y2, 1) + "\"/>\n";
  }

  // As many ticks as there is room for their labels.
  std::vector<AxisTick> Ticks(int axis, int pixels) const {
    std::vector<AxisTick> ticks;
    for (int most = 12; most >= 2; most--) {
      ticks = TicksOf(picture_.axis[axis].unit, extent_[axis].lo, extent_[axis].hi, most);
      size_t longest = 0;
      for (const AxisTick& tick : ticks) longest = std::max(longest, tick.label.size());
      const int each = axis == 1 ? 32 : static_cast<int>(longest) * 7 + 14;
      if (static_cast<int>(ticks.size()) * each <= pixels) break;
    }
    return ticks;
  }

  void Axes() {
    for (const AxisTick& tick : Ticks(0, right_ - kLeft)) {
      Line(X(tick.at), top_, X(tick.at), below_);
      Text(X(tick.at), below_ + 16, "tick", tick.label, "middle");
    }
    Text((kLeft + right_) / 2.0, below_ + 38, "axis", AxisName(0), "middle");
    if (flat()) {
      for (int level = lowest_; level <= highest_; level++)
        Text(kLeft - 8, LaneTop(level) + Lane() / 2 + 4, "tick", LevelName(level), "end");
    } else {
      UpperAxis();
    }
    out_ += "<rect class=\"frame\" x=\"" + std::to_string(kLeft) + "\" y=\"" + std::to_string(top_) + "\" width=\"" +
            std::to_string(right_ - kLeft) + "\" height=\"" + std::to_string(below_ - top_) + "\"/>\n";
  }

  void UpperAxis() {
    for (const AxisTick& tick : Ticks(1, below_ - top_)) {
      Line(kLeft, Y(tick.at), right_, Y(tick.at));
      Text(kLeft - 6, Y(tick.at) + 4, "tick", tick.label, "end");
    }
    const double middle = (top_ + below_) / 2.0;
    const std::string turn = " transform=\"rotate(-90 14 " + Fixed(middle, 1) + ")\"";
    Text(14, middle, "axis", AxisName(1), "middle", turn.c_str());
  }

  std::string AxisName(int axis) const {
    const std::string name = Shortened(picture_.axis[axis].name, 48);
    if (picture_.axis[axis].unit == AxisUnit::kShare) return name + " (share of what is drawn, in the order of the type)";
    return name + (extent_[axis].open ? " (what has no end goes to the frame)" : "");
  }

  static std::string LevelName(int level) { return level == 0 ? "leaves" : "level " + std::to_string(level); }
  std::string LevelClass(int level) const {
    return "level c" + std::to_string(level % kLevelColours) + (level == lowest_ ? " lowest" : "");
  }
  double Stroke(int level) const { return 0.7 + std::min(level - lowest_, 3) * 0.7; }

  // The lowest first, so that the few boxes of the upper levels are not hidden; of each level those that are visited last.
  void Levels() {
    auto end = picture_.boxes.end();
    while (end != picture_.boxes.begin()) {
      const int level = (end - 1)->level;
      const auto begin = std::find_if(picture_.boxes.begin(), end, [level](const PictureBox& box) { return box.level == level; });
      out_ += "<g class=\"" + LevelClass(level) + "\" data-level=\"" + std::to_string(level) + "\" stroke-width=\"" +
              Fixed(Stroke(level), 1) + "\">\n";
      for (const bool visited : {false, true})
        for (auto box = begin; box != end; ++box)
          if (box->visited == visited) Box(*box);
      out_ += "</g>\n";
      end = begin;
    }
  }

  void RectTag(const char* kind, const Rect& rect) {
    out_ += std::string("<rect class=\"") + kind + "\" x=\"" + Fixed(rect.x, 1) + "\" y=\"" + Fixed(rect.y, 1) + "\" width=\"" +
            Fixed(rect.width, 1) + "\" height=\"" + Fixed(rect.height, 1) + "\"";
  }

  void Box(const PictureBox& box) {
    std::string kind = "box";
    if (box.pages > 1) kind += " supernode";
    if (box.visited) kind += " visited";
    if (box.hotness > 0) kind += " hot";
    if (box.pinned) kind += " pinned";
    kind += box.mapped ? " mapped" : SomeMapped() ? " unmapped" : "";
    RectTag(kind.c_str(), RectOf(box.level, box.lo, box.hi));
    out_ += " data-block=\"" + std::to_string(box.block) + "\"><title>" + Description(box) + "</title></rect>\n";
  }

  static std::string Description(const PictureBox& box) {
    std::string text = "block " + std::to_string(box.block) + ", " + LevelName(box.level);
    if (box.entries >= 0) text += ", " + std::to_string(box.entries) + " entries";
    if (box.pages > 1) text += ", supernode of " + std::to_string(box.pages) + " pages";
    if (box.hotness > 0) text += ", hotness " + Fixed(box.hotness, 2);
    if (box.pinned) text += ", pinned";
    if (box.visited) text += ", visited";
    return text;
  }

  void Window() {
    if (!picture_.has_window) return;
    RectTag("window", flat() ? Rect{X(picture_.window_lo[0]), static_cast<double>(top_),
                                    X(picture_.window_hi[0]) - X(picture_.window_lo[0]), static_cast<double>(below_ - top_)}
                             : RectOf(0, picture_.window_lo, picture_.window_hi));
    out_ += "/>\n";
  }

  // Above all boxes, in their middles.
  void Marks() {
    for (const PictureBox& box : picture_.boxes) {
      const Rect rect = RectOf(box.level, box.lo, box.hi);
      const double x = rect.x + rect.width / 2, y = rect.y + rect.height / 2;
      if (box.hotness > 0) Mark("heat", x, y, 4);
      if (box.pinned && !AllPinned()) Mark("pin", x, y, 1.6);
    }
  }

  void Mark(const char* kind, double x, double y, double radius) {
    out_ += std::string("<circle class=\"") + kind + "\" cx=\"" + Fixed(x, 1) + "\" cy=\"" + Fixed(y, 1) + "\" r=\"" + Fixed(radius, 1) +
            "\"/>\n";
  }

  // Then a mark on each would only hide what is below.
  bool AllPinned() const {
    return std::all_of(picture_.boxes.begin(), picture_.boxes.end(), [](const PictureBox& box) { return box.pinned; });
  }
  bool SomeMapped() const {
    return std::any_of(picture_.boxes.begin(), picture_.boxes.end(), [](const PictureBox& box) { return box.mapped; });
  }
  template <class Which>
  uint64_t Count(Which which) const {
    return static_cast<uint64_t>(std::count_if(picture_.boxes.begin(), picture_.boxes.end(), which));
  }

  void Legend() {
    line_ = top_ + 10;
    for (const PictureLevel& level : picture_.levels) LevelLegend(level);
    line_ += 6;
    const uint64_t drawn = picture_.boxes.size();
    const uint64_t supernodes = Count([](const PictureBox& box) { return box.pages > 1; });
    const uint64_t hot = Count([](const PictureBox& box) { return box.hotness > 0; });
    const uint64_t pinned = Count([](const PictureBox& box) { return box.pinned; });
    const uint64_t mapped = Count([](const PictureBox& box) { return box.mapped; });
    if (supernodes > 0) LegendBox("level c1", "box supernode", 1.4, Grouped(supernodes) + " supernodes: dashed");
    if (hot > 0) LegendMark("heat", 4, Grouped(hot) + " hot pages");
    if (pinned > 0 && pinned < drawn) LegendMark("pin", 1.6, Grouped(pinned) + " pinned pages");
    if (picture_.has_window) {
      LegendBox("", "window", 1.6, "the query");
      LegendBox("level lowest c0", "box visited", 1.4, "visited by it");
    }
    if (drawn == 0) return;
    if (pinned == drawn) LegendLine("all are pinned");
    LegendLine(mapped == drawn ? "all are mapped" : mapped == 0 ? "none is mapped" : Grouped(mapped) + " mapped, others pale");
  }

  void LevelLegend(const PictureLevel& level) {
    const uint64_t drawn = Count([&](const PictureBox& box) { return box.level == level.level; });
    const std::string root = level.level == picture_.levels.front().level ? " (root)" : "";
    LegendBox(LevelClass(level.level), "box", Stroke(level.level),
              LevelName(level.level) + root + ": " + Grouped(level.nodes + level.absent));
    if (drawn < level.nodes) LegendLine(drawn == 0 ? "not drawn" : Grouped(drawn) + " of them drawn");
    if (level.absent > 0) LegendLine(Grouped(level.absent) + " without values here");
    if (picture_.has_window) LegendLine(Grouped(level.visited) + " visited");
  }

  void LegendBox(const std::string& group, const char* kind, double stroke, const std::string& text) {
    out_ += "<g class=\"" + group + "\" stroke-width=\"" + Fixed(stroke, 1) + "\"><rect class=\"" + kind + "\" x=\"" +
            std::to_string(right_ + 16) + "\" y=\"" + std::to_string(line_ - 10) + "\" width=\"16\" height=\"11\"/></g>\n";
    LegendText(text, "legend");
  }
  void LegendMark(const char* kind, double radius, const std::string& text) {
    Mark(kind, right_ + 24, line_ - 4, radius);
    LegendText(text, "legend");
  }
  void LegendLine(const std::string& text) { LegendText(text, "faint"); }
  void LegendText(const std::string& text, const char* kind) {
    Text(right_ + 40, line_, kind, text);
    line_ += kLine;
  }

  const TreePicture& picture_;
  std::string out_;
  Extent extent_[2];
  int top_ = 0, right_ = 0, below_ = 0;  // the frame, with kLeft
  int lowest_ = 0, highest_ = 0;         // levels that are drawn
  int line_ = 0;                         // of the legend
};

}  // namespace

std::string SvgOf(const TreePicture& picture) { return Drawing(picture).Make(); }

}  // namespace xtree
