// See great_circle.h.
#include "types/great_circle.h"

#include <cmath>
#include <cstring>

namespace xtree {
namespace {

using Vector = double[3];

double Dot(const double* a, const double* b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

void Cross(const double* a, const double* b, double* out) {
  for (int d = 0; d < 3; d++) out[d] = a[(d + 1) % 3] * b[(d + 2) % 3] - a[(d + 2) % 3] * b[(d + 1) % 3];
}

// |a - b| and |a + b|
double Apart(const double* a, const double* b, int sign) {
  double square = 0;
  for (int d = 0; d < 3; d++) square += (a[d] - sign * b[d]) * (a[d] - sign * b[d]);
  return std::sqrt(square);
}

constexpr double kRounding = 1e-9;  // of what is computed here, many times over

}  // namespace

void SphereBox::Add(bool goes_on, double longitude, double latitude) {
  constexpr double kRadian = 3.14159265358979323846 / 180;
  const double east = longitude * kRadian, north = latitude * kRadian;
  const Vector point = {std::cos(north) * std::cos(east), std::cos(north) * std::sin(east), std::sin(north)};
  AddPoint(point);
  if (goes_on) AddArc(last_, point);
  std::memcpy(last_, point, sizeof last_);
}

void SphereBox::Include(int d, double low, double high) {
  low_[d] = any_ ? std::fmin(low_[d], low) : low;
  high_[d] = any_ ? std::fmax(high_[d], high) : high;
}

void SphereBox::AddPoint(const double* point) {
  for (int d = 0; d < 3; d++) Include(d, point[d] - kRounding, point[d] + kRounding);
  any_ = true;
}

// Of points that nearly coincide, or are nearly opposite, PostGIS knows the plane no better than we do. What it does with those
// some centimeters apart is wrong by their distance from a coordinate's extreme, up to 2e-16 / distance.
void SphereBox::AddArc(const double* a, const double* b) {
  constexpr double kSame = 1e-9, kNear = 3e-7, kShort = 1e-4, kOpposite = 1e-6;
  const double chord = Apart(a, b, 1);
  if (chord == 0) return;
  if (!(chord > kSame) || !(Apart(a, b, -1) > kOpposite)) {
    known_ = false;
  } else if (chord < kShort) {
    // Nowhere further from the straight line than in its middle.
    const double bulge = chord < kNear ? kBoxExcess - 2 * kRounding : chord * chord / 8 + kRounding;
    for (int d = 0; d < 3; d++) Include(d, std::fmin(a[d], b[d]) - bulge, std::fmax(a[d], b[d]) + bulge);
  } else {
    AddExtremes(a, b);
  }
}

// On a great circle with the unit normal n, coordinate d is greatest where the axis' own direction falls upon its plane: there it
// is the length of that projection. That point counts if it is on the arc, going by the right hand around n from a to b.
void SphereBox::AddExtremes(const double* a, const double* b) {
  Vector n;
  Cross(a, b, n);
  const double length = std::sqrt(Dot(n, n));
  for (double& coordinate : n) coordinate /= length;
  for (int d = 0; d < 3; d++) {
    const double reach = std::hypot(n[(d + 1) % 3], n[(d + 2) % 3]);
    if (reach < kRounding) {  // everywhere next to zero
      Include(d, -2 * kRounding, 2 * kRounding);
      continue;
    }
    Vector top, from_a, to_b;
    for (int e = 0; e < 3; e++) top[e] = ((d == e) - n[d] * n[e]) / reach;
    Cross(a, top, from_a);
    Cross(top, b, to_b);
    const double after_a = Dot(from_a, n), before_b = Dot(to_b, n);
    if (after_a > -kRounding && before_b > -kRounding) Include(d, high_[d], reach + kRounding);
    if (after_a < kRounding && before_b < kRounding) Include(d, -reach - kRounding, low_[d]);
  }
}

}  // namespace xtree
