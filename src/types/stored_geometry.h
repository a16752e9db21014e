// A PostGIS value as it is stored: its flags, its box where it has one, and where its coordinates are.
//
// Debian installs no header for the layout; it is described in liblwgeom/gserialized.txt, versions 1 and 2. Bytes are checked
// against the value's size: ERROR where it is shorter than it says. For the operator classes of xtree_postgis. Detoasts, no
// more of a value than is asked for, into the caller's memory context. No locks, no WAL.
#pragma once

#include "pg/postgres_api.h"

namespace xtree {

// How much of a value to look at. PostGIS stores a box with every geometry of more than two points, and that is what its
// operators compare, whatever the coordinates are. It depends on the value alone and never on where that is: the same value
// has the same key when it is inserted, when it is found in the table, and when xtree_check compares both.
enum class GeometryRead {
  kBox,    // the box; coordinates only where none is stored
  kSmall,  // coordinates too, of values that are one chunk where they are out of line
  kWhole,  // coordinates too
};

inline constexpr uint32 kPointType = 1, kLineType = 2, kPolygonType = 3, kCircularStringType = 8, kTriangleType = 14;
inline constexpr uint32 kLastCurveType = 12;  // from kCircularStringType on, values that are arcs or may hold some
inline constexpr uint32 kLastType = 15;       // those between are collections

class StoredGeometry {
 public:
  StoredGeometry(Datum value, GeometryRead read);

  int srid() const { return srid_; }
  bool has_z() const { return has_z_; }
  bool has_m() const { return has_m_; }
  bool geodetic() const { return geodetic_; }
  int coordinates() const { return 2 + has_z_ + has_m_; }  // of a vertex

  // Floats: low and high edge of each dimension, in the order x, y, z, m; of a geography x, y and z around the earth's center.
  // nullptr where no box is stored.
  const uint8* box() const { return box_; }

  // The coordinates, with types and counts between them. nullptr where they were not read.
  const uint8* body() const { return body_; }
  uint32 type() const;  // only where they were
  const uint8* end() const { return end_; }

 private:
  int srid_;
  bool has_z_;
  bool has_m_;
  bool geodetic_;
  const uint8* box_ = nullptr;
  const uint8* body_ = nullptr;
  const uint8* end_;
};

[[noreturn]] void ReportShortGeometry();

// The smallest geometries that PostGIS's functions take for one with this box, for a point, and for an empty one: in the layout of version 1,
// which all versions of PostGIS read.
struct MadeGeometry {
  alignas(8) char bytes[48];
  Datum datum() const { return PointerGetDatum(bytes); }
};
MadeGeometry GeometryWithBox(float x_low, float x_high, float y_low, float y_high);
MadeGeometry PointGeometry(int srid, double x, double y);
MadeGeometry EmptyGeometry();

}  // namespace xtree
