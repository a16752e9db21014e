// The parts that the routines of all operator classes have in common: the numbers of their encodings, and a routine to begin with.
//
// Used by every file of this directory that defines operator classes. Pure data.
#pragma once

#include "pg/postgres_api.h"

#include "xtree.h"

namespace xtree {

// How a column's values became ordinals, as the meta page has it (XtreeTypeRoutine.encoding_id): 1 to 999 are this project's. A number is never
// given anew to another encoding, or an index of an operator class that was replaced would be read wrong.
enum class Encoding : uint16 {
  kPoint = 1,
  kBox = 2,
  kInt2 = 3,
  kInt4 = 4,
  kInt8 = 5,
  kFloat4 = 6,
  kFloat8 = 7,
  kNumeric = 8,
  kDate = 9,
  kTimestamp = 10,
  kTimestampTz = 11,
  kCircle = 40,
  kPolygon = 41,
  kOid = 42,
  kMoney = 43,
  kTime = 44,
  kBool = 45,
  kChar = 46,
  kMacaddr = 47,
  kMacaddr8 = 48,
  kTimetz = 49,
  kInterval = 50,
  kUuid = 51,
  kEnum = 52,
  kTextBytes = 53,
  kBpcharBytes = 54,
  kBytea = 55,
  kBits = 56,
  kInet = 57,
  kFloat4Vector = 58,
  kFloat8Vector = 59,
  kTextSorted = 60,
  kBpcharSorted = 61,
  kTextHashed = 62,
  kBpcharHashed = 63,
  kRangeDoubled = 70,
  kRangeClamped = 71,
  kRangeCanonical = 72,
  kRangeRounded = 73,
  kRangeByElement = 74,
  kMultirangeDoubled = 75,
  kMultirangeClamped = 76,
  kMultirangeCanonical = 77,
  kMultirangeRounded = 78,
  kMultirangeByElement = 79,
  kCube = 80,
  kGeometry2d = 81,
  kGeometryNd = 82,
  kGeography = 83,
  kSeg = 84,
  kIsn = 85,
  kGeometry3d = 86,
  kPgVector = 87,
  kPgHalfvec = 88,
  kFloat4Clusters = 100,
  kFloat8Clusters = 101,
  kPgVectorClusters = 102,
  kPgHalfvecClusters = 103,
};

using BoundsCallback = decltype(XtreeTypeRoutine::bounds);
using ConstraintCallback = decltype(XtreeTypeRoutine::constraint);
using ReconstructCallback = decltype(XtreeTypeRoutine::reconstruct);

// What every class must have. All else is absent: values are points, cannot be returned from the index, have no order and no parameters. The
// class sets what it has.
constexpr XtreeTypeRoutine NewRoutine(Encoding encoding, uint16 dimensions, uint8 width, XtreeScalar scalar, BoundsCallback bounds,
                                      ConstraintCallback constraint) {
  XtreeTypeRoutine routine{};
  routine.magic = XTREE_ROUTINE_MAGIC;
  routine.api_version = XTREE_API_VERSION;
  routine.encoding_id = static_cast<uint16>(encoding);
  routine.encoding_version = 1;
  routine.dimensions = dimensions;
  routine.ordinal_width = width;
  routine.scalar = scalar;
  routine.bounds = bounds;
  routine.constraint = constraint;
  return routine;
}

}  // namespace xtree
