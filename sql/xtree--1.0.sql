-- xtree 1.0: the objects of a fresh installation.
--
-- The extension may be moved to another schema, so new objects are created unqualified, in the schema that CREATE EXTENSION has put
-- first in the search path. Whatever else is named here is named in pg_catalog.

-- complain if the script is run by hand
\echo Use "CREATE EXTENSION xtree" to load this file. \quit

-- Access method

CREATE FUNCTION xtree_handler(pg_catalog.internal) RETURNS pg_catalog.index_am_handler
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

CREATE ACCESS METHOD xtree TYPE INDEX HANDLER xtree_handler;
COMMENT ON ACCESS METHOD xtree IS 'X-tree index access method';

-- Support functions of the operator classes: each returns its type's callbacks (xtree.h)

CREATE FUNCTION xtree_point_support(pg_catalog.internal) RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_box_support(pg_catalog.internal) RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_int2_support(pg_catalog.internal) RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_int4_support(pg_catalog.internal) RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_int8_support(pg_catalog.internal) RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_float4_support(pg_catalog.internal) RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_float8_support(pg_catalog.internal) RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_numeric_support(pg_catalog.internal) RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_date_support(pg_catalog.internal) RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_timestamp_support(pg_catalog.internal) RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_timestamptz_support(pg_catalog.internal) RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- Geometry: operators and strategy numbers of the classes of the same name for GiST

CREATE OPERATOR CLASS point_ops DEFAULT FOR TYPE pg_catalog.point USING xtree AS
  OPERATOR 1 pg_catalog.<< (pg_catalog.point, pg_catalog.point),
  OPERATOR 5 pg_catalog.>> (pg_catalog.point, pg_catalog.point),
  OPERATOR 6 pg_catalog.~= (pg_catalog.point, pg_catalog.point),
  OPERATOR 10 pg_catalog.<<| (pg_catalog.point, pg_catalog.point),
  OPERATOR 11 pg_catalog.|>> (pg_catalog.point, pg_catalog.point),
  OPERATOR 15 pg_catalog.<-> (pg_catalog.point, pg_catalog.point) FOR ORDER BY pg_catalog.float_ops,
  OPERATOR 28 pg_catalog.<@ (pg_catalog.point, pg_catalog.box),
  OPERATOR 29 pg_catalog.<^ (pg_catalog.point, pg_catalog.point),
  OPERATOR 30 pg_catalog.>^ (pg_catalog.point, pg_catalog.point),
  OPERATOR 48 pg_catalog.<@ (pg_catalog.point, pg_catalog.polygon),
  OPERATOR 68 pg_catalog.<@ (pg_catalog.point, pg_catalog.circle),
  FUNCTION 1 xtree_point_support(pg_catalog.internal);

CREATE OPERATOR CLASS box_ops DEFAULT FOR TYPE pg_catalog.box USING xtree AS
  OPERATOR 1 pg_catalog.<< (pg_catalog.box, pg_catalog.box),
  OPERATOR 2 pg_catalog.&< (pg_catalog.box, pg_catalog.box),
  OPERATOR 3 pg_catalog.&& (pg_catalog.box, pg_catalog.box),
  OPERATOR 4 pg_catalog.&> (pg_catalog.box, pg_catalog.box),
  OPERATOR 5 pg_catalog.>> (pg_catalog.box, pg_catalog.box),
  OPERATOR 6 pg_catalog.~= (pg_catalog.box, pg_catalog.box),
  OPERATOR 7 pg_catalog.@> (pg_catalog.box, pg_catalog.box),
  OPERATOR 8 pg_catalog.<@ (pg_catalog.box, pg_catalog.box),
  OPERATOR 9 pg_catalog.&<| (pg_catalog.box, pg_catalog.box),
  OPERATOR 10 pg_catalog.<<| (pg_catalog.box, pg_catalog.box),
  OPERATOR 11 pg_catalog.|>> (pg_catalog.box, pg_catalog.box),
  OPERATOR 12 pg_catalog.|&> (pg_catalog.box, pg_catalog.box),
  OPERATOR 15 pg_catalog.<-> (pg_catalog.box, pg_catalog.point) FOR ORDER BY pg_catalog.float_ops,
  FUNCTION 1 xtree_box_support(pg_catalog.internal);

-- Ordered scalars: operators, strategy numbers and families of B-tree, cross-type operators included

CREATE OPERATOR FAMILY integer_ops USING xtree;

CREATE OPERATOR CLASS int2_ops DEFAULT FOR TYPE pg_catalog.int2 USING xtree FAMILY integer_ops AS
  OPERATOR 1 pg_catalog.< (pg_catalog.int2, pg_catalog.int2),
  OPERATOR 2 pg_catalog.<= (pg_catalog.int2, pg_catalog.int2),
  OPERATOR 3 pg_catalog.= (pg_catalog.int2, pg_catalog.int2),
  OPERATOR 4 pg_catalog.>= (pg_catalog.int2, pg_catalog.int2),
  OPERATOR 5 pg_catalog.> (pg_catalog.int2, pg_catalog.int2),
  FUNCTION 1 xtree_int2_support(pg_catalog.internal);

CREATE OPERATOR CLASS int4_ops DEFAULT FOR TYPE pg_catalog.int4 USING xtree FAMILY integer_ops AS
  OPERATOR 1 pg_catalog.< (pg_catalog.int4, pg_catalog.int4),
  OPERATOR 2 pg_catalog.<= (pg_catalog.int4, pg_catalog.int4),
  OPERATOR 3 pg_catalog.= (pg_catalog.int4, pg_catalog.int4),
  OPERATOR 4 pg_catalog.>= (pg_catalog.int4, pg_catalog.int4),
  OPERATOR 5 pg_catalog.> (pg_catalog.int4, pg_catalog.int4),
  FUNCTION 1 xtree_int4_support(pg_catalog.internal);

CREATE OPERATOR CLASS int8_ops DEFAULT FOR TYPE pg_catalog.int8 USING xtree FAMILY integer_ops AS
  OPERATOR 1 pg_catalog.< (pg_catalog.int8, pg_catalog.int8),
  OPERATOR 2 pg_catalog.<= (pg_catalog.int8, pg_catalog.int8),
  OPERATOR 3 pg_catalog.= (pg_catalog.int8, pg_catalog.int8),
  OPERATOR 4 pg_catalog.>= (pg_catalog.int8, pg_catalog.int8),
  OPERATOR 5 pg_catalog.> (pg_catalog.int8, pg_catalog.int8),
  FUNCTION 1 xtree_int8_support(pg_catalog.internal);

ALTER OPERATOR FAMILY integer_ops USING xtree ADD
  OPERATOR 1 pg_catalog.< (pg_catalog.int2, pg_catalog.int4),
  OPERATOR 2 pg_catalog.<= (pg_catalog.int2, pg_catalog.int4),
  OPERATOR 3 pg_catalog.= (pg_catalog.int2, pg_catalog.int4),
  OPERATOR 4 pg_catalog.>= (pg_catalog.int2, pg_catalog.int4),
  OPERATOR 5 pg_catalog.> (pg_catalog.int2, pg_catalog.int4),
  OPERATOR 1 pg_catalog.< (pg_catalog.int2, pg_catalog.int8),
  OPERATOR 2 pg_catalog.<= (pg_catalog.int2, pg_catalog.int8),
  OPERATOR 3 pg_catalog.= (pg_catalog.int2, pg_catalog.int8),
  OPERATOR 4 pg_catalog.>= (pg_catalog.int2, pg_catalog.int8),
  OPERATOR 5 pg_catalog.> (pg_catalog.int2, pg_catalog.int8),
  OPERATOR 1 pg_catalog.< (pg_catalog.int4, pg_catalog.int2),
  OPERATOR 2 pg_catalog.<= (pg_catalog.int4, pg_catalog.int2),
  OPERATOR 3 pg_catalog.= (pg_catalog.int4, pg_catalog.int2),
  OPERATOR 4 pg_catalog.>= (pg_catalog.int4, pg_catalog.int2),
  OPERATOR 5 pg_catalog.> (pg_catalog.int4, pg_catalog.int2),
  OPERATOR 1 pg_catalog.< (pg_catalog.int4, pg_catalog.int8),
  OPERATOR 2 pg_catalog.<= (pg_catalog.int4, pg_catalog.int8),
  OPERATOR 3 pg_catalog.= (pg_catalog.int4, pg_catalog.int8),
  OPERATOR 4 pg_catalog.>= (pg_catalog.int4, pg_catalog.int8),
  OPERATOR 5 pg_catalog.> (pg_catalog.int4, pg_catalog.int8),
  OPERATOR 1 pg_catalog.< (pg_catalog.int8, pg_catalog.int2),
  OPERATOR 2 pg_catalog.<= (pg_catalog.int8, pg_catalog.int2),
  OPERATOR 3 pg_catalog.= (pg_catalog.int8, pg_catalog.int2),
  OPERATOR 4 pg_catalog.>= (pg_catalog.int8, pg_catalog.int2),
  OPERATOR 5 pg_catalog.> (pg_catalog.int8, pg_catalog.int2),
  OPERATOR 1 pg_catalog.< (pg_catalog.int8, pg_catalog.int4),
  OPERATOR 2 pg_catalog.<= (pg_catalog.int8, pg_catalog.int4),
  OPERATOR 3 pg_catalog.= (pg_catalog.int8, pg_catalog.int4),
  OPERATOR 4 pg_catalog.>= (pg_catalog.int8, pg_catalog.int4),
  OPERATOR 5 pg_catalog.> (pg_catalog.int8, pg_catalog.int4);

CREATE OPERATOR FAMILY float_ops USING xtree;

CREATE OPERATOR CLASS float4_ops DEFAULT FOR TYPE pg_catalog.float4 USING xtree FAMILY float_ops AS
  OPERATOR 1 pg_catalog.< (pg_catalog.float4, pg_catalog.float4),
  OPERATOR 2 pg_catalog.<= (pg_catalog.float4, pg_catalog.float4),
  OPERATOR 3 pg_catalog.= (pg_catalog.float4, pg_catalog.float4),
  OPERATOR 4 pg_catalog.>= (pg_catalog.float4, pg_catalog.float4),
  OPERATOR 5 pg_catalog.> (pg_catalog.float4, pg_catalog.float4),
  FUNCTION 1 xtree_float4_support(pg_catalog.internal);

CREATE OPERATOR CLASS float8_ops DEFAULT FOR TYPE pg_catalog.float8 USING xtree FAMILY float_ops AS
  OPERATOR 1 pg_catalog.< (pg_catalog.float8, pg_catalog.float8),
  OPERATOR 2 pg_catalog.<= (pg_catalog.float8, pg_catalog.float8),
  OPERATOR 3 pg_catalog.= (pg_catalog.float8, pg_catalog.float8),
  OPERATOR 4 pg_catalog.>= (pg_catalog.float8, pg_catalog.float8),
  OPERATOR 5 pg_catalog.> (pg_catalog.float8, pg_catalog.float8),
  FUNCTION 1 xtree_float8_support(pg_catalog.internal);

ALTER OPERATOR FAMILY float_ops USING xtree ADD
  OPERATOR 1 pg_catalog.< (pg_catalog.float4, pg_catalog.float8),
  OPERATOR 2 pg_catalog.<= (pg_catalog.float4, pg_catalog.float8),
  OPERATOR 3 pg_catalog.= (pg_catalog.float4, pg_catalog.float8),
  OPERATOR 4 pg_catalog.>= (pg_catalog.float4, pg_catalog.float8),
  OPERATOR 5 pg_catalog.> (pg_catalog.float4, pg_catalog.float8),
  OPERATOR 1 pg_catalog.< (pg_catalog.float8, pg_catalog.float4),
  OPERATOR 2 pg_catalog.<= (pg_catalog.float8, pg_catalog.float4),
  OPERATOR 3 pg_catalog.= (pg_catalog.float8, pg_catalog.float4),
  OPERATOR 4 pg_catalog.>= (pg_catalog.float8, pg_catalog.float4),
  OPERATOR 5 pg_catalog.> (pg_catalog.float8, pg_catalog.float4);

CREATE OPERATOR FAMILY numeric_ops USING xtree;

CREATE OPERATOR CLASS numeric_ops DEFAULT FOR TYPE pg_catalog.numeric USING xtree FAMILY numeric_ops AS
  OPERATOR 1 pg_catalog.< (pg_catalog.numeric, pg_catalog.numeric),
  OPERATOR 2 pg_catalog.<= (pg_catalog.numeric, pg_catalog.numeric),
  OPERATOR 3 pg_catalog.= (pg_catalog.numeric, pg_catalog.numeric),
  OPERATOR 4 pg_catalog.>= (pg_catalog.numeric, pg_catalog.numeric),
  OPERATOR 5 pg_catalog.> (pg_catalog.numeric, pg_catalog.numeric),
  FUNCTION 1 xtree_numeric_support(pg_catalog.internal);

CREATE OPERATOR FAMILY datetime_ops USING xtree;

CREATE OPERATOR CLASS date_ops DEFAULT FOR TYPE pg_catalog.date USING xtree FAMILY datetime_ops AS
  OPERATOR 1 pg_catalog.< (pg_catalog.date, pg_catalog.date),
  OPERATOR 2 pg_catalog.<= (pg_catalog.date, pg_catalog.date),
  OPERATOR 3 pg_catalog.= (pg_catalog.date, pg_catalog.date),
  OPERATOR 4 pg_catalog.>= (pg_catalog.date, pg_catalog.date),
  OPERATOR 5 pg_catalog.> (pg_catalog.date, pg_catalog.date),
  FUNCTION 1 xtree_date_support(pg_catalog.internal);

CREATE OPERATOR CLASS timestamp_ops DEFAULT FOR TYPE pg_catalog.timestamp USING xtree FAMILY datetime_ops AS
  OPERATOR 1 pg_catalog.< (pg_catalog.timestamp, pg_catalog.timestamp),
  OPERATOR 2 pg_catalog.<= (pg_catalog.timestamp, pg_catalog.timestamp),
  OPERATOR 3 pg_catalog.= (pg_catalog.timestamp, pg_catalog.timestamp),
  OPERATOR 4 pg_catalog.>= (pg_catalog.timestamp, pg_catalog.timestamp),
  OPERATOR 5 pg_catalog.> (pg_catalog.timestamp, pg_catalog.timestamp),
  FUNCTION 1 xtree_timestamp_support(pg_catalog.internal);

CREATE OPERATOR CLASS timestamptz_ops DEFAULT FOR TYPE pg_catalog.timestamptz USING xtree FAMILY datetime_ops AS
  OPERATOR 1 pg_catalog.< (pg_catalog.timestamptz, pg_catalog.timestamptz),
  OPERATOR 2 pg_catalog.<= (pg_catalog.timestamptz, pg_catalog.timestamptz),
  OPERATOR 3 pg_catalog.= (pg_catalog.timestamptz, pg_catalog.timestamptz),
  OPERATOR 4 pg_catalog.>= (pg_catalog.timestamptz, pg_catalog.timestamptz),
  OPERATOR 5 pg_catalog.> (pg_catalog.timestamptz, pg_catalog.timestamptz),
  FUNCTION 1 xtree_timestamptz_support(pg_catalog.internal);

ALTER OPERATOR FAMILY datetime_ops USING xtree ADD
  OPERATOR 1 pg_catalog.< (pg_catalog.date, pg_catalog.timestamp),
  OPERATOR 2 pg_catalog.<= (pg_catalog.date, pg_catalog.timestamp),
  OPERATOR 3 pg_catalog.= (pg_catalog.date, pg_catalog.timestamp),
  OPERATOR 4 pg_catalog.>= (pg_catalog.date, pg_catalog.timestamp),
  OPERATOR 5 pg_catalog.> (pg_catalog.date, pg_catalog.timestamp),
  OPERATOR 1 pg_catalog.< (pg_catalog.date, pg_catalog.timestamptz),
  OPERATOR 2 pg_catalog.<= (pg_catalog.date, pg_catalog.timestamptz),
  OPERATOR 3 pg_catalog.= (pg_catalog.date, pg_catalog.timestamptz),
  OPERATOR 4 pg_catalog.>= (pg_catalog.date, pg_catalog.timestamptz),
  OPERATOR 5 pg_catalog.> (pg_catalog.date, pg_catalog.timestamptz),
  OPERATOR 1 pg_catalog.< (pg_catalog.timestamp, pg_catalog.date),
  OPERATOR 2 pg_catalog.<= (pg_catalog.timestamp, pg_catalog.date),
  OPERATOR 3 pg_catalog.= (pg_catalog.timestamp, pg_catalog.date),
  OPERATOR 4 pg_catalog.>= (pg_catalog.timestamp, pg_catalog.date),
  OPERATOR 5 pg_catalog.> (pg_catalog.timestamp, pg_catalog.date),
  OPERATOR 1 pg_catalog.< (pg_catalog.timestamp, pg_catalog.timestamptz),
  OPERATOR 2 pg_catalog.<= (pg_catalog.timestamp, pg_catalog.timestamptz),
  OPERATOR 3 pg_catalog.= (pg_catalog.timestamp, pg_catalog.timestamptz),
  OPERATOR 4 pg_catalog.>= (pg_catalog.timestamp, pg_catalog.timestamptz),
  OPERATOR 5 pg_catalog.> (pg_catalog.timestamp, pg_catalog.timestamptz),
  OPERATOR 1 pg_catalog.< (pg_catalog.timestamptz, pg_catalog.date),
  OPERATOR 2 pg_catalog.<= (pg_catalog.timestamptz, pg_catalog.date),
  OPERATOR 3 pg_catalog.= (pg_catalog.timestamptz, pg_catalog.date),
  OPERATOR 4 pg_catalog.>= (pg_catalog.timestamptz, pg_catalog.date),
  OPERATOR 5 pg_catalog.> (pg_catalog.timestamptz, pg_catalog.date),
  OPERATOR 1 pg_catalog.< (pg_catalog.timestamptz, pg_catalog.timestamp),
  OPERATOR 2 pg_catalog.<= (pg_catalog.timestamptz, pg_catalog.timestamp),
  OPERATOR 3 pg_catalog.= (pg_catalog.timestamptz, pg_catalog.timestamp),
  OPERATOR 4 pg_catalog.>= (pg_catalog.timestamptz, pg_catalog.timestamp),
  OPERATOR 5 pg_catalog.> (pg_catalog.timestamptz, pg_catalog.timestamp);

-- Inspection and checking

CREATE FUNCTION xtree_check(index pg_catalog.regclass, heapallindexed pg_catalog.bool DEFAULT false) RETURNS pg_catalog.void
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION xtree_check(pg_catalog.regclass, pg_catalog.bool) IS
  'checks the invariants of an xtree index, and with heapallindexed that every row is in it exactly once; an error names what is wrong';

CREATE FUNCTION xtree_index_info(index pg_catalog.regclass,
  OUT format_version pg_catalog.int4, OUT build_state pg_catalog.text, OUT dimensions pg_catalog.int4, OUT height pg_catalog.int4,
  OUT level pg_catalog.int4, OUT nodes pg_catalog.int8, OUT pages pg_catalog.int8, OUT supernodes pg_catalog.int8,
  OUT entries pg_catalog.int8, OUT fill pg_catalog.float8, OUT overlap pg_catalog.float8)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION xtree_index_info(pg_catalog.regclass) IS
  'shape of an xtree index, one row per level from the root (level = height - 1) to the leaves (level 0): fill is the used share of the level''s room for entries, overlap the mean intersection over union of sibling boxes, both 0 to 1';

CREATE FUNCTION xtree_nodes(index pg_catalog.regclass,
  OUT block pg_catalog.int8, OUT parent pg_catalog.int8, OUT level pg_catalog.int4, OUT pages pg_catalog.int4, OUT entries pg_catalog.int4,
  OUT lower pg_catalog.float8[], OUT upper pg_catalog.float8[])
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION xtree_nodes(pg_catalog.regclass) IS
  'every node of an xtree index with the bounds of its entries, one element per dimension, NULL where all entries are NULL or empty';
