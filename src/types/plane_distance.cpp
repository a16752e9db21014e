// See plane_distance.h. The proof that few values have to be looked at is at StepLeast; where it does not hold, see LeastOfLibrary.
#include "types/plane_distance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pg/compat_types.h"

namespace xtree {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// One of the two differences, from `from` to the nearest edge of the box; no other point of the box has a shorter one.
class Leg {
 public:
  Leg(double from, double low, double high) : from_(from) {
    if (from < low) SetEdge(low, kInfinity);
    if (from > high) SetEdge(high, -kInfinity);
  }

  double length() const { return length_; }

  // The next longer one, or one in between that no point has.
  void Step() {
    edge_ = std::nextafter(edge_, away_);
    length_ = std::max(std::fabs(edge_ - from_), std::nextafter(length_, kInfinity));
  }

 private:
  void SetEdge(double edge, double away) {
    edge_ = edge;
    away_ = away;
    length_ = std::fabs(edge - from_);
  }

  double from_;
  double edge_ = 0;
  double away_ = 0;  // the direction in which the box lies
  double length_ = 0;
};

// The least of pg_hypot for this leg or a longer one, with the other fixed. pg_hypot is not monotone, but each value is within 3.25
// units of 2^-53 of the true one, and where the leg is the longer one, or as long, the true one grows by 0.7 of what the leg grows. So one
// that is longer by 16 of these units has no lesser value than the shortest.
double StepLeast(Leg leg, double other) {
  const double end = leg.length() * (1 + 0x1p-49);
  double least = kInfinity;
  for (; leg.length() <= end; leg.Step()) least = std::min(least, pg::Hypot(leg.length(), other));
  return least;
}

// An exact result: the sum of what is rounded and what was cut off.
struct Exact {
  double rounded, rest;
};

Exact Square(double a) {
  const double rounded = a * a;
  return {rounded, std::fma(a, a, -rounded)};
}

Exact Minus(double a, double b) {
  const double rounded = a - b, taken = rounded - a;
  return {rounded, (a - (rounded - taken)) - (b + taken)};
}

// Is this more than the true length for the two legs?
bool IsAbove(double length, double longer, double shorter) {
  const Exact whole = Square(length), a = Square(longer), b = Square(shorter);
  const Exact without_a = Minus(whole.rounded, a.rounded), left = Minus(without_a.rounded, b.rounded);
  return left.rounded + (left.rest + without_a.rest + (whole.rest - a.rest - b.rest)) > 0;
}

// The least length for these legs or longer ones by hypot() of the C library, in whatever order its values are. Its error is below one unit in the
// last place, so it is the greatest float that is not above the true length, or the next one. In the second case pairs of legs whose true length is
// less than that one may be computed as less: where they are too many to be looked at, one of them is taken to be.
double LeastOfLibrary(const Leg& longer, const Leg& shorter) {
  constexpr int kMostPairs = 64;
  const double length = pg::Hypot(longer.length(), shorter.length());
  int pairs = 0;
  for (Leg x = longer; IsAbove(length, x.length(), shorter.length()); x.Step())
    for (Leg y = shorter; IsAbove(length, x.length(), y.length()); y.Step())
      if (++pairs > kMostPairs || pg::Hypot(x.length(), y.length()) < length) return std::nextafter(length, 0);
  return length;
}

}  // namespace

double PointDistance(const Point& a, const Point& b) {
  const double x = a.x - b.x, y = a.y - b.y;
  if (std::isinf(x) && std::isfinite(a.x) && std::isfinite(b.x)) return kNan;
  if (std::isinf(y) && std::isfinite(a.y) && std::isfinite(b.y)) return kNan;
  return pg::Hypot(x, y);
}

// pg_hypot grows with the shorter leg, all of its steps do, and is never below the longer one. So only longer ones are to be looked at,
// and shorter ones that may become the longer.
double LeastDistance(const Point& from, const Point& low, const Point& high) {
  constexpr double kLeast = 1e-150, kGreatest = 1e150;
  Leg longer(from.x, low.x, high.x), shorter(from.y, low.y, high.y);
  if (shorter.length() > longer.length()) std::swap(longer, shorter);
  if (!(shorter.length() >= kLeast && longer.length() <= kGreatest)) return longer.length();
  if (!pg::kHypotIsServers) return LeastOfLibrary(longer, shorter);
  const double least = StepLeast(longer, shorter.length());
  if (shorter.length() * (1 + 0x1p-48) < longer.length()) return least;
  return std::min(least, StepLeast(shorter, longer.length()));
}

double ValueOrNan(double (*compute)(void* argument), void* argument) {
  const MemoryContext context = CurrentMemoryContext;
  volatile double value = kNan;
  PG_TRY();
  { value = compute(argument); }
  PG_CATCH();
  {
    const int code = geterrcode();
    if (code != ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE && code != ERRCODE_DIVISION_BY_ZERO) PG_RE_THROW();
    MemoryContextSwitchTo(context);
    FlushErrorState();
  }
  PG_END_TRY();
  return value;
}

}  // namespace xtree
