/*
 * color.c: a type for colours of 24 bits that xtree indexes as points in three dimensions; the example of docs/adding-a-type.md.
 *
 * Pure functions of their arguments, and the callbacks that the access method asks for. No locks, no WAL.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

#include "xtree.h"

PG_MODULE_MAGIC;

/* A value is 0xRRGGBB, passed like an int4. */
#define CHANNELS 3
#define CHANNEL(color, i) ((int64) (((uint32) (color) >> (8 * (CHANNELS - 1 - (i)))) & 0xFF))

PG_FUNCTION_INFO_V1(color_in);
Datum
color_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	char *end = NULL;
	unsigned long value = text[0] == '#' ? strtoul(text + 1, &end, 16) : 0;

	if (end == NULL || *end != '\0' || end - text != 7)
		ereport(ERROR, errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("invalid input syntax for type color: \"%s\"", text),
				errhint("A colour is written #rrggbb."));
	PG_RETURN_INT32((int32) value);
}

PG_FUNCTION_INFO_V1(color_out);
Datum
color_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(psprintf("#%06x", (unsigned) PG_GETARG_INT32(0)));
}

PG_FUNCTION_INFO_V1(color_eq);
Datum
color_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT32(0) == PG_GETARG_INT32(1));
}

/* Is no channel of one brighter than that of the other? */
static bool
nowhere_brighter(int32 left, int32 right)
{
	for (int i = 0; i < CHANNELS; i++)
		if (CHANNEL(left, i) > CHANNEL(right, i))
			return false;
	return true;
}

PG_FUNCTION_INFO_V1(color_le);
Datum
color_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(nowhere_brighter(PG_GETARG_INT32(0), PG_GETARG_INT32(1)));
}

PG_FUNCTION_INFO_V1(color_ge);
Datum
color_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(nowhere_brighter(PG_GETARG_INT32(1), PG_GETARG_INT32(0)));
}

/* From a colour to the nearest one in a box, the Euclidean way. Where the box is one colour, that is the operator's value. */
static double
distance_to_box(const int64 *lo, const int64 *hi, int32 color)
{
	int64 sum = 0;

	for (int i = 0; i < CHANNELS; i++)
	{
		int64 channel = CHANNEL(color, i);
		int64 gap = channel < lo[i] ? lo[i] - channel : channel > hi[i] ? channel - hi[i] : 0;

		sum += gap * gap;
	}
	return sqrt((double) sum);
}

static void
get_channels(int32 color, int64 *out)
{
	for (int i = 0; i < CHANNELS; i++)
		out[i] = CHANNEL(color, i);
}

PG_FUNCTION_INFO_V1(color_distance);
Datum
color_distance(PG_FUNCTION_ARGS)
{
	int64 channels[CHANNELS];

	get_channels(PG_GETARG_INT32(0), channels);
	PG_RETURN_FLOAT8(distance_to_box(channels, channels, PG_GETARG_INT32(1)));
}

/* The callbacks. Strategy numbers are those of the operator class in color--1.0.sql. */
#define STRATEGY_EQUAL 1
#define STRATEGY_LESS_EQUAL 2
#define STRATEGY_GREATER_EQUAL 3

static void
bounds(const XtreeColumn *column, Datum value, XtreeBounds *out)
{
	get_channels(DatumGetInt32(value), out->lo);
	get_channels(DatumGetInt32(value), out->hi);
	out->empty = false;
}

static void
constraint(const XtreeColumn *column, StrategyNumber strategy, Oid argument_type, Datum argument, XtreeConstraint *out)
{
	if (strategy < STRATEGY_EQUAL || strategy > STRATEGY_GREATER_EQUAL)
		elog(ERROR, "unrecognized strategy number: %d", strategy);
	if (strategy != STRATEGY_LESS_EQUAL)
		get_channels(DatumGetInt32(argument), out->lo_min);
	if (strategy != STRATEGY_GREATER_EQUAL)
		get_channels(DatumGetInt32(argument), out->lo_max);
}

/* Ordinals may be those of a page that is just being changed, so the sum must not overflow whatever they are. */
static double
lower_bound(const XtreeOrder *order, const int64 *lo, const int64 *hi)
{
	int64 clamped_lo[CHANNELS], clamped_hi[CHANNELS];

	for (int i = 0; i < CHANNELS; i++)
	{
		clamped_lo[i] = Min(Max(lo[i], 0), 255);
		clamped_hi[i] = Min(Max(hi[i], 0), 255);
	}
	return distance_to_box(clamped_lo, clamped_hi, *(const int32 *) order->state);
}

static void
order(const XtreeColumn *column, StrategyNumber strategy, Oid argument_type, Datum argument, XtreeOrder *out)
{
	int32 *color = (int32 *) palloc(sizeof(int32));

	*color = DatumGetInt32(argument);
	out->state = color;
	out->lower_bound = lower_bound;
	out->distance = lower_bound;
}

static Datum
reconstruct(const XtreeColumn *column, const int64 *lo, const int64 *hi, bool empty)
{
	return Int32GetDatum((int32) (lo[0] << 16 | lo[1] << 8 | lo[2]));
}

static const XtreeTypeRoutine routine = {
	.magic = XTREE_ROUTINE_MAGIC,
	.api_version = XTREE_API_VERSION,
	.encoding_id = 1000,
	.encoding_version = 1,
	.dimensions = CHANNELS,
	.ordinal_width = 4,
	.scalar = XTREE_SCALAR_INTEGER,
	.exact = true,
	.bounds = bounds,
	.constraint = constraint,
	.order = order,
	.reconstruct = reconstruct,
};

PG_FUNCTION_INFO_V1(color_support);
Datum
color_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(&routine);
}
