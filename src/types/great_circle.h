// Boxes around points and arcs of the unit sphere, for PostGIS's geography.
//
// Pure computation. PostGIS computes such boxes in its own way; these hold its own, and exceed them by kBoxExcess at most.
#pragma once

namespace xtree {

inline constexpr double kBoxExcess = 2.6e-7;

class SphereBox {
 public:
  // A point by longitude and latitude in degrees. `goes_on`: the shorter arc of the great circle from the last point too.
  void Add(bool goes_on, double longitude, double latitude);

  // Is the box right? Not with an arc of which rounding leaves open where it goes.
  bool known() const { return known_; }
  double Low(int d) const { return low_[d]; }
  double High(int d) const { return high_[d]; }

 private:
  void AddPoint(const double* point);
  void AddArc(const double* a, const double* b);
  void AddExtremes(const double* a, const double* b);
  void Include(int d, double low, double high);

  bool known_ = true;
  bool any_ = false;
  double last_[3];
  double low_[3];
  double high_[3];
};

}  // namespace xtree
