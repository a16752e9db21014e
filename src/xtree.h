/*
 * xtree.h: the public C interface of the xtree index access method.
 *
 * A type joins by one support function (number 1 of its operator class), `f(internal) returns internal`, that returns a pointer to a
 * constant XtreeTypeRoutine. Its argument is the XtreeColumn (without dimensions) of an index that is to be opened, or NULL when the
 * operator class itself is looked at: a class for a polymorphic type may have a routine for each actual type. Every value becomes a box in
 * ordered ordinals: per dimension a signed integer lo and hi that sort as the type sorts. Every search operator becomes, per dimension, an
 * interval for lo and an interval for hi. There is no call through fmgr
 * on the search path.
 *
 * Callbacks run in the caller's memory context, may palloc and may ereport(ERROR). They must not be C++ functions that let an
 * exception escape.
 */
#ifndef XTREE_H
#define XTREE_H

#ifdef __cplusplus
extern "C" {
#endif

#include "postgres.h"

#include "access/stratnum.h"
#include "fmgr.h"

#define XTREE_API_VERSION 2
#define XTREE_OLDEST_API_VERSION 1 /* whose routines are read as well: without what came later */
#define XTREE_ROUTINE_MAGIC 0x58545259

/* Support function numbers of an operator class. */
#define XTREE_TYPE_ROUTINE_PROC 1 /* required: returns XtreeTypeRoutine * */
#define XTREE_OPTIONS_PROC 2      /* optional: operator class parameters, as for GiST */
#define XTREE_SUPPORT_PROCS 2

#define XTREE_MAX_ORDER_VERSION 32

/*
 * Strategy number of one and the same operator in every family with an ordering operator: xtree's @<= (anyelement, internal). With it the
 * family's distances may be limited, in conditions such as `column <-> origin < limit`; without, such conditions are tested row by
 * row. The access method answers it by order(), not constraint(): lower_bound() for every entry. Distances must then be those numbers
 * that compare with a limit: the operator's own where it returns float4 or float8; where it returns an integer, oid, money or
 * interval (in microseconds, a month of 30 days), xtree_float8_from_distance() of it.
 */
#define XTREE_DISTANCE_LIMIT_STRATEGY 255

/* How an ordinal turns into a number for area, margin and distance. */
typedef enum XtreeScalar {
  XTREE_SCALAR_INTEGER = 0, /* the ordinal is the value */
  XTREE_SCALAR_FLOAT64 = 1, /* xtree_ordinal_from_float8() */
  XTREE_SCALAR_FLOAT32 = 2  /* xtree_ordinal_from_float4(), width 4 */
} XtreeScalar;

/* What a column must be for a row to match; conditions on one column are combined by the access method. */
typedef enum XtreeMatch {
  XTREE_MATCH_VALUE = 1,          /* an ordinary value with lo and hi in the intervals */
  XTREE_MATCH_VALUE_OR_EMPTY = 2, /* the same, or an empty value */
  XTREE_MATCH_EMPTY = 3,          /* only an empty value */
  XTREE_MATCH_NEVER = 6           /* nothing */
} XtreeMatch;

/* One indexed column, as the callbacks see it. */
typedef struct XtreeColumn {
  Oid type; /* the operator class's, or the actual one where that is polymorphic (never a domain) */
  Oid collation;
  uint16 dimensions;                      /* of this column in this index */
  const void* options;                    /* operator class parameters, or NULL */
  const struct XtreeTypeRoutine* routine; /* the one that support function 1 returned for it; NULL when that is asked */
} XtreeColumn;

/* Result of bounds(): arrays of `dimensions` ordinals, lo[d] <= hi[d] (equal where the type is not extended). */
typedef struct XtreeBounds {
  int64* lo;
  int64* hi;
  bool empty; /* an empty range and the like: lo and hi are ignored */

  /* Only with may_be_nearer: an ordering operator may return less for this value than for its box. Preset: false. */
  bool nearer;
} XtreeBounds;

/* Result of constraint(): arrays of `dimensions`, preset to match everything. For a type that is not extended lo and hi coincide and
 * both pairs apply. */
typedef struct XtreeConstraint {
  int64* lo_min; /* lo_min <= value.lo <= lo_max */
  int64* lo_max;
  int64* hi_min; /* hi_min <= value.hi <= hi_max */
  int64* hi_max;
  XtreeMatch match; /* preset: XTREE_MATCH_VALUE */
  bool recheck;     /* preset: false; true when the intervals may let through what the operator would not. Each alternative has its own
					   * word: a row that one without recheck lets through is not rechecked. */

  /* Preset: NULL. A row matches also if it matches this one: see xtree_add_alternative(). */
  struct XtreeConstraint* alternative;
} XtreeConstraint;

/* How near a box is to the argument of an ordering operator: filled by order(). */
typedef struct XtreeOrder XtreeOrder;
struct XtreeOrder {
  /* Preset: the operator's own function, with the column's value on the left, for callbacks that want its value bit for bit. */
  FmgrInfo* function;
  Oid collation;

  /*
	 * Euclidean metric over all of the column's dimensions, of floats of either width: then `query` has `dimensions` coordinates, lower bounds
	 * come from the vector kernels, and lower_bound may be NULL; no value of the operator is negative. Otherwise query is NULL.
	 */
  const double* query;

  /*
	 * With `query`, where the operator's value can be less than that distance of the boxes (of rounding, say): by how much at most, for any
	 * value whose box lies within [lo, hi], the bounds of the whole index. Infinity: lower_bound is asked instead, and may not be NULL.
	 * NULL: it is never less than by rounding of the distance itself (1e-14 of it).
	 */
  double (*slack)(const XtreeOrder* order, const int64* lo, const int64* hi);

  /* With `query`, preset 0: beside `slack`, the operator's value may be less than the distance by this part of it, below 1. */
  double rounding;

  /*
	 * A number never above the operator's value for any value whose box lies within [lo, hi]. It may be asked about bytes of a page
	 * that is changing (the answer is then thrown away): any ordinals must do, lo above hi too, and it must not raise an ERROR.
	 */
  double (*lower_bound)(const XtreeOrder* order, const int64* lo, const int64* hi);

  /*
	 * The operator's value for the value with this box, bit for bit; with recheck: a lower bound of it. NaN sorts last. Equal distances are
	 * returned as they come, without a look at all of them, where this is the operator's value.
	 *
	 * It must not raise an ERROR where the operator does, as the executor may never come to the row: NaN then, which is not rechecked, so
	 * with recheck it means that the operator returns NaN, or raises an ERROR, for every value with this box.
	 */
  double (*distance)(const XtreeOrder* order, const int64* lo, const int64* hi);

  /*
	 * A number like lower_bound's, but as near as possible to the least value in the box, at more expense: asked about few nodes, never about
	 * bytes that change, and it may call functions. Where it reaches the value of a row, nodes with bounds equal to it are not read before
	 * the row is returned. Of a node all whose rows have the same point for a box, distance() is asked instead. NULL: there is no better bound.
	 */
  double (*best_bound)(const XtreeOrder* order, const int64* lo, const int64* hi);

  bool recheck; /* the executor must compute the operator on the heap's value */

  /*
	 * Preset: false. `nearer`: the argument is such that the operator may return less than lower_bound() for any value, so that a limit
	 * of this distance leaves nothing out. `by_boxes`: the operator looks at boxes alone, so that values of which bounds() says
	 * `nearer` are none to it.
	 */
  bool nearer;
  bool by_boxes;

  /* Only with recheck, where the operator returns something else than float8: a distance as the operator's type. */
  Datum (*result)(double distance);

  uint16 dimensions;
  void* state; /* the callbacks' own */
};

/* The distances of vectors that indexes of clusters know. */
typedef enum XtreeVectorMetric {
  XTREE_METRIC_EUCLID = 0,        /* sqrt(sum((x - q)^2)) */
  XTREE_METRIC_INNER_PRODUCT = 1, /* -sum(x * q) */
  XTREE_METRIC_COSINE = 2,        /* 1 - sum(x * q) / (|x| |q|); NaN where one of them is 0 */
  XTREE_METRIC_TAXICAB = 3        /* sum(|x - q|) */
} XtreeVectorMetric;

/*
 * What a type of vectors of many dimensions offers beside its boxes: coordinates, from which the access method makes clusters and codes. In such an
 * index rows come in the order of lower bounds, and the executor computes the operators.
 */
typedef struct XtreeVectorRoutine {
  uint16 most_dimensions; /* up to 2000 */

  /* The coordinates of a value or argument; an ERROR unless it has so many dimensions. */
  void (*coordinates)(Datum value, int dimensions, double* out);

  /* Of an ordering operator. */
  XtreeVectorMetric (*metric)(StrategyNumber strategy);

  /*
	 * By how much an operator's sums may be off, relative to the sum of the absolute values of their terms, for each term: 2^-53 where it computes in
	 * float8, 2^-24 in float4.
	 */
  double rounding;

  /* The routine of a column in an index of clusters: two dimensions, the cluster and the distance from its centroid, with the same strategies. */
  const struct XtreeTypeRoutine* clusters;
} XtreeVectorRoutine;

/* How a value lies to another, of another column, as far as their boxes tell: what join() says of an operator. */
typedef enum XtreeRelation {
  XTREE_MEETS = 0,    /* the boxes have a point in common */
  XTREE_CONTAINS = 1, /* the value's box contains the argument's */
  XTREE_WITHIN = 2,   /* the value's box lies within the argument's */
  XTREE_SAME = 3      /* the boxes have the same edges */
} XtreeRelation;

typedef struct XtreeJoin {
  XtreeRelation relation; /* preset: XTREE_MEETS */
  uint16 dimensions;      /* that are compared, the first of both columns; preset: as many as both have */

  /*
	 * Of an ordering operator: no value of it is less than the gap between the boxes in any dimension, and these are of floats. Joins are then by
	 * comparisons of it with a limit. Preset: false.
	 */
  bool by_distance;

  /* Empty values lie within all values, and are the same as each other. Preset: false, they are in no relation. */
  bool empties;

  /*
	 * Where edges are not to be compared as they are (a tolerance, ordinals of another meaning): of an edge of the argument, its lower or upper one,
	 * the ordinal that the value's lower or upper edge may have at most (`most`), or must have at least. It must rise with the edge, be as far out as
	 * the operator goes, or further, and not raise an ERROR. Preset: NULL.
	 */
  int64 (*reach)(int64 edge, bool argument_upper, bool value_upper, bool most);

  /*
	 * reach() may be asked the other way round too: of the value's edge, what the argument's may have at most, or must have at least. Then trees
	 * are joined whichever of them is gone through first, also by an operator that only the value's class knows. Without a reach that is so.
	 * Preset: false.
	 */
  bool both_ways;

  /*
	 * Values are in the operator's relation if and only if their boxes are, by the edges as they are, as long as none of these is INT64_MIN or
	 * INT64_MAX and neither value is empty. Then pairs are not tested again. Preset: false.
	 */
  bool certain;
} XtreeJoin;

typedef struct XtreeTypeRoutine {
  uint32 magic;       /* XTREE_ROUTINE_MAGIC */
  uint16 api_version; /* XTREE_API_VERSION */

  /* Written into the meta page and compared on load. Change encoding_version when the meaning of ordinals changes. */
  uint16 encoding_id; /* 1 .. 999 are this project's; others are free for all, collisions are noticed per index only */
  uint16 encoding_version;

  uint16 dimensions;   /* 1 .. 100; 0: dimensions_of() says */
  uint8 ordinal_width; /* 4 or 8 bytes on disk */
  bool extended;       /* values have different lo and hi */
  XtreeScalar scalar;
  bool exact;        /* reconstruct() returns the value bit for bit: index-only scans */
  bool may_be_empty; /* bounds() may report empty */

  /*
	 * bounds() may report `nearer`, and then never reports empty: values whose distances may be less than their boxes', as those of another
	 * library's arithmetic may be. Such a value is found by conditions and put in order by its box, but no limit of a distance leaves it out.
	 */
  bool may_be_nearer;

  /*
	 * The ordinals are words of one long number, as the bytes of a text are: each orders only values whose words before are equal. The tree is
	 * then divided by the later ones only where the first leaves much together.
	 */
  bool words;

  /* The tree is to be divided along the column's first dimension before any other column's: scans look for few values of it at a time. */
  bool leading;

  /*
	 * Do values that the type's default B-tree operator class puts in order under the column's collation have ordinals in that order, with
	 * words one after the other, and equal values the same? Then range types over the type are indexed by the first ordinal of their bounds.
	 */
  bool in_btree_order;

  /*
	 * Bit n: the constraint of strategy n leaves nothing out (or hardly anything), however few rows the operator holds for. The planner
	 * does not expect such a condition to narrow a scan. Where n is an ordering operator's: it makes no use of limits of that distance.
	 */
  uint32 blind_strategies;

  /*
	 * What the meaning of ordinals depends on outside of this code and may change with the system, such as the version of a collation; at most
	 * XTREE_MAX_ORDER_VERSION - 1 bytes. The index remembers it, and its use under another one is an ERROR that asks for REINDEX. NULL:
	 * nothing. The routine is then one of this column alone, see above.
	 */
  const char* order_version;

  /*
	 * Only where dimensions is 0. dimensions_of() is what the operator class parameters say, 1 .. 100, or 0 where they say nothing: then
	 * CREATE INDEX and REINDEX ask dimensions_in() about the first row's value, and the index remembers the answer. Of a table without
	 * values it is default_dimensions; where that is 0, the first value that is inserted decides, and rows without one are an ERROR
	 * until then (rows without any that CREATE INDEX finds decide for 1).
	 */
  uint16 (*dimensions_of)(const XtreeColumn* column);
  uint16 (*dimensions_in)(const XtreeColumn* column, Datum value);
  uint16 default_dimensions;

  /*
	 * Instead of dimensions_in(), where one value does not tell: makes the choice from a sample of `count` > 0 values, given by their ordinals
	 * (`lo` of each) in most_dimensions dimensions, of a table with about `rows` values. It is cut to what the index has room for, so any
	 * number from 1 on must do; default_dimensions may not be 0.
	 */
  uint16 (*choose_dimensions)(const XtreeColumn* column, const int64* ordinals, int count, double rows);
  uint16 most_dimensions;

  /* Vectors that may also be kept in clusters, or NULL. Only with dimensions_of and dimensions_in. */
  const XtreeVectorRoutine* vectors;

  /* The box of a (detoasted by the callback, never NULL) value. */
  void (*bounds)(const XtreeColumn* column, Datum value, XtreeBounds* out);

  /* The constraint of `value OP argument`; argument_type is the operator's right type. */
  void (*constraint)(const XtreeColumn* column, StrategyNumber strategy, Oid argument_type, Datum argument, XtreeConstraint* out);

  /* Preparation of ORDER BY value OP argument; NULL where the type has no ordering operators. */
  void (*order)(const XtreeColumn* column, StrategyNumber strategy, Oid argument_type, Datum argument, XtreeOrder* out);

  /* The value with these bounds, where exact. */
  Datum (*reconstruct)(const XtreeColumn* column, const int64* lo, const int64* hi, bool empty);

  /* The number for which an ordinal stands as lo, or as hi (`upper`), where it is not quite what `scalar` says; for display. May be NULL. */
  double (*coordinate)(int64 ordinal, bool upper);

  /*
	 * The operator family of another access method that the planner is to take this column's for, or InvalidOid. A planner support
	 * function that makes index conditions of a function call may know the families of its own extension only (PostGIS's does). Heeded
	 * only where both families have the same operators with the same strategy numbers. May be NULL.
	 */
  Oid (*planner_family)(const XtreeColumn* column);

  /*
	 * May an operator of the class, or the distance, raise an ERROR for numbers out of range, of a value that the index leaves to be rechecked?
	 * The executor does that before it looks at other conditions, where a query without the index might not come to the value; so the planner
	 * leaves such scans to others. Because of what values are compared with or measured from (one that is not known yet is taken for ordinary), or
	 * because of the values, of which [lo, hi] are the bounds of the whole index, lo above hi where there are none. NULL: never.
	 */
  bool (*argument_may_overflow)(const XtreeColumn* column, Oid argument_type, Datum argument);
  bool (*values_may_overflow)(const XtreeColumn* column, const int64* lo, const int64* hi);

  /*
	 * Since version 2. For joins of two trees: what `value OP argument` says of the boxes of both, where `argument` is a column of another index, of
	 * whatever type and operator class (its routine is looked at: see xtree_same_ordinals). Whatever is in the relation by the operator must be in that
	 * of the boxes; the operator decides of each pair. False: the trees are not joined by this operator. NULL: by none but equality, of columns whose
	 * ordinals are in_btree_order and mean the same.
	 */
  bool (*join)(const XtreeColumn* column, StrategyNumber strategy, const XtreeColumn* argument, XtreeJoin* out);
} XtreeTypeRoutine;

/* Can this code read the routine? */
static inline bool xtree_is_routine(const XtreeTypeRoutine* routine) {
  return routine != NULL && routine->magic == XTREE_ROUTINE_MAGIC && routine->api_version >= XTREE_OLDEST_API_VERSION &&
         routine->api_version <= XTREE_API_VERSION;
}

/* Do ordinals of these columns mean the same? */
static inline bool xtree_same_ordinals(const XtreeColumn* a, const XtreeColumn* b) {
  const char* a_order = a->routine->order_version;
  const char* b_order = b->routine->order_version;

  return a->type == b->type && a->collation == b->collation && a->routine->encoding_id == b->routine->encoding_id &&
         a->routine->encoding_version == b->routine->encoding_version && a->dimensions == b->dimensions &&
         (a_order == NULL || b_order == NULL ? a_order == b_order : strcmp(a_order, b_order) == 0);
}

/*
 * For an operator whose values lie in several boxes that have no narrow common one: appends another constraint, preset, to be filled in.
 * Alternatives outside of the bounds of the whole index cost nothing, others slow a scan down. They may overlap.
 */
static inline XtreeConstraint* xtree_add_alternative(const XtreeColumn* column, XtreeConstraint* constraint) {
  XtreeConstraint* added = (XtreeConstraint*)palloc(sizeof(XtreeConstraint));
  int64* bounds = (int64*)palloc(sizeof(int64) * 4 * column->dimensions);
  int i;

  for (i = 0; i < 2 * column->dimensions; i++) bounds[i] = PG_INT64_MIN;
  for (; i < 4 * column->dimensions; i++) bounds[i] = PG_INT64_MAX;
  added->lo_min = bounds;
  added->hi_min = bounds + column->dimensions;
  added->lo_max = bounds + 2 * column->dimensions;
  added->hi_max = bounds + 3 * column->dimensions;
  added->match = XTREE_MATCH_VALUE;
  added->recheck = false;
  added->alternative = constraint->alternative;
  constraint->alternative = added;
  return added;
}

/*
 * Order-preserving maps: -inf < ... < -0 < +0 < ... < +inf < NaN. Each direction is exact but for NaN, which has one ordinal (the
 * largest).
 */
static inline int64 xtree_ordinal_from_float8(double value) {
  int64 bits;

  if (value != value) return PG_INT64_MAX;
  memcpy(&bits, &value, sizeof(bits));
  return bits >= 0 ? bits : bits ^ PG_INT64_MAX;
}

static inline double xtree_float8_from_ordinal(int64 ordinal) {
  int64 bits = ordinal >= 0 ? ordinal : ordinal ^ PG_INT64_MAX;
  double value;

  memcpy(&value, &bits, sizeof(value)); /* PG_INT64_MAX is a NaN's bit pattern */
  return value;
}

static inline int64 xtree_ordinal_from_float4(float value) {
  int32 bits;

  if (value != value) return PG_INT32_MAX;
  memcpy(&bits, &value, sizeof(bits));
  return bits >= 0 ? bits : bits ^ PG_INT32_MAX;
}

static inline float xtree_float4_from_ordinal(int64 ordinal) {
  int32 narrow = (int32)ordinal;
  int32 bits = narrow >= 0 ? narrow : narrow ^ PG_INT32_MAX;
  float value;

  memcpy(&value, &bits, sizeof(value));
  return value;
}

/*
 * An integer as distance(), up to 2^63 and exact: the number that stands for it among other such numbers, and back. A plain double
 * would confuse neighbours beyond 2^53. (-0, which counts as 0, is left out.)
 */
static inline double xtree_float8_from_distance(uint64 distance) {
  int64 ordinal = (int64)(distance - (UINT64CONST(1) << 62));

  return xtree_float8_from_ordinal(ordinal < 0 ? ordinal - 1 : ordinal);
}

static inline uint64 xtree_distance_from_float8(double number) {
  int64 ordinal = xtree_ordinal_from_float8(number);

  return (uint64)(ordinal < 0 ? ordinal + 1 : ordinal) + (UINT64CONST(1) << 62);
}

/*
 * Callbacks when an index is loaded into this backend (its file has been mapped for reading), and when it is unloaded again. They are
 * registered for the life of the backend, called in the order of their registration, and only where xtree was preloaded.
 *
 * A load callback runs within the transaction of the scan, or of the call of xtree_load(), that loads the index. It may read catalogs;
 * an ERROR ends that statement, and the index stays loaded. An unload callback runs whenever the backend processes invalidations,
 * outside of transactions and at its exit too: it must neither touch a catalog nor raise an ERROR. Neither may scan an xtree index.
 *
 * A library that must also work where xtree is not loaded looks them up:
 *     load_external_function("$libdir/xtree", "xtree_register_load_callback", false, NULL)
 */
typedef void (*XtreeLoadCallback)(Oid index, void* argument);

extern PGDLLEXPORT void xtree_register_load_callback(XtreeLoadCallback callback, void* argument);
extern PGDLLEXPORT void xtree_register_unload_callback(XtreeLoadCallback callback, void* argument);

#ifdef __cplusplus
}
#endif

#endif /* XTREE_H */
