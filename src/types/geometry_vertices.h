// What a PostGIS value's coordinates tell: the box around them, and whether PostGIS's arithmetic can be trusted with them.
//
// For values whose box is not stored, or not taken as it is stored. Reads from a StoredGeometry's body; ERROR where that is
// shorter than it says. Pure computation otherwise: no locks, no WAL.
#pragma once

#include "types/great_circle.h"
#include "types/stored_geometry.h"

namespace xtree {

class GeometryVertices {
 public:
  // `checked` coordinates of a vertex matter to whoever asks. `measuring`: a box is asked for.
  GeometryVertices(const StoredGeometry& geometry, int checked, bool measuring);

  // May distances be less than those of the boxes? PostGIS forgets points next to a NaN when it computes a box, products with
  // a number next to zero vanish, so that lines far apart meet, and a line in space that is shorter than its tolerance is near
  // everything.
  bool odd() const { return odd_; }

  // Is there, however deep, something that may have arcs; are there areas?
  bool curved() const { return curved_; }
  bool has_area() const { return has_area_; }

  // With `measuring`: is the box that of all points that PostGIS looks at? Not where there are arcs, or anything unknown.
  bool measured() const { return measured_ && !lost_ && (!geodetic_ || sphere_.known()); }
  bool empty() const { return !any_; }
  bool HasNan(int coordinate) const { return nan_[coordinate]; }
  double Low(int coordinate) const { return geodetic_ ? sphere_.Low(coordinate) : low_[coordinate]; }
  double High(int coordinate) const { return geodetic_ ? sphere_.High(coordinate) : high_[coordinate]; }

 private:
  const uint8* Take(size_t bytes);
  uint32 Word();
  void ReadOne();
  void ReadPolygon(uint32 rings);
  void ReadLine(uint32 count, bool measure);
  bool Vanishes(const uint8* vertices, uint32 count) const;
  void Measure(const uint8* vertices, uint32 count);

  const uint8* at_;
  const uint8* end_;
  const int coordinates_;
  const int checked_;
  const bool geodetic_;
  const bool measuring_;
  bool lost_ = false;  // at something of an unknown type
  bool measured_ = true;
  bool odd_ = false;
  bool curved_ = false;
  bool has_area_ = false;
  bool any_ = false;
  bool nan_[4] = {};
  double low_[4];
  double high_[4];
  SphereBox sphere_;
};

}  // namespace xtree
