// See geometry_vertices.h.
#include "types/geometry_vertices.h"

#include <algorithm>
#include <bit>
#include <cmath>

extern "C" {
#include "miscadmin.h"
}

namespace xtree {
namespace {

double Load(const uint8* at) {
  double number;
  memcpy(&number, at, sizeof number);
  return number;
}

// NaN, or next to zero. By the bits, because this is asked of every coordinate of large values.
bool IsOdd(double coordinate) {
  constexpr uint64 kSign = UINT64CONST(1) << 63, kInfinity = UINT64CONST(0x7FF0000000000000);
  constexpr uint64 kSmallest = std::bit_cast<uint64>(1e-60);
  const uint64 magnitude = std::bit_cast<uint64>(coordinate) & ~kSign;
  return (magnitude > kInfinity) | (magnitude - 1 < kSmallest - 1);  // 0 is not odd
}

}  // namespace

GeometryVertices::GeometryVertices(const StoredGeometry& geometry, int checked, bool measuring)
    : at_(geometry.body()),
      end_(geometry.end()),
      coordinates_(geometry.coordinates()),
      checked_(std::min(checked, geometry.geodetic() ? 2 : coordinates_)),
      geodetic_(geometry.geodetic()),
      measuring_(measuring) {
  ReadOne();
}

const uint8* GeometryVertices::Take(size_t bytes) {
  if (static_cast<size_t>(end_ - at_) < bytes) ReportShortGeometry();
  const uint8* taken = at_;
  at_ += bytes;
  return taken;
}

uint32 GeometryVertices::Word() {
  uint32 word;
  memcpy(&word, Take(sizeof word), sizeof word);
  return word;
}

void GeometryVertices::ReadOne() {
  const uint32 type = Word(), count = Word();
  curved_ |= type >= kCircularStringType && type <= kLastCurveType;
  has_area_ |= type == kPolygonType || type == kTriangleType;
  if (type == kPolygonType) return ReadPolygon(count);
  if (type == kPointType || type == kLineType || type == kCircularStringType || type == kTriangleType) {
    if (count > 0 && (type == kCircularStringType || (type == kTriangleType && geodetic_))) measured_ = false;
    return ReadLine(count, measured_);
  }
  if (type > kLastType) {
    lost_ = odd_ = true;
    return;
  }
  check_stack_depth();
  for (uint32 i = 0; i < count && !lost_; i++) ReadOne();
}

// The rings' lengths, to a full eight bytes, and then their vertices. In the plane, PostGIS measures the outer one only.
void GeometryVertices::ReadPolygon(uint32 rings) {
  const uint8* lengths = Take(sizeof(uint32) * (size_t{rings} + rings % 2));
  for (uint32 i = 0; i < rings; i++) {
    uint32 length;
    memcpy(&length, lengths + sizeof length * i, sizeof length);
    if (length > 0 && geodetic_) measured_ = false;
    ReadLine(length, measured_ && i == 0);
  }
}

void GeometryVertices::ReadLine(uint32 count, bool measure) {
  const uint8* vertices = Take(sizeof(double) * coordinates_ * count);
  bool odd = false;
  for (uint32 i = 0; i < count; i++)
    for (int d = 0; d < checked_; d++) odd |= IsOdd(Load(vertices + sizeof(double) * (size_t{i} * coordinates_ + d)));
  odd_ |= odd || (checked_ > 2 && Vanishes(vertices, count));
  if (measuring_ && measure) Measure(vertices, count);
}

// Are the vertices in different places, but all within PostGIS's tolerance?
bool GeometryVertices::Vanishes(const uint8* vertices, uint32 count) const {
  constexpr double kTolerance = 1e-11;  // its is 1e-12
  bool moves = false;
  for (uint32 i = 1; i < count; i++) {
    for (int d = 0; d < coordinates_; d++) {
      const double first = Load(vertices + sizeof(double) * d);
      const double other = Load(vertices + sizeof(double) * (size_t{i} * coordinates_ + d));
      if (d < 3 && !(std::fabs(other - first) < kTolerance)) return false;
      moves |= other != first;
    }
  }
  return moves;
}

void GeometryVertices::Measure(const uint8* vertices, uint32 count) {
  for (uint32 i = 0; i < count; i++, vertices += sizeof(double) * coordinates_) {
    if (geodetic_) {
      sphere_.Add(i > 0, Load(vertices), Load(vertices + sizeof(double)));
      any_ = true;
      continue;
    }
    for (int d = 0; d < coordinates_; d++) {
      const double coordinate = Load(vertices + sizeof(double) * d);
      nan_[d] |= std::isnan(coordinate);
      low_[d] = any_ ? std::fmin(low_[d], coordinate) : coordinate;
      high_[d] = any_ ? std::fmax(high_[d], coordinate) : coordinate;
    }
    any_ = true;
  }
}

}  // namespace xtree
