// Distances of ordered scalars, as the operators `<->` of contrib/btree_gist define them.
//
// Each function is the order() callback of one kind of type. Distances of integers are exact over 64 bits. Used by the scalar
// operator classes only. Orders of floats may read the catalog. No WAL, no error.
#pragma once

#include "types/scalar.h"

namespace xtree {

using OrderCallback = decltype(XtreeTypeRoutine::order);

constexpr XtreeTypeRoutine Ordered(XtreeTypeRoutine routine, OrderCallback order) {
  routine.order = order;
  return routine;
}

// The difference of two ordinals. `argument`: that of the operator's right side.
void OrderByDifference(int64 argument, XtreeOrder* out);

template <ToOrdinal kToOrdinal>
void DifferenceOrder(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out) {
  OrderByDifference(kToOrdinal(argument), out);
}

void DateOrder(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out);
void TimestampOrder(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out);  // also timestamptz
void Float4Order(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out);
void Float8Order(const XtreeColumn*, StrategyNumber, Oid, Datum argument, XtreeOrder* out);

// Intervals whose ordinal is `argument` or a stored one: ends of the 64-bit range stand for all beyond, so the executor rechecks.
void OrderByIntervals(int64 argument, XtreeOrder* out);

}  // namespace xtree
