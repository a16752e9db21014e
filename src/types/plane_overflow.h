// Coordinates with which core's geometric operators may raise an ERROR (22003, numbers out of range): see
// XtreeTypeRoutine.argument_may_overflow.
//
// For the classes of point, circle and polygon, whose keys leave rows to be rechecked. No locks, no WAL.
#pragma once

#include "xtree.h"

namespace xtree {

// The callbacks of a class that may recheck any value: for a point, box, circle or polygon, and for values with bounds of doubles. Infinite and NaN
// coordinates count.
bool ArgumentMayOverflow(const XtreeColumn* column, Oid argument_type, Datum argument);
bool ValuesMayOverflow(const XtreeColumn* column, const int64* lo, const int64* hi);

// The one callback of a class that rechecks only values near the argument, and only where that is an area, but no box.
bool AreaMayOverflow(const XtreeColumn* column, Oid argument_type, Datum argument);

}  // namespace xtree
