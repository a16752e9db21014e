// A picture of a tree's boxes by level, in two dimensions, or in one beside the level, as SVG from plain data.
//
// The picture is a whole XML document, and may stand within an HTML page as it is. It is well-formed whatever the names are, and plain ASCII
// (report/markup.h). Colours are those of Okabe and Ito, which colour-blind people tell apart, and no mark differs by colour alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/axis.h"

namespace xtree {

// Bounds may be infinite, and NaN lies above all else; lo[0] and lo[1] belong to the axes.
struct PictureBox {
  uint32_t block;
  int level;    // 0: leaf
  int pages;    // of a supernode more than one
  int entries;  // -1: not known
  double lo[2];
  double hi[2];
  bool visited;
  bool pinned;
  bool mapped;
  double hotness;  // 0: not hot
};

struct PictureAxis {
  std::string name;
  AxisUnit unit = AxisUnit::kNumber;
};

// What there is on a level; what is drawn of it is in the boxes.
struct PictureLevel {
  int level;
  uint64_t nodes;    // with a value in the dimensions that are drawn
  uint64_t absent;   // without
  uint64_t visited;  // of both
};

struct TreePicture {
  int width = 800;
  int height = 600;
  std::string title;
  std::vector<std::string> notes;  // below the title
  int dimensions = 2;              // or 1: the other axis is that of the level
  PictureAxis axis[2];
  std::vector<PictureLevel> levels;  // the root's first
  std::vector<PictureBox> boxes;     // likewise
  bool has_window = false;           // a query's, which visits nodes
  double window_lo[2];               // infinite: open
  double window_hi[2];
};

// In pixels.
inline constexpr int kLeastPictureWidth = 320;
inline constexpr int kLeastPictureHeight = 240;

std::string SvgOf(const TreePicture& picture);

}  // namespace xtree
