// Distances in the plane as core computes them (pg::Hypot), without its errors, and the least of them in a box, to the last bit.
//
// For the operator classes of point and box. Pure computation, but for ValueOrNan, which takes errors off the stack. No locks, no WAL.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "utils/geo_decls.h"
}

namespace xtree {

// point_dt of two points; NaN where it raises an error.
double PointDistance(const Point& a, const Point& b);

// The least of PointDistance from `from` to the points of the box, NaN apart; not less by an ulp, if the box is not very large, very small
// or very far away. (With the C library's hypot(), from PostgreSQL 19 on, it may be less by one where one difference is much the shorter.)
double LeastDistance(const Point& from, const Point& low, const Point& high);

// What compute(argument) returns; NaN where it raises an error of arithmetic. It must hold no resources.
double ValueOrNan(double (*compute)(void* argument), void* argument);

}  // namespace xtree
