// Coordinates with which core's geometric operators may raise an ERROR (22003, numbers out of range): see XtreeTypeRoutine.may_overflow.
//
// For the classes of point, circle and polygon, whose keys leave rows to be rechecked. No locks, no WAL.
#pragma once

#include "xtree.h"

namespace xtree {

// Has a point, box, circle or polygon such coordinates? They may be infinite or NaN, too. Others: no.
bool HasOverflowingCoordinates(Oid type, Datum value);

// The callback of a class that rechecks only values near the argument, and only areas that are not boxes.
bool AreaMayOverflow(const XtreeColumn* column, Oid argument_type, const Datum* argument, const int64* lo, const int64* hi);

// The callback of a class that may recheck any value.
bool AnyMayOverflow(const XtreeColumn* column, Oid argument_type, const Datum* argument, const int64* lo, const int64* hi);

}  // namespace xtree
