// What the operator classes of ordered scalars share: one dimension, B-tree's strategies and `<>`, and an argument that
// lies somewhere in the order of the column's ordinals even where it is of another type.
//
// Used by the scalar operator classes only. Pure computation: no locks, no WAL.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "catalog/pg_type_d.h"
#include "fmgr.h"
}

#include "types/routine.h"
#include "types/support_function.h"
#include "xtree.h"

namespace xtree {

// `<>`, as contrib/btree_gist numbers it.
inline constexpr StrategyNumber kNotEqualStrategy = 6;

// Where an argument lies: values with lesser ordinals than `first` are less than it, those with greater ones than
// `last` are greater.
struct Place {
  int64 first;
  int64 last;
};

// The ordinals in [first, last] are those of values equal to the argument. If there are none, last is first - 1.
void ConstrainExactly(StrategyNumber strategy, Place argument, XtreeConstraint* out);

// Nothing is known about values with ordinals in [first, last], of which there is at least one: they are rechecked.
void ConstrainRoughly(StrategyNumber strategy, Place argument, XtreeConstraint* out);

// Sets the one dimension of a value's bounds.
inline void SetOrdinal(int64 ordinal, XtreeBounds* out) {
  out->lo[0] = out->hi[0] = ordinal;
  out->empty = false;
}

// Callbacks of types whose values are told apart, or ordered as far as that goes, by an ordinal of the value alone.
using ToOrdinal = int64 (*)(Datum);

template <ToOrdinal kToOrdinal>
void OrdinalBounds(const XtreeColumn*, Datum value, XtreeBounds* out) {
  SetOrdinal(kToOrdinal(value), out);
}

// Unsigned values of 32 and 64 bits as signed ordinals, and back.
inline int64 FromUnsigned32(uint32 value) { return static_cast<int64>(value) + PG_INT32_MIN; }
inline uint32 ToUnsigned32(int64 ordinal) { return static_cast<uint32>(ordinal - PG_INT32_MIN); }
inline int64 FromUnsigned64(uint64 value) { return static_cast<int64>(value ^ (UINT64CONST(1) << 63)); }
inline uint64 ToUnsigned64(int64 ordinal) { return static_cast<uint64>(ordinal) ^ (UINT64CONST(1) << 63); }

// The first `count` bytes, at most 8, as a number that sorts as they do; those beyond `length` are 0.
inline uint64 NumberOfBytes(const void* bytes, int length, int count) {
  uint64 number = 0;
  for (int i = 0; i < count; i++) number = number << 8 | (i < length ? static_cast<const uint8*>(bytes)[i] : 0);
  return number;
}

[[noreturn]] void ReportArgumentType(Oid argument_type);

// `reconstruct` is null where ordinals do not tell values apart.
constexpr XtreeTypeRoutine ScalarRoutine(Encoding encoding, uint8 width, XtreeScalar scalar, BoundsCallback bounds,
                                         ConstraintCallback constraint, ReconstructCallback reconstruct) {
  XtreeTypeRoutine routine = NewRoutine(encoding, 1, width, scalar, bounds, constraint);
  routine.exact = reconstruct != nullptr;
  routine.reconstruct = reconstruct;
  return routine;
}

// Of a type whose ordinals keep the order of B-tree's default operator class, so that ranges over it can go by them.
constexpr XtreeTypeRoutine InBtreeOrder(XtreeTypeRoutine routine) {
  routine.in_btree_order = true;
  return routine;
}

// Of a type whose equal values have the same ordinal: by equality with columns of its own kind.
inline bool JoinByEquality(const XtreeColumn* column, StrategyNumber strategy, const XtreeColumn* argument, XtreeJoin* out) {
  out->relation = XTREE_SAME;
  return strategy == BTEqualStrategyNumber && xtree_same_ordinals(column, argument);
}
constexpr XtreeTypeRoutine Joinable(XtreeTypeRoutine routine, decltype(XtreeTypeRoutine::join) join = JoinByEquality) {
  routine.join = join;
  return routine;
}

// Of a type whose conditions are ConstrainRoughly's.
constexpr XtreeTypeRoutine Rough(XtreeTypeRoutine routine) {
  routine.blind_strategies |= 1 << kNotEqualStrategy;
  return routine;
}

}  // namespace xtree
